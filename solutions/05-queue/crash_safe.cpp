#include "05-queue/crash_safe.hpp"

#include <climits>

#include "02-pipe/errors.hpp"
#include "05-queue/limits.hpp"

namespace mp {

namespace {

using Waiters = CrashSafeQueue::Waiters;

/// A lock that is held until the end of the block, if it could be had.
struct Held {
  Held(RobustLock& wanted, Deadline deadline)
      : lock(wanted), how(lock.acquire_until(at_least(deadline, CrashSafeQueue::kGrace))) {}
  ~Held() {
    if (how != Acquired::kNo) {
      lock.release();
    }
  }
  Held(const Held&) = delete;
  RobustLock& lock;
  const Acquired how;
};

void wake_whoever_sleeps(Waiters& waiters, int count) {
  waiters.sequence.fetch_add(1);
  if (futex_wake(waiters.sequence, count) == count) {
    waiters.asleep.store(1);  // there may be more
  }
}

/// With the lock of one's own side, after a change of the ring.
void wake(Waiters& waiters, int count) {
  if (waiters.asleep.load() != 0) {
    waiters.asleep.store(0);
    wake_whoever_sleeps(waiters, count);
  }
}

/// Waits until something has changed: a while awake, and then asleep.
/// @return false if the deadline came first.
template <class MayGoOn>
bool wait(Waiters& waiters, int spins, Deadline deadline, MayGoOn may_go_on) {
  if (has_passed(deadline)) {
    return false;  // without a second look: the one with the lock was enough
  }
  for (int i = 0; i < spins; ++i) {
    cpu_relax();
    if (may_go_on()) {
      return true;
    }
  }
  for (;;) {
    const std::uint32_t seen = waiters.sequence.load();
    waiters.asleep.store(1);
    if (may_go_on()) {
      return true;
    }
    if (has_passed(deadline)) {
      return false;
    }
    futex_wait(waiters.sequence, seen, at_most(deadline, CrashSafeQueue::kNap));
  }
}

}  // namespace

Producers::Place CrashSafeQueue::register_producer() {
  return Producers::take_place(state_->producers);
}

bool CrashSafeQueue::put_until(std::span<const std::byte> item, Deadline deadline) {
  ring_.check_fits(item.size());
  Waiters* slept_among = nullptr;
  for (;;) {
    {
      const Held held(putting_, deadline);
      if (held.how == Acquired::kNo) {
        return false;
      }
      if (held.how == Acquired::kOwnerDied) {
        wake_whoever_sleeps(state_->getters, INT_MAX);
      }
      if (ring_.try_push(item)) {
        wake(state_->getters, 1);
        return true;
      }
    }
    const bool big = ring_.size() < ring_.most();
    if (big && slept_among == &state_->putters) {
      wake_whoever_sleeps(state_->putters, 1);  // for a smaller item, the place may do
    }
    slept_among = big ? &state_->big_putters : &state_->putters;
    if (!wait(*slept_among, spins_, deadline,
              [&] { return big ? ring_.has_room(item.size()) : ring_.size() < ring_.most(); })) {
      return false;
    }
  }
}

std::optional<Bytes> CrashSafeQueue::try_get(Deadline deadline) {
  const Held held(getting_, deadline);
  if (held.how == Acquired::kOwnerDied) {
    wake_whoever_sleeps(state_->putters, INT_MAX);
    wake_whoever_sleeps(state_->big_putters, INT_MAX);
  }
  std::optional<Bytes> item = held.how != Acquired::kNo ? ring_.try_pop() : std::nullopt;
  if (item) {
    wake(state_->putters, 1);
    wake(state_->big_putters, INT_MAX);
  }
  return item;
}

std::optional<Bytes> CrashSafeQueue::get_until(Deadline deadline) {
  for (;;) {
    if (std::optional<Bytes> item = try_get(deadline)) {
      return item;
    }
    if (!wait(state_->getters, spins_, deadline, [&] { return ring_.size() > 0; })) {
      return std::nullopt;
    }
  }
}

std::optional<Bytes> CrashSafeQueue::get_or_eof_until(Deadline deadline) {
  for (;;) {
    const bool alone = Producers::are_gone(state_->producers);  // first this, then the ring
    if (std::optional<Bytes> item = try_get(deadline)) {
      return item;
    }
    if (alone && ring_.size() == 0) {
      throw EOFError("no producer is left");
    }
    if (!wait(state_->getters, spins_, deadline,
              [&] { return ring_.size() > 0 || Producers::are_gone(state_->producers); })) {
      return std::nullopt;
    }
  }
}

}  // namespace mp
