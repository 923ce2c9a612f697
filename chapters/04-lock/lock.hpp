#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"

namespace mp {

/// A lock for processes: one at a time holds it, the others sleep. Python: `multiprocessing.Lock`.
///
/// It knows its owner. release() by somebody else is an error, because it is a bug in every program
/// but one that uses the lock as a signal (Python allows it; a Semaphore is for that). A process
/// that is killed while it holds the lock keeps it for ever: see RobustLock.
///
/// The object is this process's handle for words in shared memory. fork copies the handle, and both
/// mean the same lock. Several threads may use one object.
class Lock {
 public:
  /// What the processes share. All zeros is a lock that nobody holds.
  struct State {
    FutexWord word{0};                    ///< kFree, kHeld or kContended
    std::atomic<std::uint32_t> owner{0};  ///< thread_id() of who holds it; 0 for nobody
  };
  static constexpr std::uint32_t kFree = 0;       ///< nobody holds it
  static constexpr std::uint32_t kHeld = 1;       ///< somebody holds it, nobody waits
  static constexpr std::uint32_t kContended = 2;  ///< somebody holds it, others may wait

  /// A new lock, in shared memory of its own. @throws std::system_error (ENOMEM).
  Lock() = default;
  /// A lock in somebody's shared memory, which must outlive this object.
  explicit Lock(State& state) noexcept : state_(state) {}

  /// Takes the lock, and sleeps until it is free. Python: `acquire()`.
  /// @param deadline  when to give up.
  /// @return whether it was taken.
  /// @throws std::logic_error if the caller holds it already and there is no deadline: it would
  ///         wait for itself. std::system_error.
  ///
  /// ### Implementation
  /// 0 to 1 by compare-exchange: nobody else wanted it, and no system call is made. Otherwise
  /// *exchange* 2: if that finds 0, it is taken; if not, sleep as long as the word is 2. Whoever
  /// has slept takes the lock with 2, not with 1, since others may sleep still. Two states are not
  /// enough: release() would have to call the kernel each time, or forget somebody.
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

  /// Gives the lock back, and wakes one of those who sleep. Python: `release()`.
  /// @throws ValueError if the caller does not hold it; nothing changes then. std::system_error if
  ///         nobody could be woken; the lock is free then.
  ///
  /// ### Implementation
  /// The owner goes first: once the word is 0, somebody else may be in.
  void release();

  /// Whether somebody holds it, at this moment. Python: `locked()` (3.14).
  [[nodiscard]] bool locked() const noexcept;

  void lock() { acquire(); }                 ///< For std::lock_guard.
  void unlock() { release(); }               ///< For std::lock_guard.
  bool try_lock() { return try_acquire(); }  ///< For std::unique_lock.

 private:
  InSharedMemory<State> state_;
};

}  // namespace mp
