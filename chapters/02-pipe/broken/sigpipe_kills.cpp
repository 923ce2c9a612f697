// Wrong: looks at the result of write, and never gets to see it.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "00-syscalls/check.hpp"
#include "01-process/exit_status.hpp"

int main() {
  std::array<int, 2> ends{};
  mp::check(pipe(ends.data()), "pipe");
  close(ends[0]);  // nobody will ever read
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    if (write(ends[1], "x", 1) == -1) {
      std::perror("child: write");
    }
    std::printf("child: goes on\n");
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  mp::check(waitpid(pid, &status, 0), "waitpid");
  std::printf("parent: the child was %s\n", mp::describe(mp::exitcode_of(status)).c_str());
}
