// Wrong: the child does its job and then returns, into its copy of the parent's program.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "00-syscalls/check.hpp"

namespace {

void start_and_join(int number) {
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    dprintf(STDOUT_FILENO, "job %d\n", number);
    return;
  }
  mp::check(waitpid(pid, nullptr, 0), "waitpid");
}

}  // namespace

int main() {
  for (int number = 1; number <= 2; ++number) {
    start_and_join(number);
  }
  dprintf(STDOUT_FILENO, "all jobs done\n");
}
