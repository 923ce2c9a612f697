// Clumsy: calls itself for ever.
// Exercise: 00-syscalls/raw_syscall
// Sentence: in mp::raw_getpid at tests/adversarial/stack_overflow.cpp:
#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
volatile int depth = 1;
}  // namespace

pid_t raw_getpid() {
  return depth < 0 ? 0 : 1 + raw_getpid();
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  return depth < 0 ? 0 : 1 + raw_write(fd, data, size);
}

}  // namespace mp
