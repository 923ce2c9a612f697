#include "05-queue/fast_ring.hpp"

#include <cstring>
#include <string>

#include "00-syscalls/errors.hpp"

namespace mp {

namespace {

using Position = Ring::Position;

void check_size(std::size_t size, std::size_t item_size) {
  if (size != item_size) {
    throw ValueError("an item of " + std::to_string(size) + " bytes, where all have " +
                     std::to_string(item_size));
  }
}

Position next(Position at, std::uint32_t capacity) noexcept {
  return {at.records + 1, at.unit + 1 < capacity ? at.unit + 1 : 0};
}

/// After a change that the other side may wait for.
void wake(FutexWord& asleep) {
  if (asleep.load() != 0 && asleep.exchange(0) != 0) {
    futex_wake(asleep, 1);
  }
}

/// Waits until `ready`: a while awake, and then asleep. @return false if the deadline came first.
template <class Ready>
bool wait(FutexWord& asleep, int spins, Deadline deadline, Ready ready) {
  for (int i = 0; i < spins; ++i) {
    if (deadline.remaining().count() == 0) {
      break;  // the time passes here, too
    }
    cpu_relax();
    if (ready(std::memory_order_acquire)) {
      return true;
    }
  }
  for (;;) {
    asleep.store(1);  // first say so, then look
    if (ready(std::memory_order_seq_cst)) {
      asleep.store(0, std::memory_order_relaxed);
      return true;
    }
    if (futex_wait(asleep, 1, deadline) == Wake::kTimedOut) {
      asleep.store(0, std::memory_order_relaxed);
      return ready(std::memory_order_seq_cst);  // what came in the last moment is there
    }
  }
}

}  // namespace

FastRing::FastRing(State& state, std::span<std::byte> memory, std::size_t item_size, int spins)
    : state_(&state),
      memory_(memory.data()),
      item_size_(item_size),
      capacity_(0),
      spins_(spins),
      // Not 0: when the numbers have just begun again, that would be ahead.
      seen_head_(state.head.load().records),
      seen_tail_(state.tail.load().records) {
  const std::size_t fit = item_size == 0 ? 0 : memory.size() / item_size;
  if (fit == 0 || fit > Ring::kMost) {
    throw ValueError("a ring of " + std::to_string(memory.size()) + " bytes for items of " +
                     std::to_string(item_size));
  }
  capacity_ = static_cast<std::uint32_t>(fit);
}

bool FastRing::put_until(std::span<const std::byte> item, Deadline deadline) {
  check_size(item.size(), item_size_);
  const Position tail = state_->tail.load(std::memory_order_relaxed);  // nobody else moves it
  const auto has_room = [&](std::memory_order order) {
    seen_head_ = state_->head.load(order).records;
    return tail.records - seen_head_ < capacity_;
  };
  // What was seen before may be far behind (or another process's), but never ahead.
  if (tail.records - seen_head_ >= capacity_ && !has_room(std::memory_order_acquire) &&
      !wait(state_->putter_asleep, spins_, deadline, has_room)) {
    return false;
  }
  std::memcpy(memory_ + tail.unit * item_size_, item.data(), item_size_);
  state_->tail.store(next(tail, capacity_));
  wake(state_->getter_asleep);
  return true;
}

bool FastRing::get_until(std::span<std::byte> item, Deadline deadline) {
  check_size(item.size(), item_size_);
  const Position head = state_->head.load(std::memory_order_relaxed);
  const auto has_item = [&](std::memory_order order) {
    seen_tail_ = state_->tail.load(order).records;
    return seen_tail_ != head.records;
  };
  const bool known = seen_tail_ - head.records - 1 < capacity_;
  if (!known && !has_item(std::memory_order_acquire) &&
      !wait(state_->getter_asleep, spins_, deadline, has_item)) {
    return false;
  }
  std::memcpy(item.data(), memory_ + head.unit * item_size_, item_size_);
  state_->head.store(next(head, capacity_));
  wake(state_->putter_asleep);
  return true;
}

std::uint32_t FastRing::size() const noexcept {
  // Two words cannot be read at once; but if the head is the same before and after, then both were
  // so when the tail was read.
  std::uint32_t head = state_->head.load().records;
  for (;;) {
    const std::uint32_t tail = state_->tail.load().records;
    const std::uint32_t again = state_->head.load().records;
    if (again == head) {
      return tail - head;
    }
    head = again;
  }
}

}  // namespace mp
