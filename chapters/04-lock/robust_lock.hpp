#pragma once

#include <linux/futex.h>

#include <chrono>
#include <cstdint>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"

namespace mp {

/// What became of an attempt to take a RobustLock.
enum class Acquired {
  kNo,         ///< the deadline came first
  kYes,        ///< it is taken
  kOwnerDied,  ///< it is taken, from an owner who died with it: look at what the lock protects
};

/// A lock that outlives its owner: if a process is killed while it holds the lock, the next one
/// gets it, and is told. Python has none: there, the lock stays taken for ever.
///
/// The kernel does the handing on. Each thread tells it once, with set_robust_list(2), where its
/// list of taken locks begins; when the thread ends in whatever way, the kernel goes through the
/// list. A thread has one list: with this class in use, pthread's own robust mutexes are not handed
/// on any more in that thread.
class RobustLock {
 public:
  /// What the processes share. All zeros is a lock that nobody holds.
  struct State {
    robust_list entry{};  ///< of the owner's list: an address, good in the owner's process only
    FutexWord word{0};    ///< thread_id() of the owner, FUTEX_WAITERS, FUTEX_OWNER_DIED
  };

  /// A new lock, in shared memory of its own. @throws std::system_error (ENOMEM).
  RobustLock() = default;
  /// A lock in somebody's shared memory, which must outlive this object, and stay where it is for
  /// as long as this process holds the lock.
  explicit RobustLock(State& state) noexcept : state_(state) {}

  /// Takes the lock, and sleeps until it is free or its owner is dead.
  /// @param deadline  when to give up.
  /// @return what has become of it.
  /// @throws std::logic_error if the caller holds it already and there is no deadline;
  ///         std::system_error.
  ///
  /// ### Implementation
  /// The word belongs to the kernel as well: the owner's number in the lower 30 bits, FUTEX_WAITERS
  /// if somebody sleeps, FUTEX_OWNER_DIED if the kernel has found the owner dead; then the owner's
  /// number is 0. Who takes it over keeps the mark of the waiters.
  ///
  /// Being killed between the word and the list must not lose the lock. So `list_op_pending` of the
  /// list's head names the lock before the word changes, and is cleared after the list has
  /// changed; while asleep as well, for a waiter that has been woken and is killed before it takes
  /// the lock owes the wake-up to the next one, and the kernel passes it on.
  ///
  /// The kernel reads these fields when the thread has stopped, so other processors do not matter;
  /// but the compiler may move plain stores across each other, unless std::atomic_signal_fence()
  /// forbids it. fork gives the child no list: it has to tell the kernel its own.
  [[nodiscard]] Acquired acquire_until(Deadline deadline);

  /// Waits for ever.
  [[nodiscard]] Acquired acquire() { return acquire_until(Deadline::never()); }
  /// @param timeout  zero or less tries once.
  template <class Rep, class Period>
  [[nodiscard]] Acquired acquire(std::chrono::duration<Rep, Period> timeout) {
    return acquire_until(Deadline::after(timeout));
  }
  /// Tries once.
  [[nodiscard]] Acquired try_acquire() { return acquire(std::chrono::seconds(0)); }

  /// Gives the lock back, and wakes one of those who sleep. What the lock protects is taken to be
  /// in order: whoever got kOwnerDied has mended it.
  /// @throws ValueError if the caller does not hold it; nothing changes then. std::system_error if
  ///         nobody could be woken; the lock is free then.
  ///
  /// ### Implementation
  /// Free the word, then wake: killed in between, the waiters sleep on, unless the kernel knows of
  /// it. It wakes one if `list_op_pending` names a lock whose word has no owner. But if a third
  /// process has taken the lock in between, it has one: so leave FUTEX_WAITERS in the word, and the
  /// third process will wake them. That nobody was woken does not mean that nobody sleeps by now,
  /// so the mark can stay for good, at the price of a system call for each release. (The reference
  /// takes it out while it still holds the lock; a good second step.)
  void release();

  /// For a block: takes the lock, and gives it back at the end, also by an exception.
  class Guard {
   public:
    /// @throws as acquire_until().
    explicit Guard(RobustLock& lock)
        : lock_(lock), owner_died_(lock.acquire() == Acquired::kOwnerDied) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { lock_.release(); }
    /// Whether the owner before has died with it.
    [[nodiscard]] bool owner_died() const noexcept { return owner_died_; }

   private:
    RobustLock& lock_;
    bool owner_died_;
  };

 private:
  InSharedMemory<State> state_;
};

}  // namespace mp
