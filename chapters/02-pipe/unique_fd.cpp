#include "02-pipe/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

UniqueFd::UniqueFd([[maybe_unused]] UniqueFd&& other) noexcept {
  // TODO(2.1): take over what the other one owns.
}

UniqueFd& UniqueFd::operator=([[maybe_unused]] UniqueFd&& other) noexcept {
  // TODO(2.1): close, take over; and what if both are the same object?
  return *this;
}

UniqueFd::~UniqueFd() = default;  // TODO(2.1): close, and leave errno alone.

int UniqueFd::release() noexcept {
  // TODO(2.1): give the descriptor away.
  return -1;
}

void UniqueFd::reset([[maybe_unused]] int fd) noexcept {
  // TODO(2.1): close what is owned, take over fd.
}

UniqueFd duplicate([[maybe_unused]] int fd) {
  // TODO(2.1): F_DUPFD_CLOEXEC.
  throw todo("2.1 duplicate");
}

void set_inheritable([[maybe_unused]] int fd, [[maybe_unused]] bool inheritable) {
  // TODO(2.1): F_GETFD, then F_SETFD.
  throw todo("2.1 set_inheritable");
}

}  // namespace mp
