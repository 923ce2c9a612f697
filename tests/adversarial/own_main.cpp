// Brings a main of its own that succeeds.
// Exercise: 00-syscalls/raw_syscall
// Sentence: its result is 0
#include "00-syscalls/raw_syscall.hpp"

int main() {
  return 0;
}

namespace mp {

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  return 0;
}

}  // namespace mp
