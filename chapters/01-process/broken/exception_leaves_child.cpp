// Wrong: the job's exception leaves the child's code and finds a handler in the child's copy of
// the parent's frames. What only the parent may do is done by the child.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>

#include "00-syscalls/check.hpp"

namespace {

void start_and_join(const std::function<void()>& job) {
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    job();
    _exit(0);
  }
  mp::check(waitpid(pid, nullptr, 0), "waitpid");
}

}  // namespace

int main() {
  const pid_t parent = getpid();
  try {
    start_and_join([] { throw std::runtime_error("disk full"); });
    dprintf(STDOUT_FILENO, "results kept\n");
  } catch (const std::exception& error) {
    dprintf(STDOUT_FILENO, "%s: results of all jobs deleted, by the %s\n", error.what(),
            getpid() == parent ? "parent" : "child");
  }
}
