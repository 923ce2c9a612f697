#pragma once

#include "02-pipe/connection.hpp"
#include "02-pipe/unique_fd.hpp"

namespace mp {

/// Sends a descriptor to the process at the other end. The number means nothing there: the kernel
/// gives the receiver a descriptor of its own for the same open file.
///
/// Waits while there is no room: EINTR and EAGAIN are dealt with as in write_all(). The receiver
/// calls recv_fd() at this point between the messages. The wire format is CPython's,
/// so the other end may be `multiprocessing.reduction.recv_handle()`.
/// @param connection  an end that sends.
/// @param fd          an open descriptor, which stays the caller's. It may be closed as soon as
///                    this returns: what is under way keeps the file open.
/// @throws ValueError if the connection is closed or read-only; std::system_error: EBADF if `fd` is
///         not open, EPIPE if no process holds the other end. Then nothing is sent.
/// @see sendmsg(2), unix(7) (SCM_RIGHTS), cmsg(3). Python: `reduction.send_handle()`.
///
/// ### Implementation
/// CPython sends one byte of data, the number of descriptors (1), with a control message of level
/// SOL_SOCKET and type SCM_RIGHTS. Without data, a control message does not travel. The memory for
/// it must be aligned as a `cmsghdr` is.
void send_fd(Connection& connection, int fd);

/// Receives a descriptor that send_fd() has sent, and waits for it: EINTR and EAGAIN are dealt with
/// as in read_exactly().
/// @param connection  an end that receives.
/// @return the descriptor, close-on-exec.
/// @throws EOFError as recv_bytes(); BadMessage if what comes next is no descriptor, more than one,
///         or one whose byte of data is not 1. Then no descriptor is left open, and receiving is
///         over for good, as after other bad messages: the next byte may be in the middle of
///         something. ValueError if the connection is closed or write-only, or if a message is in
///         the middle of being received. std::system_error: EMFILE if this process has no number
///         left for it; that descriptor is lost then, and the connection can go on.
/// @see recvmsg(2), unix(7). Python: `reduction.recv_handle()`.
///
/// ### Implementation
/// `MSG_CMSG_CLOEXEC` sets close-on-exec before anybody can fork. What arrives in the control
/// message is open already, wanted or not: whatever is not returned has to be closed.
/// CMSG_SPACE(sizeof(int)) is rounded up, and on 64-bit machines has room for two descriptors.
/// Another control message may come first: SCM_CREDENTIALS, on a socket with SO_PASSCRED. It needs
/// room as well, and is passed over. What had no room is closed by the kernel, and `msg_flags` says
/// MSG_CTRUNC; it says so, too, if this process has no descriptor left. No descriptor at all and
/// MSG_CTRUNC, although there was room: that is the latter, EMFILE.
UniqueFd recv_fd(Connection& connection);

}  // namespace mp
