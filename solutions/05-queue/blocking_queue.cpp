#include "05-queue/blocking_queue.hpp"

#include <climits>
#include <new>

#include "05-queue/limits.hpp"
#include "05-queue/sizes.hpp"

namespace mp {

namespace {

using Waiters = BlockingQueue::Waiters;

/// @return with the lock; or without, if it did not come free in time, nor in a time of grace.
std::unique_lock<Lock> locked(Lock& lock, Deadline deadline) {
  std::unique_lock guard(lock, std::defer_lock);
  if (lock.acquire_until(at_least(deadline, BlockingQueue::kGrace))) {
    guard = std::unique_lock(lock, std::adopt_lock);
  }
  return guard;
}

/// Gives the lock back, and sleeps until somebody calls.
/// @return false if the deadline came first.
bool sleep(Waiters& waiters, std::unique_lock<Lock>& guard, Deadline deadline) {
  struct Counted {
    explicit Counted(FutexWord& word) : word_(word) { word_.fetch_add(1); }
    ~Counted() { word_.fetch_sub(1); }
    FutexWord& word_;
  };
  const std::uint32_t seen = waiters.sequence.load();  // with the lock, so nobody calls just now
  const Counted counted(waiters.asleep);
  guard.unlock();
  return futex_wait(waiters.sequence, seen, deadline) != Wake::kTimedOut;
}

/// Tells those who sleep, or are about to, that the ring has changed. With the lock.
/// @return whether there is anybody to wake up, when the lock is free.
bool call(Waiters& waiters) {
  const bool any = waiters.asleep.load() > 0;
  if (any) {
    waiters.sequence.fetch_add(1);
  }
  return any;
}

/// For somebody who was called, and does not go on: another one may.
void pass_on(Waiters* called) {
  if (called != nullptr && call(*called)) {
    futex_wake(called->sequence, 1);
  }
}

}  // namespace

BlockingQueue::BlockingQueue(std::ptrdiff_t maxsize, std::size_t bytes)
    : region_(SharedRegion::anonymous(sizeof(State) + whole_units(bytes))),
      state_(new (region_.data()) State),
      ring_(state_->ring, {region_.data() + sizeof(State), whole_units(bytes)}, bound_of(maxsize)),
      lock_(state_->lock) {}

BlockingQueue::BlockingQueue(State& state, std::span<std::byte> memory, std::ptrdiff_t maxsize)
    : region_(SharedRegion::anonymous(0)),
      state_(&state),
      ring_(state.ring, memory, bound_of(maxsize)),
      lock_(state.lock) {}

bool BlockingQueue::put_until(std::span<const std::byte> item, Deadline deadline) {
  ring_.check_fits(item.size());
  Waiters* called = nullptr;
  for (;;) {
    std::unique_lock<Lock> guard = locked(lock_, deadline);
    if (!guard) {
      pass_on(called);
      return false;
    }
    if (ring_.try_push(item)) {
      const bool somebody = call(state_->getters);
      guard.unlock();
      if (somebody) {
        futex_wake(state_->getters.sequence, 1);
      }
      return true;
    }
    const bool has_place = ring_.size() < ring_.most();
    Waiters& mine = has_place ? state_->big_putters : state_->putters;
    if (called != &mine) {
      pass_on(called);  // for a smaller item, the place may do
    }
    if (has_passed(deadline)) {
      return false;
    }
    called = sleep(mine, guard, deadline) ? &mine : nullptr;
  }
}

std::optional<Bytes> BlockingQueue::get_until(Deadline deadline) {
  Waiters* called = nullptr;
  for (;;) {
    std::unique_lock<Lock> guard = locked(lock_, deadline);
    if (!guard) {
      pass_on(called);
      return std::nullopt;
    }
    std::optional<Bytes> item;
    try {
      item = ring_.try_pop();
    } catch (...) {  // no memory for it here: it stays, and another one may have some
      pass_on(called);
      throw;
    }
    if (item) {
      const bool somebody = call(state_->putters);
      const bool some_big = call(state_->big_putters);
      guard.unlock();
      if (somebody) {
        futex_wake(state_->putters.sequence, 1);  // there is one place more
      }
      if (some_big) {
        futex_wake(state_->big_putters.sequence, INT_MAX);  // whose item fits, they know themselves
      }
      return item;
    }
    if (has_passed(deadline)) {
      return std::nullopt;
    }
    called = sleep(state_->getters, guard, deadline) ? &state_->getters : nullptr;
  }
}

}  // namespace mp
