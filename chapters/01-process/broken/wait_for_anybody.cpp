// Wrong: run() means to wait for its own child, but -1 stands for any child of this process.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "00-syscalls/check.hpp"

namespace {

using Pipe = std::array<int, 2>;

// Starts a helper that works until nobody holds the gate's write end, and waits for it.
int run(const Pipe& gate) {
  if (mp::check(fork(), "fork") == 0) {
    close(gate[1]);
    char byte = 0;
    _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
  }
  int status = 0;
  mp::check(waitpid(-1, &status, 0), "waitpid");
  return WEXITSTATUS(status);
}

}  // namespace

int main() {
  Pipe gate{};
  mp::check(pipe2(gate.data(), O_CLOEXEC), "pipe2");

  const pid_t job = mp::check(fork(), "fork");
  if (job == 0) {
    _exit(3);
  }
  dprintf(STDOUT_FILENO, "the helper has ended with %d\n", run(gate));

  int status = 0;
  const pid_t ended = waitpid(job, &status, 0);
  dprintf(STDOUT_FILENO, "the job: %s\n", ended == job ? "ended" : std::strerror(errno));

  const bool running = waitpid(-1, nullptr, WNOHANG) == 0;
  dprintf(STDOUT_FILENO, "the helper: %s\n", running ? "still runs" : "ended");
  close(gate[1]);
  mp::check(waitpid(-1, nullptr, 0), "waitpid");  // the only one left
  close(gate[0]);
}
