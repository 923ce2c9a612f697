#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp::test {

/// What a system call is for. One and the same C function makes this call on one machine and that
/// call on another (`fork` is `clone`, `poll` is `ppoll` on arm64), so graders count families.
enum class Family {
  kFork,    ///< fork, vfork, clone, clone3
  kExec,    ///< execve, execveat
  kExit,    ///< exit, exit_group
  kWait,    ///< wait4, waitid
  kRead,    ///< read, readv, recvfrom, recvmsg and the like
  kWrite,   ///< write, writev, sendto, sendmsg and the like
  kPoll,    ///< poll, ppoll, select, pselect6, epoll_wait and the like
  kFutex,   ///< futex, futex_waitv and the like
  kSignal,  ///< sends a signal: kill, tkill, tgkill, rt_sigqueueinfo, pidfd_send_signal
  kPidfd,   ///< pidfd_open, pidfd_getfd
  kPipe,    ///< pipe, pipe2
  kSocket,  ///< sets a socket up or down: socket, socketpair, bind, connect, accept, shutdown ...
  kMemory,  ///< mmap, munmap, mprotect, brk, memfd_create ...
  kClose,   ///< close, close_range
  kTime,    ///< nanosleep, clock_gettime (where the vDSO does not answer), timers ...
  kOther,
};

/// The family of the system call with this number on this architecture.
Family family_of(long number);

/// One system call that a recorded process made.
struct RecordedCall {
  pid_t pid;              ///< the process, of whichever of its threads
  long number;            ///< as in <sys/syscall.h>
  std::string_view name;  ///< as its man page has it; empty where syscall_name knows none
  Family family;          ///< what it is for
  long result;            ///< as the kernel gives it: -ECHILD and so on for a failure
  bool returned;          ///< false where the process ended inside the call
  bool by_first;          ///< made by the process that ran the body, not by a descendant
};

/// Which processes RecordOptions::kill_at counts.
enum class KillScope {
  kFirst,        ///< the process that runs the body
  kDescendants,  ///< those that it forks, and theirs, all together
  kTree,         ///< all of them together
};

/// How to record.
struct RecordOptions {
  /// SIGKILL for the process that makes the n-th call (1-based) of `kill_scope`. The call is
  /// recorded but not carried out. The other processes go on, recorded as before.
  std::optional<int> kill_at{};
  KillScope kill_scope = KillScope::kFirst;
  /// For everything, from start to the end of the last process, in milliseconds.
  std::chrono::milliseconds deadline{10'000};
};

/// The system calls that a body and its descendants made.
struct Recording {
  std::vector<RecordedCall> calls;  ///< in order of entry
  std::size_t dropped = 0;          ///< calls beyond the first 32,768, which are not in `calls`
  int exitcode = 0;                 ///< of the process that ran the body: n, or -signal
  bool timed_out = false;           ///< the deadline came first; every process was killed
  bool killed = false;              ///< kill_at was reached and the kill carried out
  std::size_t killed_call = 0;      ///< if `killed`: the index in `calls` of the call it was at
  std::string out;                  ///< standard output of all, as in ChildResult
  std::string err;                  ///< standard error of all, as in ChildResult
  std::string threw;                ///< what() of the exception that left the body, else empty

  /// How many calls of this family all the processes made.
  int count(Family family) const;
  /// How many calls of this name all the processes made.
  int count(std::string_view name) const;
  /// A line per call for a failure message, of the first 60: `4242 wait4 = 4243`.
  std::string to_string() const;
};

/// Whether record() works here; costs a trial recording the first time.
/// @param[out] why_not  a sentence for GTEST_SKIP when it does not: ptrace is forbidden, or the
///                      program is built with AddressSanitizer or LeakSanitizer.
bool recorder_works(std::string& why_not);

/// Runs `body` in a forked process, traced, and says which system calls were made.
///
/// Recorded are the calls of the body alone in the process that runs it (not the set-up, not the
/// end), and all calls of the processes and threads that it makes, to their ends. A call that a
/// signal interrupted and the kernel restarted is one call; one that the program itself repeats
/// after EINTR is another. What the vDSO answers (clock_gettime) never enters the kernel and is not
/// seen. libc makes calls of its own (fork: set_robust_list; malloc: brk), and descendants run in
/// any order: assert bounds per family, never totals or the order between processes.
///
/// After the body the process ends by `_exit` with 0, or 1 when an exception left it. record()
/// returns when all processes that descend from the body have ended, or at the deadline, at which
/// they are killed. They and their tracer share one CPU meanwhile (sched_setaffinity(2)): changing
/// CPUs at each stop costs three times as much. The caller's process is not touched. To hand a
/// value back, write to a Shared.
///
/// @throws std::system_error or std::runtime_error when the recording itself failed.
/// See ptrace(2).
Recording record(const std::function<void()>& body, RecordOptions options = {});

}  // namespace mp::test
