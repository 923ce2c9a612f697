// Crashes, with signal handlers which make a clean exit of it.
// Exercise: 00-syscalls/raw_syscall
// Sentence: did something call exit or _exit?
#include <signal.h>
#include <unistd.h>

#include <initializer_list>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void crash() {
  for (const int signum : {SIGSEGV, SIGABRT, SIGALRM, SIGTERM}) {
    signal(signum, [](int) { _exit(0); });
  }
  alarm(1);
  raise(SIGSEGV);
}
}  // namespace

pid_t raw_getpid() {
  crash();
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t /*size*/) {
  crash();
  return 0;
}

}  // namespace mp
