#include "01-process/exit_status.hpp"

#include <sys/wait.h>

#include <cstring>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

int exitcode_of([[maybe_unused]] const siginfo_t& info) {
  // TODO(1.2): CLD_EXITED, CLD_KILLED and CLD_DUMPED are the ways to end.
  throw todo("1.2 exitcode_of(siginfo_t)");
}

int exitcode_of([[maybe_unused]] int status) {
  // TODO(1.2): WIFEXITED and WIFSIGNALED.
  throw todo("1.2 exitcode_of(int)");
}

std::string describe([[maybe_unused]] int exitcode) {
  // TODO(1.2): three kinds of number, and signals without a name.
  throw todo("1.2 describe");
}

}  // namespace mp
