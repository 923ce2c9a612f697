#include "01-process/signals.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

bool send_signal([[maybe_unused]] Child& child, [[maybe_unused]] int signum) {
  // TODO(1.4): nothing to a child that has ended; else SYS_pidfd_send_signal on a Use's descriptor.
  throw todo("1.4 send_signal");
}

void terminate([[maybe_unused]] Child& child) {
  // TODO(1.4): the polite one.
  throw todo("1.4 terminate");
}

void kill([[maybe_unused]] Child& child) {
  // TODO(1.4): the other one.
  throw todo("1.4 kill");
}

bool is_alive([[maybe_unused]] Child& child) {
  // TODO(1.4): ask for the exit code.
  throw todo("1.4 is_alive");
}

}  // namespace mp
