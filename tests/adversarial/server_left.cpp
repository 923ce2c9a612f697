// Answers rightly, and leaves a child that listens at an abstract address.
// Exercise: 00-syscalls/raw_syscall
// Sentence: still there
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void leave_a_server() {
  if (fork() != 0) {
    return;
  }
  const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, "mp-adversarial", 14);
  if (bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    listen(server, 1);
  }
  for (;;) {
    pause();
  }
}
}  // namespace

pid_t raw_getpid() {
  leave_a_server();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  leave_a_server();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
