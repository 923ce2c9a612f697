// Answers rightly, and leaves a daemon in a session of its own, which holds every descriptor open.
// Exercise: 00-syscalls/raw_syscall
// Sentence: still running
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void leave_a_daemon() {
  const pid_t pid = fork();
  if (pid == 0) {
    setsid();
    if (fork() != 0) {
      _exit(0);
    }
    for (;;) {
      pause();
    }
  }
  waitpid(pid, nullptr, 0);
}
}  // namespace

pid_t raw_getpid() {
  leave_a_daemon();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  leave_a_daemon();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
