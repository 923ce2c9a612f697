// Answers rightly, and leaves a name, the same each time, in /dev/shm.
// Exercise: 00-syscalls/raw_syscall
// Sentence: /dev/shm/mp-adversarial-name
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void leave_a_name() {
  const int fd = shm_open("/mp-adversarial-name", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  [[maybe_unused]] const ssize_t written = write(fd, "kept", 4);
  close(fd);
}
}  // namespace

pid_t raw_getpid() {
  leave_a_name();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  leave_a_name();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
