#include "01-process/exit_status.hpp"

#include <sys/wait.h>

#include <cstring>

#include "00-syscalls/errors.hpp"

namespace mp {

int exitcode_of(const siginfo_t& info) {
  switch (info.si_code) {
    case CLD_EXITED:
      return info.si_status;
    case CLD_KILLED:
    case CLD_DUMPED:  // killed, too; that there is a core file changes nothing
      return -info.si_status;
    default:
      throw ValueError("this process has not ended: si_code " + std::to_string(info.si_code));
  }
}

int exitcode_of(int status) {
  if (WIFEXITED(status)) {
    return WEXITSTATUS(status);
  }
  if (WIFSIGNALED(status)) {
    return -WTERMSIG(status);
  }
  throw ValueError("this process has not ended: status " + std::to_string(status));
}

std::string describe(int exitcode) {
  if (exitcode == kExitUnknown) {
    return "ended, status unknown";
  }
  if (exitcode >= 0) {
    return "exit code " + std::to_string(exitcode);
  }
  const std::string number = std::to_string(-exitcode);
  const char* name = sigabbrev_np(-exitcode);  // real-time signals have none
  return name == nullptr ? "killed by signal " + number
                         : "killed by SIG" + std::string(name) + " (" + number + ")";
}

}  // namespace mp
