#pragma once

#include <signal.h>

#include <climits>
#include <string>

namespace mp {

/// The exit code of a process that has ended, but whose status somebody else took.
inline constexpr int kExitUnknown = INT_MIN;

/// How a child ended, as one number, from what waitid(2) reports.
/// @param info  filled in by `waitid(…, WEXITED)`: `si_code` says how, `si_status` which number.
/// @return n (0 to 255) for a process that exited with n; -s for one that signal s killed, with
///         or without a core dump.
/// @throws ValueError if the process has not ended (stopped, continued, trapped).
/// @see waitid(2). Python: `Process.exitcode`.
int exitcode_of(const siginfo_t& info);

/// The same from the status word of `wait`, `waitpid` and `wait4`.
/// @param status  the word; read it with `WIFEXITED` and its relatives only.
/// @return as above.
/// @throws ValueError if the process has not ended.
/// @see wait(2). Python: `os.waitstatus_to_exitcode()`.
int exitcode_of(int status);

/// An exit code in words.
/// @param exitcode  as exitcode_of() returns it, or kExitUnknown.
/// @return "exit code 3"; "killed by SIGKILL (9)"; "killed by signal 40" for one that has no
///         name; "ended, status unknown".
/// @see sigabbrev_np(3).
std::string describe(int exitcode);

}  // namespace mp
