#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

#include "01-process/pidfd.hpp"
#include "support/faults.hpp"

namespace mp::test {

inline int must(long result, const char* call) {
  if (result == -1) {
    throw std::system_error(errno, std::generic_category(), call);
  }
  return static_cast<int>(result);
}

/// Where one process waits until another one lets it go on: a pipe, and a byte for each who waits.
class Gate {
 public:
  Gate() { must(pipe2(ends_.data(), O_CLOEXEC), "pipe2"); }
  ~Gate() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Lets one process through, now or when it comes.
  void open() const { (void)!::write(ends_[1], "\n", 1); }
  /// Waits until it is this process's turn.
  void pass() const {
    char byte = 0;
    while (::read(ends_[0], &byte, 1) == -1 && errno == EINTR) {
    }
  }
  [[nodiscard]] int entrance() const { return ends_[0]; }
  [[nodiscard]] int exit() const { return ends_[1]; }

 private:
  std::array<int, 2> ends_{};
};

/// A child for the code under test, made without it: nothing that the code does or fails to do
/// keeps the test from knowing what became of the child, and from ending it.
///
/// It never outlives the object, nor its lifetime: a wait that never ends would say nothing.
class Kid {
 public:
  static constexpr unsigned kLifetime = 2;  ///< seconds; then SIGALRM ends it

  /// @param body  runs in the child; what it returns is the exit code.
  /// @param lifetime  in seconds.
  explicit Kid(const std::function<int()>& body, unsigned lifetime = kLifetime)
      : lifetime_(lifetime), pid_(must(fork(), "fork")) {
    if (pid_ == 0) {
      alarm(lifetime);
      int code = 125;
      try {
        code = body();
      } catch (...) {
      }
      _exit(code);
    }
    fd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    if (fd_ == -1) {
      const int error = errno;
      ::kill(pid_, SIGKILL);
      (void)waitpid(pid_, nullptr, 0);
      throw std::system_error(error, std::generic_category(), "pidfd_open");
    }
  }
  ~Kid() {
    syscall(SYS_pidfd_send_signal, fd_, SIGKILL, nullptr, 0);
    (void)wait(WEXITED);
    ::close(fd_);
  }
  Kid(const Kid&) = delete;
  Kid& operator=(const Kid&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  void signal(int signum) const {
    must(syscall(SYS_pidfd_send_signal, fd_, signum, nullptr, 0), "pidfd_send_signal");
  }
  /// Waits until it is a zombie, or already taken. It is killed when that takes more than its
  /// lifetime, which does not pass while it is stopped.
  void wait_for_end() const {
    pollfd end{fd_, POLLIN, 0};
    int result = 0;
    do {
      result = poll(&end, 1, 1000 * static_cast<int>(lifetime_));
    } while (result == -1 && errno == EINTR);
    if (result == 0) {
      signal(SIGKILL);
    }
    (void)wait(WEXITED | WNOWAIT);
  }
  void wait_until_stopped() const { (void)wait(WSTOPPED | WNOWAIT); }

  /// Whether it has not been waited for yet, dead or alive.
  [[nodiscard]] bool is_ours() const {
    siginfo_t info{};
    return waitid(kPidfd, static_cast<id_t>(fd_), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  }
  [[nodiscard]] bool is_running() const {
    siginfo_t info{};
    return waitid(kPidfd, static_cast<id_t>(fd_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }
  /// Waits for it as somebody else in the program might. @return si_status, if there was one.
  [[nodiscard]] std::optional<int> take() const { return wait(WEXITED); }

 private:
  [[nodiscard]] std::optional<int> wait(int flags) const {
    siginfo_t info{};
    int result = 0;
    do {
      result = waitid(kPidfd, static_cast<id_t>(fd_), &info, flags);
    } while (result == -1 && errno == EINTR);
    return result == 0 ? std::optional(info.si_status) : std::nullopt;
  }

  unsigned lifetime_;
  pid_t pid_;
  int fd_ = -1;
};

/// The body of a Kid that ends at once.
inline std::function<int()> exits_with(int code) {
  return [code] { return code; };
}

/// The body of a Kid that runs until it is killed.
inline std::function<int()> waits_for_ever() {
  return [] {
    for (;;) {
      pause();
    }
    return 0;
  };
}

/// Whether poll(2) calls the descriptor readable now; not when it is not open.
inline bool readable(int fd) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, 0) == 1 && (item.revents & POLLIN) != 0;
}

inline bool is_open(int fd) {
  return fcntl(fd, F_GETFD) != -1;
}

/// How many descriptors this process has.
inline std::size_t count_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// The calls by which a process waits for another one.
inline constexpr std::array<std::string_view, 6> kWaits{"poll",    "ppoll", "waitid",
                                                        "waitpid", "wait4", "wait"};

/// The C library's getpid(), as Faults calls it; `syscall(SYS_getpid)` is "getpid".
inline constexpr std::string_view kGetpid = "getpid(libc)";

/// An argument of a Call that is a pointer.
template <class T>
const T* pointer(long argument) {
  return reinterpret_cast<const T*>(argument);  // NOLINT(performance-no-int-to-ptr)
}

/// For how many seconds one of those calls may wait; infinity where it has no limit.
inline double patience(const Call& call) {
  constexpr double kForever = std::numeric_limits<double>::infinity();
  if (call.name == "poll") {
    return call.args[2] < 0 ? kForever : static_cast<double>(call.args[2]) / 1e3;
  }
  if (call.name == "ppoll") {
    const auto* time = pointer<timespec>(call.args[2]);
    return time == nullptr
               ? kForever
               : static_cast<double>(time->tv_sec) + static_cast<double>(time->tv_nsec) / 1e9;
  }
  if (call.name == "wait") {
    return kForever;
  }
  const long flags = call.args[call.name == "waitid" ? 3 : 2];
  return (flags & WNOHANG) != 0 ? 0 : kForever;
}

/// Runs `hook` before each call of `faults` that waits for another process.
inline void before_waits(Faults& faults, const std::function<void(const Call&)>& hook) {
  for (const std::string_view name : kWaits) {
    faults.before(name, hook);
  }
}

/// While it lives, code that waits although it should not is noticed, and is not left waiting: the
/// kid is killed.
class NoWaiting {
 public:
  explicit NoWaiting(const Kid& kid) {
    before_waits(faults_, [this, &kid](const Call& call) {
      if (patience(call) > 0) {
        waited_ = true;
        kid.signal(SIGKILL);
      }
    });
  }
  [[nodiscard]] bool waited() const { return waited_; }

 private:
  Faults faults_;
  bool waited_ = false;
};

}  // namespace mp::test
