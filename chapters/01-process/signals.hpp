#pragma once

#include "01-process/join.hpp"

namespace mp {

/// Sends a signal to a child, through its pidfd: never to a stranger who got its number.
/// @param child   of this process.
/// @param signum  such as SIGINT; 0 sends nothing and only asks.
/// @return false if the child has ended already: nothing was sent.
/// @throws std::logic_error in a process that is not the creator; std::system_error naming
///         "pidfd_send_signal" (EINVAL for a number that is no signal, EPERM).
/// @see pidfd_send_signal(2), signal(7)
///
/// ### Implementation
/// glibc has a wrapper only since 2.36: `syscall(SYS_pidfd_send_signal, fd, signum, nullptr, 0)`.
bool send_signal(Child& child, int signum);

/// Asks the child to end: SIGTERM. It may catch or ignore it, and its destructors do not run.
/// Nothing happens if it has ended.
/// @throws as send_signal(). Python: `Process.terminate()`.
void terminate(Child& child);

/// Ends the child: SIGKILL, which cannot be caught. Nothing happens if it has ended.
/// @throws as send_signal(). Python: `Process.kill()`.
void kill(Child& child);

/// Whether the child has not ended yet. A child that has ended is reaped by the asking; one that
/// is stopped is alive.
/// @throws std::logic_error in a process that is not the creator; std::system_error.
/// Python: `Process.is_alive()`.
bool is_alive(Child& child);

}  // namespace mp
