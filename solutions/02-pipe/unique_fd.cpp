#include "02-pipe/unique_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "00-syscalls/check.hpp"

namespace mp {

UniqueFd::UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    reset(other.release());
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  reset();
}

int UniqueFd::release() noexcept {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset(int fd) noexcept {
  if (fd == fd_) {
    return;
  }
  const int old = std::exchange(fd_, fd);
  if (old != -1) {
    const int error = errno;
    close(old);  // not again after EINTR: the number is free, and may be another thread's by now
    errno = error;
  }
}

UniqueFd duplicate(int fd) {
  return UniqueFd(check(fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl(F_DUPFD_CLOEXEC)"));
}

void set_inheritable(int fd, bool inheritable) {
  const int flags = check(fcntl(fd, F_GETFD), "fcntl(F_GETFD)");
  const int wanted = inheritable ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
  check(fcntl(fd, F_SETFD, wanted), "fcntl(F_SETFD)");
}

}  // namespace mp
