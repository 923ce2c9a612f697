// Leaves with status 0 in the middle of the test, before anything is compared.
// Exercise: 00-syscalls/raw_syscall
// Sentence: did something call exit or _exit?
#include <cstdlib>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  std::exit(0);
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  std::_Exit(0);
}

}  // namespace mp
