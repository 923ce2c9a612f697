// ./learn doctor: what of the kernel and of the tools works here, and what to do where it does not.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <sstream>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "01-process/spawn.hpp"
#include "judge/command.hpp"
#include "judge/owned_fd.hpp"
#include "judge/proc.hpp"
#include "runner/commands.hpp"
#include "runner/report.hpp"

namespace mp::runner {

namespace {

struct Finding {
  bool ok;
  bool needed;  ///< without it ./learn does not work
  std::string what;
  std::string advice;  ///< shown when it is not ok
};

/// Whether `attempt` returns true in a process of its own, so that it may do anything.
bool works(const std::function<bool()>& attempt) {
  Process probe([&] { sys_exit(attempt() ? 0 : 1); });
  probe.start();
  probe.join();
  return probe.exitcode() == 0;
}

Finding tool(const std::string& command, const std::string& advice, bool needed) {
  const auto result = judge::run_command({"sh", "-c", command + " 2>&1"});
  const std::string line = result.output.substr(0, result.output.find('\n'));
  const std::string name = command.substr(0, command.find(' '));
  const bool ok = result.exitcode == 0;
  return {ok, needed, name + (ok ? ": " + line : ": missing"), advice};
}

Finding kernel() {
  utsname name{};
  check(uname(&name), "uname");
  std::istringstream release(name.release);
  int major = 0;
  int minor = 0;
  char dot = 0;
  release >> major >> dot >> minor;
  return {major > 5 || (major == 5 && minor >= 10), true,
          fmt::format("kernel {} on {}", name.release, name.machine),
          "the book needs Linux 5.10 or later"};
}

bool has_pidfd() {
  const judge::OwnedFd fd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  return fd.valid() && syscall(SYS_pidfd_send_signal, fd.get(), 0, nullptr, 0) == 0;
}

bool has_ptrace() {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  const bool ok = child > 0 && ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0;
  if (child > 0) {
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  return ok;
}

bool has_proc_syscall() {
  Process other([] { pause(); });
  other.start();
  const bool ok = judge::read_proc(other.pid().value_or(0), "syscall").has_value();
  other.kill();
  other.join();
  return ok;
}

/// Whether whoever is process 1 here takes the status of orphans, as an init does.
bool orphans_are_reaped() {
  int ends[2];
  check(pipe2(ends, O_CLOEXEC), "pipe2");
  const judge::OwnedFd read_end(ends[0]);
  {
    const judge::OwnedFd write_end(ends[1]);
    Process parent([&] {
      const pid_t orphan = check(fork(), "fork");
      if (orphan == 0) {
        _exit(0);
      }
      siginfo_t info{};  // wait until it is dead, and leave it as a zombie
      check(waitid(P_PID, static_cast<id_t>(orphan), &info, WEXITED | WNOWAIT), "waitid");
      check(write(write_end.get(), &orphan, sizeof orphan), "write");
    });
    parent.start();
    parent.join();
  }
  pid_t orphan = 0;
  if (check(read(read_end.get(), &orphan, sizeof orphan), "read") != sizeof orphan) {
    return false;
  }
  const auto deadline = Deadline::after(std::chrono::seconds(2));
  while (judge::read_stat(orphan) && deadline.remaining().count() > 0) {
    check(poll(nullptr, 0, 10), "poll");
  }
  return !judge::read_stat(orphan);
}

Finding shared_memory() {
  struct statvfs info {};
  if (statvfs("/dev/shm", &info) == -1) {
    return {false, false, "/dev/shm: missing", "mount a tmpfs there; docker: --shm-size=256m"};
  }
  const auto mib = info.f_blocks * info.f_frsize / (1024 * 1024);
  return {mib >= 64, false, fmt::format("/dev/shm: {} MiB", mib),
          "chapters 03 and later want 64 MiB or more; docker: --shm-size=256m"};
}

std::vector<Finding> look() {
  const std::string tools = "./learn installs it on Debian and Ubuntu";
  return {
      kernel(),
      tool("c++ --version", tools, true),
      tool("cmake --version", tools, true),
      tool("ninja --version", tools, true),
      tool("patch --version", tools + "; verify needs it", false),
      tool("mold --version || ld.lld --version",
           "install mold (or lld): the wait for a verdict is about halved", false),
      tool("addr2line --version", "install binutils: crashes are then shown with their line",
           false),
      tool("python3 --version", "install python3: docs, bench and verify need it", false),
      tool("doxygen --version", "install doxygen, graphviz, doxygen-awesome-css for ./learn docs",
           false),
      {works(has_pidfd), true, "pidfd_open and pidfd_send_signal",
       "an old kernel, or a container whose seccomp profile is older than Linux 5.3"},
      {works([] { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }), true, "PR_SET_CHILD_SUBREAPER",
       "the judge cannot find orphans without it"},
      {works(has_ptrace), false, "ptrace of a child",
       "tests that record system calls are skipped; docker: --cap-add=SYS_PTRACE"},
      {works(has_proc_syscall), false, "/proc/PID/syscall of a child",
       "the autopsy of a hang shows kernel functions in place of system calls, and a demo that "
       "hangs is not ended"},
      {works([] { return prctl(PR_GET_SECCOMP) >= 0; }), false, "seccomp",
       "the kernel was built without it; nothing here needs it yet"},
      {works([] { return syscall(SYS_landlock_create_ruleset, nullptr, 0, 1U) > 0; }), false,
       "Landlock", "the kernel has it switched off; nothing here needs it yet"},
      {works([] { return unshare(CLONE_NEWUSER) == 0; }), false, "user namespaces",
       "switched off by the system; only the sandbox for classes will want them"},
      shared_memory(),
      {orphans_are_reaped(), false, "orphans are reaped by process 1",
       "programs in broken/ leave zombies behind here; docker: --init"},
  };
}

}  // namespace

int doctor_command(const Book& /*book*/) {
  const Ink ink(STDOUT_FILENO);
  int status = kPassed;
  for (const Finding& finding : look()) {
    fmt::print("{}  {}\n",
               finding.ok       ? ink.green("ok  ")
               : finding.needed ? ink.red("NO  ")
                                : ink.yellow("no  "),
               finding.what);
    if (!finding.ok) {
      fmt::print("      {}\n", finding.advice);
      status = finding.needed ? kLacking : status;
    }
  }
  return status;
}

}  // namespace mp::runner
