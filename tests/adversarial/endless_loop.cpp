// Never comes back, and is never idle.
// Exercise: 00-syscalls/raw_syscall
// Sentence: is running
#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t size) {
  for (volatile bool seven = size == 7; seven;) {
  }
  return 0;
}

}  // namespace mp
