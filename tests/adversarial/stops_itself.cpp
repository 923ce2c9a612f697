// Stops like a job in the background, and waits for a SIGCONT that nobody sends.
// Exercise: 00-syscalls/raw_syscall
// Sentence: is stopped by a signal: it waits for SIGCONT
#include <signal.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t size) {
  if (size == 7) {
    raise(SIGSTOP);
  }
  return 0;
}

}  // namespace mp
