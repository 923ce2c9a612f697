#pragma once

#include <chrono>
#include <climits>
#include <cstdint>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"
#include "04-lock/rlock.hpp"

namespace mp {

/// A place to wait until something that a lock guards has changed. Python:
/// `multiprocessing.Condition`.
class Condition {
 public:
  /// What the processes share.
  struct State {
    FutexWord sequence{0};  ///< changes with each notify()
    FutexWord waiters{0};   ///< how many sleep, or are about to; the dead are counted, too
  };

  /// A new one, in shared memory of its own, for what `lock` guards. The lock must outlive it.
  /// @throws std::system_error (ENOMEM).
  explicit Condition(RLock& lock) : lock_(&lock) {}
  /// One in somebody's shared memory, which must outlive this object.
  Condition(RLock& lock, State& state) noexcept : lock_(&lock), state_(state) {}

  /// Gives the lock back, sleeps until notify(), and takes the lock again. Python: `wait()`.
  /// @param deadline  when to give up; then the lock is taken all the same.
  /// @return false if the deadline came first. true is a hint: look at what you wait for (or use
  ///         wait_for()).
  /// @throws ValueError if the caller does not hold the lock; std::system_error.
  ///
  /// ### Implementation
  /// Read the sequence number *before* the lock is given back. A notify() that comes in between has
  /// changed it, and futex_wait() does not sleep.
  bool wait_until(Deadline deadline);

  /// Waits for ever. Python: `wait()`.
  void wait() { wait_until(Deadline::never()); }
  /// Python: `wait(timeout)`. @param timeout  zero or less does not wait.
  template <class Rep, class Period>
  bool wait(std::chrono::duration<Rep, Period> timeout) {
    return wait_until(Deadline::after(timeout));
  }

  /// Waits until `predicate()` holds. Python: `wait_for()`.
  /// @param predicate  called with the lock held.
  /// @param deadline   when to give up.
  /// @return what the predicate returned last.
  template <class Predicate>
  bool wait_for(Predicate predicate, Deadline deadline = Deadline::never()) {
    while (!predicate()) {
      if (!wait_until(deadline)) {
        return predicate();
      }
    }
    return true;
  }

  /// Wakes some of those who wait. Python: `notify(n)`.
  /// @param count  how many of those who sleep, at most; zero or less is nobody. More than wait are
  ///               not kept for later. Who has given the lock back and does not sleep yet returns
  ///               as well: it is one more hint.
  /// @throws ValueError if the caller does not hold the lock; std::system_error.
  ///
  /// ### Implementation
  /// Never wait for those who are woken: one of them may be dead. No system call if nobody waits.
  void notify(int count = 1);
  /// Wakes all of them. Python: `notify_all()`. @throws as notify().
  void notify_all() { notify(INT_MAX); }

 private:
  RLock* lock_;
  InSharedMemory<State> state_;
};

}  // namespace mp
