// Wrong: fork copies what is printed but not yet written, and both processes write it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "00-syscalls/check.hpp"

int main() {
  std::printf("before\n");
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    std::printf("child\n");
    std::fflush(stdout);
    _exit(0);
  }
  mp::check(waitpid(pid, nullptr, 0), "waitpid");
  std::printf("parent\n");
}
