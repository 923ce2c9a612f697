#include "support/explorer/race_detector.hpp"

#include <string>

#include "support/explorer/memory_model.hpp"

namespace explorer {

void RaceDetector::reset() {
  for (const std::size_t offset : used_) {
    slot_[offset] = 0;
  }
  used_.clear();
}

RaceDetector::Shadow& RaceDetector::shadow(const void* address) {
  const std::size_t at = arena_.offset(address);
  if (at >= slot_.size()) {
    slot_.resize(at + 1024, 0);
  }
  if (slot_[at] == 0) {
    used_.push_back(at);
    slot_[at] = static_cast<std::uint16_t>(used_.size());
    if (shadows_.size() < used_.size()) {
      shadows_.resize(2 * used_.size());
    }
    shadows_[slot_[at] - 1U] = {};
  }
  return shadows_[slot_[at] - 1U];
}

void RaceDetector::check(const Last& others, const char* theirs, const char* mine,
                         const void* address, const void* code) {
  Process& self = scheduler_.self();
  for (int other = 0; other < scheduler_.count(); ++other) {
    const auto index = static_cast<std::size_t>(other);
    if (other == self.index || self.now.clock.has_seen(other, others.stamp[index])) {
      continue;
    }
    scheduler_.record(std::string(mine) + " {}", address, code, Tone::kFailed);
    scheduler_.mark_failed(other, address, others.code[index]);
    scheduler_.fail(Verdict::kDataRace, scheduler_.process(other).name + " " + theirs + " " +
                                            name_token(arena_.offset(address)) + " and " +
                                            self.name + " " + mine +
                                            " it, and nothing orders one before the other");
  }
}

void RaceDetector::access(const void* address, std::size_t size, bool write, const void* code) {
  if (!scheduler_.in_process()) {
    return;  // the set-up is before all of them, what comes after run() is behind
  }
  Process& self = scheduler_.self();
  const auto index = static_cast<std::size_t>(self.index);
  const char* const mine = write ? "writes" : "reads";
  for (std::size_t i = 0; i < size; ++i) {
    const void* const place = static_cast<const std::byte*>(address) + i;
    Shadow& byte = shadow(place);
    check(byte.writes, "writes", mine, address, code);
    check(byte.atomic_writes, "writes (atomically)", mine, address, code);
    if (write) {
      check(byte.reads, "reads", mine, address, code);
      check(byte.atomic_reads, "reads (atomically)", mine, address, code);
    }
    byte.plain = true;
    Last& last = write ? byte.writes : byte.reads;
    last.stamp[index] = self.now.clock[self.index];
    last.code[index] = code;
  }
}

void RaceDetector::atomic_access(const void* address, std::size_t size, bool write,
                                 const void* code) {
  if (!scheduler_.in_process()) {
    return;
  }
  Process& self = scheduler_.self();
  const auto index = static_cast<std::size_t>(self.index);
  const char* const mine = write ? "writes (atomically)" : "reads (atomically)";
  for (std::size_t i = 0; i < size; ++i) {
    const void* const place = static_cast<const std::byte*>(address) + i;
    Shadow& byte = shadow(place);
    if (byte.plain) {
      check(byte.writes, "writes", mine, address, code);
      if (write) {
        check(byte.reads, "reads", mine, address, code);
      }
    }
    Last& last = write ? byte.atomic_writes : byte.atomic_reads;
    last.stamp[index] = self.now.clock[self.index];
    last.code[index] = code;
  }
}

}  // namespace explorer
