// Wrong: _exit ends the child at once, with what it has printed still in its memory.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "00-syscalls/check.hpp"

int main() {
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    std::printf("child: all is well\n");
    _exit(0);
  }
  int status = 0;
  mp::check(waitpid(pid, &status, 0), "waitpid");
  std::printf("parent: it ended with %d and said nothing\n", WEXITSTATUS(status));
}
