// Answers rightly, and forgets to close what it has opened.
// Exercise: 00-syscalls/raw_syscall
// Sentence: open on /dev/null
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void leak() {
  [[maybe_unused]] const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}
}  // namespace

pid_t raw_getpid() {
  leak();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  leak();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
