#pragma once

#include <initializer_list>
#include <utility>

#include "02-pipe/connection.hpp"

namespace mp {

/// Two connections: what one of them sends, the other one receives. Python:
/// `multiprocessing.Pipe(duplex)`.
///
///     auto [conn1, conn2] = mp::Pipe();
///
/// @param duplex  true: both send and receive. false: the first one only receives, and the second
///                one only sends.
/// @return the two ends. They block, and are closed in a program that execve(2) starts.
/// @throws std::system_error naming the call (EMFILE, ENFILE, ENOMEM): then nothing is left open.
/// @see socketpair(2), shutdown(2).
///
/// ### Implementation
/// A socket pair in both cases. pipe(2) would do for one direction, but a pipe has no
/// `MSG_NOSIGNAL`: whoever writes when nobody can read is killed by SIGPIPE, unless the whole
/// process ignores it. shutdown(2) takes one direction away in the kernel, so that also a program
/// that knows only the descriptor (CPython, after fork and exec) cannot use the wrong one.
std::pair<Connection, Connection> Pipe(bool duplex = true);

/// Closes, in this process, all connections but those named: the work of keep_only().
/// @param kept  connections that are open.
/// @throws ValueError if one of them is closed: then nothing is closed.
///
/// ### Implementation
/// TrackedFd::for_each() visits the descriptor of every Connection of this process.
void close_others(std::initializer_list<const Connection*> kept);

/// For the first line of a child: closes all connections of this process but those named.
///
/// fork has given the child a copy of every end that its parent held. Those that the child does
/// not need must be closed, or others never see the end of file: the child would hold the other
/// end of its own pipe, and the ends of its siblings. Objects that are closed here say so. With no
/// arguments, all of them are closed.
///
///     mp::Process p([&] { mp::keep_only(conn2); … });
///
/// CPython leaves it to you to close them one by one.
/// @throws ValueError if one of those named is closed.
template <class... Kept>
void keep_only(const Kept&... kept) {
  close_others({&kept...});
}

}  // namespace mp
