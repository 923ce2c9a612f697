#include "01-process/exit_status.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <system_error>

#include "00-syscalls/errors.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

/// How a process ended, as both families of calls report it.
struct Ending {
  siginfo_t info{};
  int status = 0;
};

/// Makes a child that does `action`, and waits for it. It ends with 99 if the action lets it.
Ending ending_of(const std::function<void()>& action) {
  const pid_t pid = fork();
  if (pid == -1) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid == 0) {
    action();
    _exit(99);
  }
  Ending ending;
  while (waitid(P_PID, static_cast<id_t>(pid), &ending.info, WEXITED | WNOWAIT) == -1 &&
         errno == EINTR) {
  }
  while (waitpid(pid, &ending.status, 0) == -1 && errno == EINTR) {
  }
  return ending;
}

Ending exited_with(int code) {
  return ending_of([code] { _exit(code); });
}

Ending killed_by(int signum) {
  return ending_of([signum] {
    signal(signum, SIG_DFL);  // SIGABRT and others have a handler in a test
    raise(signum);
  });
}

/// What waitid(2) would report, for what is hard to bring about.
siginfo_t report(int code, int status) {
  siginfo_t info{};
  info.si_signo = SIGCHLD;
  info.si_code = code;
  info.si_status = status;
  return info;
}

TEST(ExitStatus, WaitidExitCode) {
  lesson("How it ended");
  did("had children end with _exit(n), and asked exitcode_of(siginfo_t)");
  for (const int code : {0, 1, 7, 127, 128, 255}) {
    expect_eq("for n = " + std::to_string(code) + " it", exitcode_of(exited_with(code).info), code);
  }
}

TEST(ExitStatus, WaitpidExitCode) {
  lesson("How it ended");
  did("had children end with _exit(n), and asked exitcode_of(int)");
  for (const int code : {0, 1, 7, 127, 128, 255}) {
    expect_eq("for n = " + std::to_string(code) + " it", exitcode_of(exited_with(code).status),
              code);
  }
}

TEST(ExitStatus, OnlyEightBitsArriveFromExit) {
  lesson("How it ended");
  did("had children end with _exit(256), _exit(300) and _exit(-1)");
  const Ending a = exited_with(256);
  const Ending b = exited_with(300);
  const Ending c = exited_with(-1);
  expect_eq("exitcode_of(siginfo_t) for 256", exitcode_of(a.info), 0);
  expect_eq("exitcode_of(siginfo_t) for 300", exitcode_of(b.info), 44);
  expect_eq("exitcode_of(siginfo_t) for -1", exitcode_of(c.info), 255);
  expect_eq("exitcode_of(int) for 256", exitcode_of(a.status), 0);
  expect_eq("exitcode_of(int) for 300", exitcode_of(b.status), 44);
  expect_eq("exitcode_of(int) for -1", exitcode_of(c.status), 255);
}

TEST(ExitStatus, WaitidSignal) {
  lesson("How it ended");
  did("had children killed by signals, and asked exitcode_of(siginfo_t)");
  for (const int signum : {SIGHUP, SIGTERM, SIGKILL, SIGSEGV, SIGABRT, 40}) {
    expect_eq("for signal " + std::to_string(signum) + " it", exitcode_of(killed_by(signum).info),
              -signum);
  }
}

TEST(ExitStatus, WaitpidSignal) {
  lesson("How it ended");
  did("had children killed by signals, and asked exitcode_of(int)");
  for (const int signum : {SIGHUP, SIGTERM, SIGKILL, SIGSEGV, SIGABRT, 40}) {
    expect_eq("for signal " + std::to_string(signum) + " it", exitcode_of(killed_by(signum).status),
              -signum);
  }
}

// Whether a core is dumped depends on limits and settings, so these reports are made by hand.
TEST(ExitStatus, WaitidCoreDumpChangesNothing) {
  lesson("How it ended");
  did("asked exitcode_of(siginfo_t) about a child that SIGSEGV killed with a core dump");
  expect_eq("its result", exitcode_of(report(CLD_DUMPED, SIGSEGV)), -SIGSEGV);
}

TEST(ExitStatus, WaitpidCoreDumpChangesNothing) {
  lesson("How it ended");
  did("asked exitcode_of(int) about a child that SIGSEGV killed with a core dump");
  expect_eq("its result", exitcode_of(W_EXITCODE(0, SIGSEGV) | WCOREFLAG), -SIGSEGV);
}

TEST(ExitStatus, WaitidStoppedIsNoEnd) {
  lesson("How it ended");
  did("asked exitcode_of(siginfo_t) about children that have been stopped, continued, trapped");
  for (const int code : {CLD_STOPPED, CLD_CONTINUED, CLD_TRAPPED}) {
    expect_throw<ValueError>("mp::ValueError", [code] { exitcode_of(report(code, SIGSTOP)); });
  }
}

constexpr int kContinued = 0xffff;  // what WIFCONTINUED(status) compares with

TEST(ExitStatus, WaitpidStoppedIsNoEnd) {
  lesson("How it ended");
  did("asked exitcode_of(int) about children that have been stopped and continued");
  expect_throw<ValueError>("mp::ValueError", [] { exitcode_of(W_STOPCODE(SIGSTOP)); });
  expect_throw<ValueError>("mp::ValueError", [] { exitcode_of(kContinued); });
}

TEST(ExitStatus, NothingReportedIsNoEnd) {
  lesson("How it ended");
  did("asked exitcode_of(siginfo_t) about what waitid(…, WNOHANG) fills in for a running child");
  expect_throw<ValueError>("mp::ValueError", [] { exitcode_of(siginfo_t{}); });
}

TEST(ExitStatus, DescribesExitCodes) {
  lesson("How it ended");
  did("called describe() with exit codes");
  expect_eq("describe(0)", describe(0), "exit code 0");
  expect_eq("describe(3)", describe(3), "exit code 3");
  expect_eq("describe(255)", describe(255), "exit code 255");
}

TEST(ExitStatus, DescribesSignalsByName) {
  lesson("How it ended");
  did("called describe() with minus the numbers of signals");
  expect_eq("describe(-SIGKILL)", describe(-SIGKILL), "killed by SIGKILL (9)");
  expect_eq("describe(-SIGTERM)", describe(-SIGTERM), "killed by SIGTERM (15)");
  expect_eq("describe(-SIGSEGV)", describe(-SIGSEGV), "killed by SIGSEGV (11)");
  expect_eq("describe(-SIGHUP)", describe(-SIGHUP), "killed by SIGHUP (1)");
}

TEST(ExitStatus, DescribesSignalsWithoutAName) {
  lesson("How it ended");
  did("called describe() with minus the numbers of real-time signals, and with -1000");
  expect_eq("describe(-40)", describe(-40), "killed by signal 40");
  expect_eq("describe(-64)", describe(-64), "killed by signal 64");
  expect_eq("describe(-1000)", describe(-1000), "killed by signal 1000");
}

TEST(ExitStatus, DescribesTheUnknown) {
  lesson("How it ended");
  did("called describe(kExitUnknown)");
  expect_eq("its result", describe(kExitUnknown), "ended, status unknown");
}

}  // namespace
}  // namespace mp::test
