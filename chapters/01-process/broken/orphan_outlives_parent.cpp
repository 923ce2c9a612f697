// Wrong: nothing ends the child when its parent is killed. It goes on, with nobody to wait for it.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "00-syscalls/check.hpp"

namespace {

using Pipe = std::array<int, 2>;

Pipe make_pipe() {
  Pipe pipe{};
  mp::check(pipe2(pipe.data(), O_CLOEXEC), "pipe2");
  return pipe;
}

// Tells who it is, and works until the order comes (or whoever would give it is gone).
void be_orphan(const Pipe& order, const Pipe& news, pid_t top) {
  close(order[1]);
  const pid_t self = getpid();
  mp::check(write(news[1], &self, sizeof self), "write");
  char byte = 0;
  if (mp::check(read(order[0], &byte, 1), "read") == 1) {
    dprintf(STDOUT_FILENO, "orphan: still at work, my parent is now %s\n",
            getppid() == top ? "the one at the top" : "somebody else");
  }
}

}  // namespace

int main() {
  mp::check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl");  // adopt orphans, as init would
  const pid_t top = getpid();
  const Pipe order = make_pipe();
  const Pipe news = make_pipe();

  const pid_t parent = mp::check(fork(), "fork");
  if (parent == 0) {
    const pid_t child = mp::check(fork(), "fork");
    if (child == 0) {
      be_orphan(order, news, top);
      _exit(0);
    }
    close(order[1]);
    mp::check(waitpid(child, nullptr, 0), "waitpid");
    _exit(0);
  }
  pid_t orphan = 0;
  mp::check(read(news[0], &orphan, sizeof orphan), "read");

  mp::check(kill(parent, SIGKILL), "kill");
  int status = 0;
  mp::check(waitpid(parent, &status, 0), "waitpid");
  dprintf(STDOUT_FILENO, "top: the parent was killed by signal %d\n", WTERMSIG(status));

  mp::check(write(order[1], "!", 1), "write");
  mp::check(waitpid(orphan, &status, 0), "waitpid");
  dprintf(STDOUT_FILENO, "top: the orphan ended with %d\n", WEXITSTATUS(status));
  for (const int fd : {order[0], order[1], news[0], news[1]}) {
    close(fd);
  }
}
