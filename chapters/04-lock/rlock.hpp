#pragma once

#include <chrono>
#include <cstdint>

#include "00-syscalls/deadline.hpp"
#include "04-lock/in_shared_memory.hpp"
#include "04-lock/lock.hpp"

namespace mp {

/// A lock that its owner may take again, and has to give back as often. Python:
/// `multiprocessing.RLock`.
///
/// The owner is a thread of a process. A child that is forked while its parent holds the lock is
/// somebody else, and waits.
class RLock {
 public:
  /// What the processes share. All zeros is a lock that nobody holds.
  struct State {
    Lock::State lock;         ///< who holds it
    std::uint32_t depth = 0;  ///< how often the owner has taken it; only the owner may look
  };

  /// A new lock, in shared memory of its own. @throws std::system_error (ENOMEM).
  RLock() = default;
  /// A lock in somebody's shared memory, which must outlive this object.
  explicit RLock(State& state) noexcept : state_(state) {}

  /// Takes the lock, once more if the caller holds it already; else sleeps until it is free.
  /// Python: `acquire()`. @param deadline  when to give up. @return whether it was taken.
  /// @throws std::overflow_error after 2^32 - 1 times; std::system_error.
  ///
  /// ### Implementation
  /// Whether the *caller* is the owner can be seen without a lock: nobody else can make it so, or
  /// undo it. Lock does the rest.
  bool acquire_until(Deadline deadline);

  /// Waits for ever. Python: `acquire()`.
  void acquire() { acquire_until(Deadline::never()); }
  /// Python: `acquire(timeout=...)`. @param timeout  zero or less tries once.
  template <class Rep, class Period>
  bool acquire(std::chrono::duration<Rep, Period> timeout) {
    return acquire_until(Deadline::after(timeout));
  }
  /// Tries once. Python: `acquire(block=False)`. @return whether it was taken.
  bool try_acquire() { return acquire_until(Deadline::after(std::chrono::seconds(0))); }

  /// Undoes one acquire; the last one gives the lock back. Python: `release()`.
  /// @throws ValueError if the caller does not hold it; nothing changes then.
  void release();

  /// Gives the lock back, however often it was taken. For Condition::wait().
  /// @return how often it was taken. @throws as release().
  std::uint32_t release_all();
  /// Takes the lock as often as release_all() has given it back. @throws std::system_error.
  void acquire_again(std::uint32_t depth);

  /// Whether the calling thread holds it.
  [[nodiscard]] bool is_mine() const;

  void lock() { acquire(); }                 ///< For std::lock_guard.
  void unlock() { release(); }               ///< For std::lock_guard.
  bool try_lock() { return try_acquire(); }  ///< For std::unique_lock.

 private:
  InSharedMemory<State> state_;
};

}  // namespace mp
