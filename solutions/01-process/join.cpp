#include "01-process/join.hpp"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"
#include "01-process/exit_status.hpp"
#include "01-process/pidfd.hpp"

namespace mp {

Child::Child(pid_t pid)
    : pid_(pid),
      creator_(getpid()),
      fd_(static_cast<int>(check(syscall(SYS_pidfd_open, pid, 0), "pidfd_open"))) {}

Child::~Child() {
  for (const int fd : {fd_.load(), ended_fd_}) {
    if (fd != -1) {
      close(fd);
    }
  }
}

bool Child::join_until(Deadline deadline) {
  const Use use(*this);
  if (ended()) {
    return true;
  }
  pollfd child{.fd = use.fd(), .events = POLLIN, .revents = 0};
  return poll_until({&child, 1}, deadline) != 0 && reap(use);
}

std::optional<int> Child::exitcode() {
  const Use use(*this);
  if (ended() || reap(use)) {
    return status_.load();
  }
  return std::nullopt;
}

int Child::sentinel() {
  const Use use(*this);
  if (!kept_ && !ended()) {
    users_.fetch_add(1);  // a use that never ends: no other one will be the last, and close fd_
    kept_ = true;
  }
  if (kept_) {
    return fd_.load();
  }
  if (ended_fd_ == -1) {
    ended_fd_ = check(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
  }
  return ended_fd_;
}

bool Child::reap(const Use& use) {
  siginfo_t info{};  // si_pid stays 0 when there is nobody to report
  const auto wait = [&](int flags) {
    return retry([&] {
      return waitid(kPidfd, static_cast<id_t>(use.fd()), &info, WEXITED | WNOHANG | flags);
    });
  };
  if (wait(WNOWAIT) == -1) {
    if (errno != ECHILD) {
      throw_errno("waitid");
    }
    // No such child any more. A thread of ours has taken the status and stored it before; if it
    // is not there, then it is lost, and saying so is better than to call the dead alive.
    int running = kRunning;
    status_.compare_exchange_strong(running, kExitUnknown);
    return true;
  }
  if (info.si_pid == 0) {
    return false;
  }
  status_.store(exitcode_of(info));  // before the next line, which can be done only once
  if (wait(0) == -1 && errno != ECHILD) {
    throw_errno("waitid");
  }
  return true;
}

}  // namespace mp
