#pragma once

#include <chrono>
#include <cstdint>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"

namespace mp {

/// A flag that processes wait for. Python: `multiprocessing.Event`.
///
/// Whoever waits when it is set gets to know it, also if it is cleared at once. set(), clear() and
/// is_set() may be called in a signal handler: there is no lock in here.
class Event {
 public:
  /// What the processes share.
  struct State {
    FutexWord word{0};  ///< bit 0: whether it is set; the others count how often it was set
  };

  /// A new one, not set, in shared memory of its own. @throws std::system_error (ENOMEM).
  Event() = default;
  /// One in somebody's shared memory, which must outlive this object.
  explicit Event(State& state) noexcept : state_(state) {}

  /// Whether it is set. Python: `is_set()`.
  [[nodiscard]] bool is_set() const noexcept;
  /// Sets it, and wakes all who wait. Setting what is set wakes nobody, and counts nothing; but it
  /// is still a promise: whoever finds the event set from now on sees what *this* caller has done
  /// before. Python: `set()`. @throws std::system_error.
  void set();
  /// Clears it. Python: `clear()`.
  void clear() noexcept;

  /// Waits until it is set, or has been set in the meantime. Python: `wait()`.
  /// @param deadline  when to give up. @return false if the deadline came first.
  /// @throws std::system_error.
  ///
  /// ### Implementation
  /// After set(); clear() the flag is what it was, and a waiter that looks at the flag alone sleeps
  /// on. The count has changed.
  bool wait_until(Deadline deadline) const;
  /// Waits for ever.
  void wait() const { wait_until(Deadline::never()); }
  /// Python: `wait(timeout)`. @param timeout  zero or less does not wait.
  template <class Rep, class Period>
  bool wait(std::chrono::duration<Rep, Period> timeout) const {
    return wait_until(Deadline::after(timeout));
  }

 private:
  InSharedMemory<State> state_;
};

}  // namespace mp
