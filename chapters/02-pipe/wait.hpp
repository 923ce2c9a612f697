#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <vector>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/connection.hpp"

namespace mp {

/// Something that wait() can wait for: a connection, or the descriptor of anything else that
/// becomes readable, such as Process::sentinel().
class Waitable {
 public:
  /// @throws ValueError if the connection is closed.
  Waitable(const Connection& connection) : fd_(connection.fileno()) {}
  /// @param fd  an open descriptor.
  Waitable(int fd) : fd_(fd) {}

  /// The descriptor, which stays whose it is.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// Whether both are the same connection, or the same descriptor.
  bool operator==(const Waitable&) const = default;

 private:
  int fd_;
};

/// Waits until at least one of them is ready. Python: `multiprocessing.connection.wait()`.
///
/// Ready is a connection from which recv would not block at once: a message, the beginning of one,
/// or the end of file; and a sentinel whose process has ended.
/// @param waitables  what to wait for.
/// @param deadline   when to give up. One that has passed looks once, and does not wait.
/// @return those that are ready, in the order in which they were given; none if the deadline came
///         first.
/// @throws ValueError if there is nothing to wait for and no end to it; std::system_error:
///         EBADF if a descriptor is not open, or negative.
/// @see poll(2).
///
/// ### Implementation
/// For poll(2), a descriptor that is not open is no error of the call: `revents` has POLLNVAL, and
/// the call returns at once. A negative one is passed over. End of file is POLLHUP, and may come
/// without POLLIN.
std::vector<Waitable> wait_until(const std::vector<Waitable>& waitables, Deadline deadline);

/// As wait_until().
/// @param waitables  what to wait for. @param timeout  zero or less does not wait.
///
///     for (const mp::Waitable& ready : mp::wait({conn1, conn2, process.sentinel()}, 1s)) {
///       if (ready == conn1) …
template <class Rep, class Period>
std::vector<Waitable> wait(const std::vector<Waitable>& waitables,
                           std::chrono::duration<Rep, Period> timeout) {
  return wait_until(waitables, Deadline::after(timeout));
}

/// As wait_until(), for ever. Python: `wait(object_list, timeout=None)`.
inline std::vector<Waitable> wait(const std::vector<Waitable>& waitables,
                                  std::nullopt_t = std::nullopt) {
  return wait_until(waitables, Deadline::never());
}

}  // namespace mp
