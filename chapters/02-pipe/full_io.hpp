#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>

#include "00-syscalls/deadline.hpp"

namespace mp {

/// Why a transfer has ended.
enum class Stop {
  kDone,       ///< everything has been moved
  kEndOfFile,  ///< nothing more will come: no process holds the other end
  kTimedOut,   ///< the deadline has passed
};

/// What became of a transfer.
struct Transfer {
  std::size_t count = 0;    ///< how many bytes were moved, also when it ended early
  Stop stop = Stop::kDone;  ///< why it has ended

  bool operator==(const Transfer&) const = default;  ///< both are the same
};

/// Reads until `data` is full: the kernel hands out what there is, in pieces as it likes.
/// @param fd        a stream socket (unix(7)).
/// @param data      where to; the memory stays the caller's. Empty: done, without a system call.
/// @param deadline  for all of it. A deadline that has passed takes what is there, without waiting.
/// @return kDone with `data.size()` bytes. kEndOfFile or kTimedOut with the number of bytes that
///         came before that, which are in `data`; the caller can go on behind them. A peer that is
///         gone and has left our messages unread (ECONNRESET) is an end of file like any other.
/// @throws std::system_error naming the call, for every other error; how much had come by then is
///         not said. EINTR starts the call again.
/// @see recv(2), read(2), unix(7). Python: `Connection._recv()`.
///
/// ### Implementation
/// `MSG_DONTWAIT` makes one call non-blocking and leaves the descriptor as it is. (O_NONBLOCK
/// would be seen by every process that shares it.) When nothing is there, EAGAIN: poll_until() for
/// POLLIN. The descriptor may also have been made non-blocking by somebody else, so EAGAIN can come
/// without asking for it.
Transfer read_exactly(int fd, std::span<std::byte> data, Deadline deadline = Deadline::never());

/// A buffer for write_all().
inline iovec part_of(std::span<const std::byte> bytes) {
  return {.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
}

/// Writes several buffers, one behind the other, as if they were one: with one system call, if the
/// kernel takes everything.
/// @param fd        a stream socket (unix(7)).
/// @param parts     the buffers, at most 1024 (IOV_MAX). The array is the function's to change, the
///                  buffers are not; what it holds afterwards means nothing. Buffers may be empty.
///                  Nothing in any of them: done, without a system call.
/// @param deadline  for all of it. A deadline that has passed hands over what there is room for,
///                  without waiting.
/// @return kDone with the size of all parts, or kTimedOut with the number of bytes that the kernel
///         has taken.
/// @throws std::system_error naming the call: EPIPE if no process holds the other end; also where
///         the kernel says ECONNRESET. No SIGPIPE is raised, and the process's handling of it is
///         not changed. EINTR starts the call again.
/// @see sendmsg(2), signal(7), unix(7). Python: `Connection._send()`.
///
/// ### Implementation
/// `write` and `writev` kill the caller with SIGPIPE when nobody can read. sendmsg(2) takes a list
/// of buffers as well, and flags: `MSG_NOSIGNAL`, `MSG_DONTWAIT`. A short count may end in the
/// middle of any of the buffers: skip those that are written, shorten the one that is begun.
///
/// A writer that waits for room while its peer closes, and leaves bytes unread, is told ECONNRESET,
/// once; every call after that says EPIPE. The caller should not have to know the moment.
Transfer write_all(int fd, std::span<iovec> parts, Deadline deadline = Deadline::never());

}  // namespace mp
