// Answers wrongly, and has a static object whose destructor ends the process with status 0.
// Exercise: 00-syscalls/raw_syscall
// Sentence: its result is 0
#include <unistd.h>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
struct LastWord {
  ~LastWord() { _exit(0); }
};
const LastWord last_word;
}  // namespace

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  return 0;
}

}  // namespace mp
