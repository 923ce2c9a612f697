#include "02-pipe/wait.hpp"

#include <poll.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "00-syscalls/errors.hpp"

namespace mp {

namespace {

[[noreturn]] void throw_not_open(int fd) {
  throw std::system_error(EBADF, std::generic_category(), "poll: descriptor " + std::to_string(fd));
}

}  // namespace

std::vector<Waitable> wait_until(const std::vector<Waitable>& waitables, Deadline deadline) {
  if (waitables.empty() && deadline.is_never()) {
    throw ValueError("wait: for nothing, for ever");
  }
  std::vector<pollfd> items;
  items.reserve(waitables.size());
  for (const Waitable& waitable : waitables) {
    if (waitable.fd() < 0) {  // poll passes over it, and would wait for the others
      throw_not_open(waitable.fd());
    }
    items.push_back({.fd = waitable.fd(), .events = POLLIN, .revents = 0});
  }
  poll_until(items, deadline);
  std::vector<Waitable> ready;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if ((items[i].revents & POLLNVAL) != 0) {
      throw_not_open(items[i].fd);
    }
    if (items[i].revents != 0) {  // POLLIN, or POLLHUP and POLLERR, which come unasked
      ready.push_back(waitables[i]);
    }
  }
  return ready;
}

bool Connection::poll_until(Deadline deadline) const {
  return !wait_until({require_readable()}, deadline).empty();
}

}  // namespace mp
