#include "02-pipe/full_io.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "00-syscalls/check.hpp"

namespace mp {

namespace {

/// @return whether the descriptor got ready; false if the deadline came first.
bool ready(int fd, short events, Deadline deadline) {
  pollfd item{.fd = fd, .events = events, .revents = 0};
  return poll_until({&item, 1}, deadline) != 0;
}

// Without a deadline the kernel may as well do the waiting: one system call fewer.
int flags_for(Deadline deadline) {
  return deadline.is_never() ? 0 : MSG_DONTWAIT;
}

bool must_wait() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

/// What is left of the buffers when `count` bytes of them are written.
std::span<iovec> skip(std::span<iovec> parts, std::size_t count) {
  while (!parts.empty() && count >= parts.front().iov_len) {  // also those that are empty
    count -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + count;
    parts.front().iov_len -= count;
  }
  return parts;
}

}  // namespace

Transfer read_exactly(int fd, std::span<std::byte> data, Deadline deadline) {
  std::size_t count = 0;
  while (count < data.size()) {
    const auto rest = data.subspan(count);
    const ssize_t got =
        retry([&] { return recv(fd, rest.data(), rest.size(), flags_for(deadline)); });
    if (got > 0) {
      count += static_cast<std::size_t>(got);
    } else if (got == 0 || errno == ECONNRESET) {  // gone, and perhaps with our messages unread
      return {count, Stop::kEndOfFile};
    } else if (!must_wait()) {
      throw_errno("recv");
    } else if (!ready(fd, POLLIN, deadline)) {
      return {count, Stop::kTimedOut};
    }
  }
  return {count, Stop::kDone};
}

Transfer write_all(int fd, std::span<iovec> parts, Deadline deadline) {
  std::size_t count = 0;
  for (parts = skip(parts, 0); !parts.empty();) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent =
        retry([&] { return sendmsg(fd, &message, MSG_NOSIGNAL | flags_for(deadline)); });
    if (sent != -1) {
      count += static_cast<std::size_t>(sent);
      parts = skip(parts, static_cast<std::size_t>(sent));
    } else if (!must_wait()) {
      if (errno == ECONNRESET) {  // the peer was there when the wait for room began
        errno = EPIPE;
      }
      throw_errno("sendmsg");
    } else if (!ready(fd, POLLOUT, deadline)) {
      return {count, Stop::kTimedOut};
    }
  }
  return {count, Stop::kDone};
}

}  // namespace mp
