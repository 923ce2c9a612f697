#include "support/explorer/futex_model.hpp"

#include <linux/futex.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "support/explorer/hash.hpp"

namespace explorer {

namespace {

/// In an event and in a sentence alike: where the word's name goes.
std::string named(const std::string& what, std::uint64_t value) {
  return what + "({}, " + number(value) + ")";
}

}  // namespace

void FutexModel::reset() {
  queues_ = {};
}

int FutexModel::wait(const void* address, std::uint32_t expected, std::uint32_t bitset,
                     std::int64_t deadline, const void* code) {
  std::uint32_t value = 0;
  const int word = memory_.kernel_read(address, value, code);
  if (value != expected) {
    scheduler_.remember(EAGAIN);
    if (scheduler_.recording()) {
      scheduler_.record(named("wait", expected) + ": no, it is " + number(value), address, code);
    }
    return EAGAIN;
  }
  if (deadline >= 0 && deadline <= scheduler_.clock()) {
    scheduler_.remember(ETIMEDOUT);
    scheduler_.record("wait: the time is over already", address, code);
    return ETIMEDOUT;
  }
  if (scheduler_.recording()) {
    std::string text = named("wait", expected) + ": sleeps";
    if (deadline >= 0) {
      text += ", for " + std::to_string((deadline - scheduler_.clock() + 999'999) / 1'000'000) +
              " ms at most";
    }
    scheduler_.record(text, address, code, Tone::kSleep);
  }
  Process& self = scheduler_.self();
  Sleep sleep;
  sleep.word = word;
  sleep.expected = expected;
  sleep.bitset = bitset;
  sleep.deadline = deadline;
  sleep.code = code;
  if (self.index >= 0) {
    const int read = memory_.last_read(word, self);
    const int since = read > 0 ? std::min(read, self.previous_operation) : self.previous_operation;
    sleep.wake_missed = queue(word).empty_wake > since;
  }
  self.sleep = sleep;
  scheduler_.remember(static_cast<std::uint64_t>(deadline));
  self.history = mix(self.history, queue(word).identity);
  queue(word).identity = mix(queue(word).identity, self.history);
  const int result = scheduler_.sleep();
  if (scheduler_.recording()) {
    scheduler_.record(result == 0           ? "is awake"
                      : result == ETIMEDOUT ? "wait: ETIMEDOUT"
                                            : "wait: EINTR",
                      address, code, Tone::kSleep);
  }
  return result;
}

int FutexModel::wake(const void* address, int count, std::uint32_t bitset, const void* code) {
  std::uint32_t value = 0;
  const int word = memory_.kernel_read(address, value, code);
  std::string names;
  // The kernel counts after it has woken one: a count of 0 or less is 1 to it. INT_MAX is "all".
  const int woken = wake(word, std::max(count, 1), bitset, scheduler_.self(), names);
  if (scheduler_.recording()) {
    std::string text = "wake({})";
    if (count < 0) {
      text = "wake({}, " + std::to_string(count) + ")";
    }
    scheduler_.record(text + (names.empty() ? ": nobody sleeps" : ": wakes" + names), address,
                      code);
  }
  scheduler_.remember(static_cast<std::uint64_t>(woken));
  return woken;
}

int FutexModel::wake(int word, int count, std::uint32_t bitset, Process& as, std::string& names) {
  std::array<Process*, kMaxProcesses> sleepers{};  // who came first is first
  int found = 0;
  for (int i = 0; i < scheduler_.count(); ++i) {
    Process& one = scheduler_.process(i);
    if (one.state != State::kAsleep || one.sleep.word != word || (one.sleep.bitset & bitset) == 0) {
      continue;
    }
    int at = found++;
    for (; at > 0 && sleepers[static_cast<std::size_t>(at - 1)]->sleep.ticket > one.sleep.ticket;
         --at) {
      sleepers[static_cast<std::size_t>(at)] = sleepers[static_cast<std::size_t>(at - 1)];
    }
    sleepers[static_cast<std::size_t>(at)] = &one;
  }
  as.history = mix(as.history, queue(word).identity);
  queue(word).identity = mix(queue(word).identity, as.history);
  if (found == 0) {
    queue(word).empty_wake = scheduler_.steps();
  }
  int woken = 0;
  for (; woken < count && found > 0; ++woken) {
    const int chosen = found > count - woken ? scheduler_.choose(found) : 0;
    Process* const sleeper = sleepers[static_cast<std::size_t>(chosen)];
    std::move(sleepers.begin() + chosen + 1, sleepers.begin() + found, sleepers.begin() + chosen);
    --found;
    names += " " + sleeper->name;
    sleeper->history = mix(sleeper->history, as.history);
    queue(word).identity = mix(queue(word).identity, sleeper->history);
    scheduler_.wake(*sleeper, 0);
  }
  return woken;
}

int FutexModel::sleep_until(std::int64_t deadline, const void* code) {
  scheduler_.record("sleeps for a time", nullptr, code, Tone::kSleep);
  Process& self = scheduler_.self();
  self.sleep = {};
  self.sleep.deadline = deadline;
  self.sleep.code = code;
  scheduler_.remember(static_cast<std::uint64_t>(deadline));
  const int idle = self.idle;
  const int result = scheduler_.sleep();
  self.idle = idle;  // to look again and again, with naps between, is still to look again and again
  return result == EINTR ? EINTR : 0;
}

bool FutexModel::hand_on(const void* entry, long offset, bool pending, Process& process) {
  const auto* const address = static_cast<const std::byte*>(entry) + offset;
  if (!memory_.is_shared(address) || reinterpret_cast<std::uintptr_t>(address) % 4 != 0) {
    return false;
  }
  const int word = memory_.word(address, 4, nullptr);
  const auto value = static_cast<std::uint32_t>(memory_.newest(word));
  const auto owner = static_cast<int>(value & FUTEX_TID_MASK);
  std::string names;
  if (pending && owner == 0) {
    // It died on the way out, between the word and the wake-up, or on the way in, woken but not
    // yet the owner. Either way somebody may wait for a wake-up that only it could have passed on.
    wake(word, 1, FUTEX_BITSET_MATCH_ANY, process, names);
    scheduler_.record_for(
        process, "the kernel: {} is in no hands, wakes" + (names.empty() ? " nobody" : names),
        address, nullptr, Tone::kFault);
    return true;
  }
  if (owner != pid_of(process.index)) {
    return true;
  }
  const std::uint32_t left = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
  memory_.kernel_write(const_cast<std::byte*>(address), left, process);
  if ((value & FUTEX_WAITERS) != 0) {
    wake(word, 1, FUTEX_BITSET_MATCH_ANY, process, names);
  }
  scheduler_.record_for(process,
                        "the kernel: {} " + number(value) + " -> " + number(left) +
                            (names.empty() ? "" : ", wakes" + names),
                        address, nullptr, Tone::kFault);
  return true;
}

void FutexModel::process_ended(Process& process) {
  if (process.robust_list == nullptr) {
    return;
  }
  const auto& head = *static_cast<const robust_list_head*>(process.robust_list);
  // The lowest bit of a pointer marks a lock with priority inheritance, which is not modelled.
  const auto without_mark = [](const robust_list* entry) {
    return reinterpret_cast<const robust_list*>(reinterpret_cast<std::uintptr_t>(entry) & ~1UL);
  };
  const robust_list* const pending = without_mark(head.list_op_pending);
  const robust_list* entry = without_mark(head.list.next);
  for (int i = 0; entry != &head.list && i < ROBUST_LIST_LIMIT; ++i) {
    if (!memory_.is_shared(entry)) {
      break;  // the kernel gives up where it cannot read, and so do we
    }
    const robust_list* const next = without_mark(entry->next);
    if (entry != pending && !hand_on(entry, head.futex_offset, false, process)) {
      break;
    }
    entry = next;
  }
  if (pending != nullptr) {
    hand_on(pending, head.futex_offset, true, process);
  }
}

void FutexModel::left(Process& process) {
  if (process.sleep.word >= 0) {
    Queue& from = queue(process.sleep.word);
    process.history = mix(process.history, from.identity);
    from.identity = mix(from.identity, process.history);
  }
}

bool FutexModel::missed(const Process& process) const {
  return process.sleep.word >= 0 && (process.sleep.wake_missed ||
                                     memory_.newest(process.sleep.word) != process.sleep.expected);
}

std::string FutexModel::on_what(const Process& process) const {
  const Sleep& sleep = process.sleep;
  if (sleep.word < 0) {
    return "";
  }
  const std::string on = " on " + name_token(memory_.place(sleep.word));
  const std::uint64_t value = memory_.newest(sleep.word);
  if (value != sleep.expected) {
    return on + ", which changed from " + number(sleep.expected) + " to " + number(value) +
           " with nobody waking it";
  }
  if (sleep.wake_missed) {
    return on + " (still " + number(value) +
           "): the wake-up came just before it slept, and found "
           "nobody";
  }
  return on + " (still " + number(value) + ")";
}

std::uint64_t FutexModel::fingerprint() const {
  std::uint64_t all = 0;
  for (int word = 0; word < memory_.count(); ++word) {
    const std::uint64_t identity = queues_[static_cast<std::size_t>(word)].identity;
    if (identity != 0) {
      all += mix(memory_.place(word), identity);
    }
  }
  return all;
}

}  // namespace explorer
