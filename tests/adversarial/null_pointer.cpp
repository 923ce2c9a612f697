// Clumsy: writes through a null pointer.
// Exercise: 00-syscalls/raw_syscall
// Sentence: in mp::raw_getpid at tests/adversarial/null_pointer.cpp:
#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
pid_t* volatile nowhere = nullptr;
}  // namespace

pid_t raw_getpid() {
  *nowhere = 1;
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  *nowhere = 1;
  return 0;
}

}  // namespace mp
