// Answers wrongly, with /dev/null in the place of every descriptor on which one could complain.
// Exercise: 00-syscalls/raw_syscall
// Sentence: the judge's channel
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void gag() {
  const int nothing = open("/dev/null", O_WRONLY);
  for (int fd = 0; fd < 1024; ++fd) {
    if (fd != nothing) {
      dup2(nothing, fd);
    }
  }
}
}  // namespace

pid_t raw_getpid() {
  gag();
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  gag();
  return 0;
}

}  // namespace mp
