#include "01-process/signals.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"

namespace mp {

bool send_signal(Child& child, int signum) {
  if (!is_alive(child)) {
    return false;
  }
  const Child::Use use(child);
  if (child.ended()) {  // in this moment, and reaped by another thread
    return false;
  }
  const long result = syscall(SYS_pidfd_send_signal, use.fd(), signum, nullptr, 0);
  if (result == -1 && errno == ESRCH) {  // in this moment, and reaped by somebody else
    return false;
  }
  check(result, "pidfd_send_signal");
  return true;
}

void terminate(Child& child) {
  send_signal(child, SIGTERM);
}

void kill(Child& child) {
  send_signal(child, SIGKILL);
}

bool is_alive(Child& child) {
  return !child.exitcode().has_value();
}

}  // namespace mp
