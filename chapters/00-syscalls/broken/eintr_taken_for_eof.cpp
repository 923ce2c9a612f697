// Wrong: the reader takes every result below 1 for the end of the file. The -1 of a read that a
// signal interrupted is no end, and what is written afterwards is lost.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>

namespace {

extern "C" void ignore_signal(int) {}

std::size_t read_to_end(int fd) {
  char buffer[64];
  std::size_t total = 0;
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) {
      return total;
    }
    total += static_cast<std::size_t>(n);
  }
}

}  // namespace

int main() {
  int fds[2];
  struct sigaction action {};
  action.sa_handler = ignore_signal;  // and no SA_RESTART
  const itimerval every_20_ms{{0, 20000}, {0, 20000}};
  const itimerval off{};
  if (pipe2(fds, O_CLOEXEC) == -1 || write(fds[1], "hello", 5) != 5 ||
      sigaction(SIGALRM, &action, nullptr) == -1 ||
      setitimer(ITIMER_REAL, &every_20_ms, nullptr) == -1) {
    return 1;
  }
  const std::size_t total = read_to_end(fds[0]);
  int unread = 0;
  if (setitimer(ITIMER_REAL, &off, nullptr) == -1 || write(fds[1], ", world", 7) != 7 ||
      ioctl(fds[0], FIONREAD, &unread) == -1) {
    return 1;
  }
  std::printf("the reader: end of file after %zu bytes\n", total);
  std::printf("the pipe: %d bytes left to read\n", unread);
  return close(fds[0]) == 0 && close(fds[1]) == 0 ? 0 : 1;
}
