// Wrong: each child closes what is not its own, as far as it knows. The second one does not know
// that it holds an end of the first one's pipe.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "00-syscalls/check.hpp"

namespace {

struct Worker {
  pid_t pid;
  int to;  // the write end of its pipe, in the parent
};

// Starts a child that reads from a pipe until the end of file.
Worker start(int number) {
  std::array<int, 2> ends{};
  mp::check(pipe(ends.data()), "pipe");
  const pid_t pid = mp::check(fork(), "fork");
  if (pid != 0) {
    close(ends[0]);
    return {pid, ends[1]};
  }
  close(ends[1]);
  char byte = 0;
  while (mp::check(read(ends[0], &byte, 1), "read") == 1) {
  }
  std::printf("worker %d: end of file\n", number);
  std::fflush(stdout);
  _exit(0);
}

}  // namespace

int main() {
  const Worker first = start(1);
  const Worker second = start(2);  // has a copy of first.to
  close(first.to);
  mp::check(waitpid(first.pid, nullptr, 0), "waitpid");
  close(second.to);
  mp::check(waitpid(second.pid, nullptr, 0), "waitpid");
}
