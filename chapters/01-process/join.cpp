#include "01-process/join.hpp"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"
#include "01-process/exit_status.hpp"
#include "01-process/pidfd.hpp"

namespace mp {

Child::Child(pid_t pid) : pid_(pid), creator_(getpid()) {
  // TODO(1.3): a pidfd for the child, through syscall(SYS_pidfd_open, pid, 0).
  throw todo("1.3 Child");
}

Child::~Child() = default;  // TODO(1.3): close the descriptor, where there is one.

bool Child::join_until([[maybe_unused]] Deadline deadline) {
  // TODO(1.3): poll the pidfd until the deadline, then reap.
  throw todo("1.3 Child::join_until");
}

std::optional<int> Child::exitcode() {
  // TODO(1.3): reap without waiting; none while it runs.
  throw todo("1.3 Child::exitcode");
}

int Child::sentinel() {
  // TODO(1.3): a descriptor that is readable from the child's end on, kept until the destructor.
  throw todo("1.3 Child::sentinel");
}

bool Child::reap([[maybe_unused]] const Use& use) {
  // TODO(1.3): look (WNOWAIT), store, take.
  throw todo("1.3 Child::reap");
}

}  // namespace mp
