#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/surroundings.hpp"

// What the graders of process and family set their scenes with.
namespace mp::test {

/// How long a process may take for what it does at once when it is right.
inline constexpr std::chrono::seconds kLimit{2};

/// Ends and reaps the children that a test that has failed leaves behind, so that the failure is
/// all that is reported. Declare it first: it must go last.
class Sweeper {
 public:
  Sweeper() = default;
  ~Sweeper() {
    if (!testing::Test::HasFailure() && std::uncaught_exceptions() == 0) {
      return;  // whoever is left now is for the judge to see
    }
    for (const auto& [pid, words] : look_around().children) {
      ::kill(pid, SIGKILL);
      while (waitpid(pid, nullptr, 0) == -1 && errno == EINTR) {
      }
    }
  }
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;
};

/// Closed at first. Any number of processes may wait at it, and once it is open it stays so.
class Latch {
 public:
  Latch() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ == -1) {
      throw std::system_error(errno, std::generic_category(), "eventfd");
    }
  }
  ~Latch() { ::close(fd_); }
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  void open() const {
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
  }
  /// @return whether it is open, after the time-out if need be.
  [[nodiscard]] bool wait_for(std::chrono::milliseconds timeout) const {
    pollfd item{fd_, POLLIN, 0};
    const int count = static_cast<int>(timeout.count());
    int ready = 0;
    do {
      ready = ::poll(&item, 1, count);
    } while (ready == -1 && errno == EINTR);
    return ready == 1;
  }
  /// For bodies that run until they are let go: a minute is for ever in a test.
  void wait() const { (void)wait_for(std::chrono::minutes(1)); }

 private:
  int fd_;
};

/// Opens the latch at the end of the scope: nobody then waits for a child that waits for it.
class OpensAtEnd {
 public:
  explicit OpensAtEnd(const Latch& latch) : latch_(latch) {}
  ~OpensAtEnd() { latch_.open(); }
  OpensAtEnd(const OpensAtEnd&) = delete;
  OpensAtEnd& operator=(const OpensAtEnd&) = delete;

 private:
  const Latch& latch_;
};

/// Runs `hook` before each call that would wait: poll, ppoll and the wait calls, unless their time
/// is zero (WNOHANG). In children as well; a hook that is about one process asks who it is in.
inline void before_each_wait(Faults& faults, const std::function<void()>& hook) {
  const auto when = [&](std::string_view name, bool (*waits)(const Call&)) {
    faults.before(name, [=](const Call& call) {
      if (waits(call)) {
        hook();
      }
    });
  };
  when("poll", [](const Call& call) { return call.args[2] != 0; });
  when("ppoll", [](const Call& call) {
    const auto* const time = reinterpret_cast<const timespec*>(call.args[2]);  // NOLINT
    return time == nullptr || time->tv_sec > 0 || time->tv_nsec > 0;
  });
  when("waitid", [](const Call& call) { return (call.args[3] & WNOHANG) == 0; });
  when("waitpid", [](const Call& call) { return (call.args[2] & WNOHANG) == 0; });
  when("wait4", [](const Call& call) { return (call.args[2] & WNOHANG) == 0; });
  when("wait", [](const Call& /*call*/) { return true; });
}

/// Opens the latch as soon as this process waits for something: before that, a child that waits
/// at the latch cannot have ended.
inline void open_at_wait(Faults& faults, const Latch& latch) {
  before_each_wait(faults, [&latch, self = getpid()] {
    if (getpid() == self) {
      latch.open();
    }
  });
}

/// How many signals this process has sent.
inline int count_signals(const Faults& faults) {
  return faults.count("kill") + faults.count("pidfd_send_signal");
}

/// "running", "a zombie" or "gone": a child of this process, looked at and left as it is.
inline std::string state_of(pid_t pid) {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == -1) {
    return "gone";
  }
  return info.si_pid == 0 ? "running" : "a zombie";
}

/// The same of any child of this process: "gone" when there is none.
inline std::string state_of_any_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1) {
    return "gone";
  }
  return info.si_pid == 0 ? "running" : "a zombie";
}

/// Waits until a child has ended, without reaping it. @return false when that takes too long.
inline bool ends(pid_t pid, std::chrono::milliseconds limit = kLimit) {
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd == -1) {
    return errno == ESRCH;
  }
  pollfd item{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&item, 1, static_cast<int>(limit.count()));
  } while (ready == -1 && errno == EINTR);
  ::close(fd);
  return ready == 1;
}

/// A child made by a plain fork. @return its number; the caller must reap it.
inline pid_t plain_fork(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == -1) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid == 0) {
    int code = 125;
    try {
      code = body();
    } catch (...) {
    }
    _exit(code);
  }
  return pid;
}

/// Reaps it. @return n, or -signal; -1000 when there is nobody to reap.
inline int reap(pid_t pid) {
  int status = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(pid, &status, 0);
  } while (got == -1 && errno == EINTR);
  if (got == -1) {
    return -1000;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/// In a child, where an expect() would count for nothing: an exception says what is wrong.
inline void require(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw std::runtime_error(otherwise);
  }
}

/// As expect_throw(), in a child. @param call  for the message: "join()".
template <class E, class F>
void require_throw(const std::string& call, F action) {
  try {
    action();
  } catch (const std::exception& error) {
    if (std::string_view(error.what()).starts_with("TODO ")) {
      throw;
    }
    require(dynamic_cast<const E*>(&error) != nullptr,
            call + " threw something else: " + error.what());
    return;
  }
  throw std::runtime_error(call + " threw nothing");
}

/// The errno of the std::system_error that `action` throws, 0 when it throws nothing.
template <class F>
int errno_of(F action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return error.code().value();
  }
  return 0;
}

/// Expects that a body that ran in a child came to its end, and left nobody behind.
inline bool expect_well(const ChildResult& child, std::string_view expected) {
  if (child.timed_out) {
    return expect(false, expected, "it did not come to its end: it waits for ever");
  }
  if (child.threw.starts_with("TODO ")) {
    throw std::logic_error(child.threw);  // as if it had been thrown here
  }
  if (!child.threw.empty()) {
    return expect(false, expected, child.threw);
  }
  const std::string output = child.err.empty() ? "" : "; on stderr: " + child.err;
  if (child.exitcode != 0) {
    return expect(false, expected, "its exit code is " + std::to_string(child.exitcode) + output);
  }
  return expect(child.leftovers.empty(), expected,
                std::to_string(child.leftovers.size()) + " process(es) left behind" + output);
}

/// What became of a child after its parent was gone.
struct Orphan {
  std::atomic<pid_t> pid;      ///< 0 while nobody knows it
  std::atomic<bool> ran_body;  ///< it came as far as its function
  std::atomic<bool> ended;     ///< within kLimit of its parent's end
  std::atomic<int> exitcode;   ///< if it ended: n, or -signal
};

/// Runs `parent` in a process that is to start a child, note its number in `orphan`, and die of
/// SIGKILL. Whoever adopts the orphan waits for its end.
inline ChildResult orphan_a_child(const Shared<Orphan>& orphan,
                                  const std::function<void()>& parent) {
  return run_in_child(
      [&] {
        if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1) {
          throw std::system_error(errno, std::generic_category(), "prctl");
        }
        const Shared<std::array<char, 256>> threw;
        const pid_t pid = ::fork();
        if (pid == 0) {
          run_and_exit(parent, *threw);
        }
        const int code = reap(pid);
        require(threw->front() == '\0', threw->data());
        require(code == -SIGKILL,
                "the parent was to be killed, but ended with " + std::to_string(code));
        if (orphan->pid != 0 && ends(orphan->pid)) {
          orphan->exitcode = reap(orphan->pid);
          orphan->ended = true;
        }
      },
      2 * kLimit, "adopter");
}

/// For a hook in a child: kills the parent and waits until it is gone and the child has been
/// adopted by somebody else.
inline void kill_parent_first(const Shared<Orphan>& orphan, pid_t parent) {
  if (getppid() != parent) {
    return;  // done before
  }
  orphan->pid = getpid();
  ::kill(parent, SIGKILL);
  while (getppid() == parent) {
    ::poll(nullptr, 0, 1);
  }
}

/// How many descriptors of this process are pidfds.
inline int count_pidfds() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).native().find("pidfd") !=
        std::string::npos) {
      ++count;
    }
  }
  return count;
}

}  // namespace mp::test
