#pragma once

#include <chrono>
#include <cstdint>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"

namespace mp {

/// A number that processes count down, and that never goes below 0: whoever would make it so sleeps
/// until somebody has counted it up. Anybody may do that. Python: `multiprocessing.Semaphore`,
/// `BoundedSemaphore`.
class Semaphore {
 public:
  /// The largest value.
  static constexpr std::uint32_t kMost = 0x7fffffff;

  /// What the processes share.
  struct State {
    FutexWord value{0};           ///< what is left
    FutexWord waiters{0};         ///< how many sleep, or are about to
    std::uint32_t bound = kMost;  ///< release() never goes beyond it
  };

  /// A new one, in shared memory of its own, without a bound. Python: `Semaphore(value)`.
  /// @throws ValueError for more than kMost; std::system_error (ENOMEM).
  explicit Semaphore(std::uint32_t value = 1) : Semaphore(value, kMost) {}
  /// One in somebody's shared memory, which must outlive this object.
  explicit Semaphore(State& state) noexcept : state_(state) {}
  /// A new one that cannot be counted up beyond where it began. Python: `BoundedSemaphore(value)`.
  static Semaphore bounded(std::uint32_t value = 1) { return Semaphore(value, value); }

  /// Counts down by one, and sleeps while that is not possible. Python: `acquire()`.
  /// @param deadline  when to give up. @return whether it was counted down.
  /// @throws std::system_error.
  ///
  /// ### Implementation
  /// Compare-exchange from n to n - 1 while n is not 0. To sleep: say so in `waiters` *first*, then
  /// look at the value once more; the kernel does the look in futex_wait().
  bool acquire_until(Deadline deadline);

  /// Waits for ever. Python: `acquire()`.
  void acquire() { acquire_until(Deadline::never()); }
  /// Python: `acquire(timeout=...)`. @param timeout  zero or less tries once.
  template <class Rep, class Period>
  bool acquire(std::chrono::duration<Rep, Period> timeout) {
    return acquire_until(Deadline::after(timeout));
  }
  /// Tries once. Python: `acquire(block=False)`. @return whether it was counted down.
  bool try_acquire() { return acquire_until(Deadline::after(std::chrono::seconds(0))); }

  /// Counts up by one, and wakes one of those who sleep. Python: `release()`.
  /// @throws ValueError if the value is at its bound; it stays there then.
  ///
  /// ### Implementation
  /// Look at the bound and count up in one step, or two processes find room where there is room for
  /// one. (CPython looks first and counts then.) No system call if nobody waits.
  void release();

  /// The value at this moment. Python: `get_value()`.
  [[nodiscard]] std::uint32_t get_value() const noexcept;

 private:
  Semaphore(std::uint32_t value, std::uint32_t bound);

  InSharedMemory<State> state_;
};

}  // namespace mp
