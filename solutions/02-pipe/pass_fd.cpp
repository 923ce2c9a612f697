#include "02-pipe/pass_fd.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"

namespace mp {

namespace {

constexpr std::byte kOneDescriptor{1};
// A socket with SO_PASSCRED puts the sender's credentials first. What has no room is cut off.
constexpr std::size_t kRoom = CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int));

/// A message of one byte, with room for a control message beside it.
class Envelope {
 public:
  explicit Envelope(std::byte content) : byte(content) {
    header.msg_iov = &part_;
    header.msg_iovlen = 1;
    header.msg_control = control_.data();
    header.msg_controllen = control_.size();
  }
  Envelope(const Envelope&) = delete;  // it points to itself
  Envelope& operator=(const Envelope&) = delete;

  std::byte byte;
  msghdr header{};

 private:
  iovec part_{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<std::byte, kRoom> control_{};
};

/// Every descriptor that came with a message, with an owner.
class Received {
 public:
  explicit Received(msghdr& header) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
         control = CMSG_NXTHDR(&header, control)) {
      if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
        continue;
      }
      const std::size_t bytes = control->cmsg_len - CMSG_LEN(0);
      for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(control) + at, sizeof fd);
        fds.at(count++).reset(fd);
      }
    }
  }

  std::array<UniqueFd, kRoom / sizeof(int)> fds;
  std::size_t count = 0;
};

/// Makes a call again while a signal interrupts it, or a non-blocking socket is not ready for it.
template <class F>
ssize_t finish(int socket, short events, F call) {
  for (;;) {
    const ssize_t result = retry(call);
    if (result != -1 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      return result;
    }
    pollfd item{.fd = socket, .events = events, .revents = 0};
    poll_until({&item, 1}, Deadline::never());
  }
}

}  // namespace

void send_fd(Connection& connection, int fd) {
  const int socket = connection.require_writable();
  Envelope envelope(kOneDescriptor);
  cmsghdr* const control = CMSG_FIRSTHDR(&envelope.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(control), &fd, sizeof fd);
  envelope.header.msg_controllen = control->cmsg_len;
  const ssize_t sent =
      finish(socket, POLLOUT, [&] { return sendmsg(socket, &envelope.header, MSG_NOSIGNAL); });
  if (sent == -1 && errno == ECONNRESET) {
    errno = EPIPE;  // gone, and with messages of ours unread
  }
  check(sent, "sendmsg(SCM_RIGHTS)");
}

UniqueFd recv_fd(Connection& connection) {
  const int socket = connection.require_readable();
  if (connection.incoming_.header.size > 0) {
    throw ValueError("recv_fd: in the middle of a message");
  }
  Envelope envelope(std::byte{0});
  const ssize_t count =
      finish(socket, POLLIN, [&] { return recvmsg(socket, &envelope.header, MSG_CMSG_CLOEXEC); });
  if (count == 0 || (count == -1 && errno == ECONNRESET)) {
    throw EOFError();
  }
  check(count, "recvmsg");
  Received received(envelope.header);
  const bool cut = (envelope.header.msg_flags & MSG_CTRUNC) != 0;
  if (received.count == 0 && cut) {
    throw std::system_error(EMFILE, std::generic_category(), "recvmsg(SCM_RIGHTS)");
  }
  if (received.count != 1 || cut || envelope.byte != kOneDescriptor) {
    connection.stop_reading();  // this byte may have been the first one of a header
    throw BadMessage("what came is not one descriptor");
  }
  return std::move(received.fds.front());
}

}  // namespace mp
