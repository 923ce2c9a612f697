// The other side of --wrap for the explorer's own tests. For the graders it is
// tests/support/wrapped.cpp.
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "support/explorer/front.hpp"

extern "C" {

// NOLINTBEGIN: the linker's names
long __real_syscall(long, ...);
int __real_clock_gettime(clockid_t, timespec*);
pid_t __real_getpid();
pid_t __real_getppid();
void* __real_memcpy(void*, const void*, size_t);
void* __real_memset(void*, int, size_t);
// NOLINTEND

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (explorer::running()) {
    return explorer::on_syscall(__builtin_return_address(0), number, a, b, c, d, e, f);
  }
  return __real_syscall(number, a, b, c, d, e, f);
}

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  return explorer::running() ? explorer::on_clock_gettime(__builtin_return_address(0), clock, time)
                             : __real_clock_gettime(clock, time);
}

pid_t __wrap_getpid() {
  return explorer::running() ? explorer::on_getpid() : __real_getpid();
}

pid_t __wrap_getppid() {
  if (explorer::running()) {
    explorer::on_other_call(__builtin_return_address(0), "getppid");
  }
  return __real_getppid();
}

void* __wrap_memcpy(void* target, const void* source, size_t size) {
  if (explorer::running()) {
    explorer::on_copy(__builtin_return_address(0), target, source, size);
  }
  return __real_memcpy(target, source, size);
}

void* __wrap_memset(void* target, int value, size_t size) {
  if (explorer::running()) {
    explorer::on_fill(__builtin_return_address(0), target, size);
  }
  return __real_memset(target, value, size);
}

}  // extern "C"
