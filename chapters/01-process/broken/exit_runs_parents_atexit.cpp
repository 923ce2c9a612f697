// Wrong: the child leaves by exit, which runs the functions that its parent registered.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "00-syscalls/check.hpp"

namespace {

char report[] = "/tmp/report.XXXXXX";
pid_t parent = 0;

void delete_report() {
  const bool done = unlink(report) == 0;
  dprintf(STDOUT_FILENO, "%s: deleting the report: %s\n", getpid() == parent ? "parent" : "child",
          std::strerror(done ? 0 : errno));
}

}  // namespace

int main() {
  parent = getpid();
  const int fd = mp::check(mkostemp(report, O_CLOEXEC), "mkostemp");
  std::atexit(delete_report);

  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    std::exit(0);
  }
  mp::check(waitpid(pid, nullptr, 0), "waitpid");

  const bool there = access(report, F_OK) == 0;
  dprintf(STDOUT_FILENO, "parent: the report %s\n", there ? "is there" : "is gone");
  close(fd);
}
