#include "00-syscalls/raw_syscall.hpp"

#include <sys/syscall.h>
#include <unistd.h>

namespace mp {

pid_t raw_getpid() {
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
