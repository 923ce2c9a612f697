#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>

namespace mp::judge {

/// Tells processes that wait for one another, and will for ever, from those that will go on.
///
/// A look finds a standstill when every thread sleeps in a system call without a time-out, and none
/// of them waits for what may come from outside: a terminal or another device, a timer, or what the
/// caller has as stdin, stdout and stderr. What cannot be looked at counts as going on.
///
/// Not seen are timers of a process itself (alarm(2)), SO_RCVTIMEO of its sockets, and
/// clients that may still come over a network.
class Standstill {
 public:
  /// @param pids  all that could wake one another.
  /// @return how many looks in a row, this one left out, have found the same standstill: nobody has
  ///         run in between.
  int look(std::span<const pid_t> pids);

 private:
  std::optional<std::string> last_;
  int same_ = 0;
};

}  // namespace mp::judge
