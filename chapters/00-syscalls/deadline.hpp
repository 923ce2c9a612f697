#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <span>

namespace mp {

/// The time since some fixed moment in the past, on the clock that nobody can set.
/// @return CLOCK_MONOTONIC, in nanoseconds.
/// @throws std::system_error if the clock cannot be read.
/// @see clock_gettime(2). Python: `time.monotonic_ns()`.
std::chrono::nanoseconds monotonic_now();

/// A moment by which something must be done. A time-out says how long *one* wait may last; a
/// deadline holds for all the calls that one operation takes, however often a signal interrupts.
///
/// A value: copy it freely, hand it down.
class Deadline {
 public:
  /// A deadline that never comes. Python: `timeout=None`.
  static Deadline never() noexcept { return kNever; }

  /// The moment `timeout` from now.
  /// @param timeout  zero or less is a deadline already passed: "do not wait".
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    // Hours::max() does not fit into nanoseconds; 292 years will do instead.
    using Seconds = std::chrono::duration<double>;
    constexpr auto kLongest = std::chrono::nanoseconds::max();
    if (Seconds(timeout) >= Seconds(kLongest)) {
      return in(kLongest);
    }
    if (timeout <= timeout.zero()) {
      return in(std::chrono::nanoseconds::zero());
    }
    return in(std::chrono::ceil<std::chrono::nanoseconds>(timeout));
  }

  /// How much time is left.
  /// @return zero once the deadline has passed (never a negative time);
  ///         `nanoseconds::max()` for a deadline that never comes.
  /// @throws std::system_error if the clock cannot be read.
  [[nodiscard]] std::chrono::nanoseconds remaining() const;

  /// The moment itself, on the monotonic clock: for system calls that ask for one, such as
  /// futex(2).
  /// @return none for a deadline that never comes.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> moment() const noexcept { return at_; }

  /// Whether this deadline never comes: the caller may wait for ever.
  [[nodiscard]] bool is_never() const noexcept { return !at_.has_value(); }

 private:
  constexpr explicit Deadline(std::optional<std::chrono::nanoseconds> at) noexcept : at_(at) {}
  /// Ready-made, for locks that are taken every few nanoseconds.
  static const Deadline kNever;  // NOLINT(readability-identifier-naming): constexpr, below

  /// The moment `timeout` from now, on the monotonic clock.
  /// @param timeout  zero or more; `nanoseconds::max()` must work, and mean very late.
  ///
  /// ### Implementation
  /// now + timeout may overflow. The sum of a clock and 292 years is a moment in the past if
  /// you let it.
  static Deadline in(std::chrono::nanoseconds timeout);

  std::optional<std::chrono::nanoseconds> at_;  ///< on the monotonic clock; none is never
};

inline constexpr Deadline Deadline::kNever{std::nullopt};

/// Waits until one of the descriptors is ready or the deadline has passed.
/// @param fds       as for poll(2); `revents` is filled in.
/// @param deadline  when to give up; Deadline::never() waits for ever. A deadline already passed
///                  still looks once, and does not wait.
/// @return how many descriptors are ready; 0 only when the deadline has passed.
/// @throws std::system_error for every error but EINTR, which only starts the wait again, with
///         what is *left* of the time.
/// @see poll(2), signal(7).
///
/// ### Implementation
/// `poll` counts in milliseconds: a remaining 0.4 ms must not become 0, or the last stretch is
/// spun through; and 25 days do not fit its `int`. `ppoll` takes a `timespec` and has neither
/// trouble.
int poll_until(std::span<pollfd> fds, Deadline deadline);

}  // namespace mp
