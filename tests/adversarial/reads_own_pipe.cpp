// Waits for ever for what only it itself could write.
// Exercise: 00-syscalls/raw_syscall
// Sentence: is blocked in read
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t size) {
  if (size == 7) {
    std::array<int, 2> ends{};
    char byte = 0;
    if (pipe(ends.data()) == 0) {
      return read(ends[0], &byte, 1);
    }
  }
  return 0;
}

}  // namespace mp
