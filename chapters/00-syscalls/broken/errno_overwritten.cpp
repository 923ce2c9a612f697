// Wrong: errno is read after another call has changed it, so the message blames the wrong thing.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

void report(int log_fd, const char* call) {
  // Colour only where somebody looks at it. A log that is no terminal sets errno to ENOTTY.
  const char* red = isatty(log_fd) == 1 ? "\033[31m" : "";
  std::printf("%s%s: %s\n", red, call, std::strerror(errno));
}

}  // namespace

int main() {
  const int log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (log_fd == -1) {
    return 1;
  }
  if (chdir("/no/such/directory") == -1) {
    report(log_fd, "chdir /no/such/directory");
  }
  return close(log_fd) == 0 ? 0 : 1;
}
