#include "05-queue/ring.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "00-syscalls/errors.hpp"

namespace mp {

namespace {

/// Two pieces of the ring's memory, the second one behind the first one, and mostly empty.
struct Pieces {
  std::span<std::byte> first;
  std::span<std::byte> second;
};

/// Where `size` bytes lie that begin at a unit: what does not fit before the end of the memory goes
/// on at its beginning.
Pieces pieces(std::span<std::byte> memory, std::uint32_t unit, std::size_t size) noexcept {
  const std::size_t at = std::size_t{unit} * Ring::kUnit;
  const std::size_t start = at < memory.size() ? at : at - memory.size();
  const std::size_t first = std::min(size, memory.size() - start);
  return {memory.subspan(start, first), memory.first(size - first)};
}

/// The position behind a record.
Ring::Position behind(std::span<std::byte> memory, Ring::Position at, std::size_t size) noexcept {
  const std::size_t unit = at.unit + Ring::bytes_for(size) / Ring::kUnit;
  const std::size_t units = memory.size() / Ring::kUnit;
  return {at.records + 1, static_cast<std::uint32_t>(unit < units ? unit : unit - units)};
}

/// How many bytes are free.
std::size_t room(std::span<std::byte> memory, Ring::Position head, Ring::Position tail) noexcept {
  if (head.records == tail.records) {
    return memory.size();
  }
  const std::size_t units = tail.unit > head.unit
                                ? tail.unit - head.unit
                                : memory.size() / Ring::kUnit - head.unit + tail.unit;
  return memory.size() - units * Ring::kUnit;
}

/// Whether a record has room in the empty ring.
bool fits(std::span<std::byte> memory, std::size_t size) noexcept {
  return size <= memory.size() && Ring::bytes_for(size) <= memory.size();  // the sum may overflow
}

/// The head and the tail at one moment. Two words cannot be read at once; but if the head is the
/// same before and after, then both were so when the tail was read.
std::pair<Ring::Position, Ring::Position> both_ends(const Ring::State& state) noexcept {
  Ring::Position head = state.head.load();
  for (;;) {
    const Ring::Position tail = state.tail.load();
    const Ring::Position again = state.head.load();
    if (again.records == head.records) {
      return {head, tail};
    }
    head = again;
  }
}

}  // namespace

Ring::Ring(State& state, std::span<std::byte> memory, std::uint32_t most)
    : state_(&state), memory_(memory), most_(most) {
  if (memory.empty() || memory.size() % kUnit != 0 ||
      reinterpret_cast<std::uintptr_t>(memory.data()) % kUnit != 0 ||
      memory.size() / kUnit > std::numeric_limits<std::uint32_t>::max()) {
    throw ValueError("a ring of " + std::to_string(memory.size()) +
                     " bytes: it takes whole units of " + std::to_string(kUnit) +
                     " bytes, aligned, and less than 32 GiB");
  }
  if (most == 0 || most > kMost) {
    throw ValueError("a ring of at most " + std::to_string(most) + " records");
  }
}

void Ring::check_fits(std::size_t size) const {
  if (!fits(memory_, size)) {
    throw ValueError("a record of " + std::to_string(size) + " bytes never fits into a ring of " +
                     std::to_string(memory_.size()));
  }
}

bool Ring::try_push(std::span<const std::byte> record) {
  const std::uint64_t size = record.size();
  check_fits(size);
  const Position tail = state_->tail.load(std::memory_order_relaxed);  // nobody else moves it
  const auto has_room = [&](Position head) {
    return tail.records - head.records < most_ && room(memory_, head, tail) >= bytes_for(size);
  };
  if (!has_room(state_->seen_head.load(std::memory_order_relaxed))) {
    // acquire: what the reader has given back, he has read
    const Position head = state_->head.load(std::memory_order_acquire);
    state_->seen_head.store(head, std::memory_order_relaxed);
    if (!has_room(head)) {
      return false;
    }
  }
  std::memcpy(pieces(memory_, tail.unit, kUnit).first.data(), &size, sizeof size);
  const Pieces bytes = pieces(memory_, tail.unit + 1, size);
  std::copy_n(record.data(), bytes.first.size(), bytes.first.begin());
  std::copy_n(record.data() + bytes.first.size(), bytes.second.size(), bytes.second.begin());
  // The number and the place in one store: nobody sees one without the other. seq_cst, and not only
  // release, for those who then look whether somebody sleeps.
  state_->tail.store(behind(memory_, tail, size));
  return true;
}

std::optional<Bytes> Ring::try_pop() {
  const Position head = state_->head.load(std::memory_order_relaxed);
  if (head.records == state_->seen_tail.load(std::memory_order_relaxed).records) {
    // acquire: what the writer has published, he has written
    const Position tail = state_->tail.load(std::memory_order_acquire);
    state_->seen_tail.store(tail, std::memory_order_relaxed);
    if (head.records == tail.records) {
      return std::nullopt;
    }
  }
  std::uint64_t size = 0;
  std::memcpy(&size, pieces(memory_, head.unit, kUnit).first.data(), sizeof size);
  Bytes record(size);
  const Pieces bytes = pieces(memory_, head.unit + 1, size);
  std::copy(bytes.first.begin(), bytes.first.end(), record.begin());
  std::copy(bytes.second.begin(), bytes.second.end(), record.begin() + bytes.first.size());
  state_->head.store(behind(memory_, head, size));
  return record;
}

std::uint32_t Ring::size() const noexcept {
  const auto [head, tail] = both_ends(*state_);
  return tail.records - head.records;
}

bool Ring::has_room(std::size_t size) const noexcept {
  const auto [head, tail] = both_ends(*state_);
  return fits(memory_, size) && tail.records - head.records < most_ &&
         room(memory_, head, tail) >= bytes_for(size);
}

std::uint32_t Ring::pushed() const noexcept {
  return state_->tail.load().records;
}

}  // namespace mp
