// Answers rightly, and never waits for the child that it has started.
// Exercise: 00-syscalls/raw_syscall
// Sentence: a zombie: nobody has waited for it
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void leave_a_zombie() {
  std::array<int, 2> ends{};
  char byte = 0;
  if (pipe(ends.data()) == -1) {
    return;
  }
  if (fork() == 0) {
    _exit(0);
  }
  close(ends[1]);
  [[maybe_unused]] const ssize_t end = read(ends[0], &byte, 1);  // until the child has ended
  close(ends[0]);
}
}  // namespace

pid_t raw_getpid() {
  leave_a_zombie();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  leave_a_zombie();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
