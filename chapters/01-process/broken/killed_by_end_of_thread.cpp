// Wrong: PR_SET_PDEATHSIG is taken for "when my parent process ends". It is "when the thread ends
// that made me".
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>

#include "00-syscalls/check.hpp"

namespace {

using Pipe = std::array<int, 2>;

pid_t start(const Pipe& ready, const Pipe& gate) {
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    mp::check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
    mp::check(write(ready[1], "!", 1), "write");
    close(gate[1]);
    char byte = 0;
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);  // until the parent closes the gate
  }
  char byte = 0;
  mp::check(read(ready[0], &byte, 1), "read");
  return pid;
}

}  // namespace

int main() {
  Pipe ready{};
  Pipe gate{};
  mp::check(pipe2(ready.data(), O_CLOEXEC), "pipe2");
  mp::check(pipe2(gate.data(), O_CLOEXEC), "pipe2");

  pid_t pid = 0;
  std::thread([&] { pid = start(ready, gate); }).join();

  int status = 0;
  mp::check(waitpid(pid, &status, 0), "waitpid");
  dprintf(STDOUT_FILENO, "parent: I run, and my child was killed by signal %d\n",
          WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  for (const int fd : {ready[0], ready[1], gate[0], gate[1]}) {
    close(fd);
  }
}
