// Clumsy: throws what is no exception object.
// Exercise: 00-syscalls/raw_syscall
// Sentence: exception
#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  throw 7;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  throw "no";
}

}  // namespace mp
