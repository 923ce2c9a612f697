#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <optional>
#include <stdexcept>

#include "00-syscalls/deadline.hpp"

namespace mp {

/// A child process as its parent knows it: a pidfd, and how the child ended.
///
/// A pidfd is a descriptor that stands for one process. A process id is only a number, and the
/// kernel gives it to somebody else once its process has been waited for; a pidfd never changes
/// its meaning, `poll` reports it readable when the process has ended, and no other process can
/// be made to hold it open in the child's name.
///
/// Any number of threads of the creator may wait for and ask about the same Child at once, and
/// each gets the same answer. Copies of a Child in other processes (fork makes them) may only be
/// destroyed.
class Child {
 public:
  /// Takes over a child of this process.
  /// @param pid  from spawn() or fork, not yet waited for.
  /// @throws std::system_error naming "pidfd_open" (EMFILE, ENFILE, ESRCH, ENOSYS). The child
  ///         runs on, and is still the caller's.
  /// @see pidfd_open(2)
  explicit Child(pid_t pid);

  /// Closes the descriptor. Does not wait: an unjoined child runs on.
  ~Child();

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// The process id. After the end it may be another process's: send signals with
  /// send_signal(), not to this number.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Waits until the child has ended, and takes its exit status. May be called again.
  /// @throws std::logic_error in a process that is not the creator; std::system_error.
  /// Python: `Process.join()`.
  void join() { join_until(Deadline::never()); }

  /// Waits until the child has ended or the deadline has passed. Signals that arrive meanwhile
  /// do not disturb it.
  /// @return whether the child has ended; exitcode() has the number then.
  /// @throws std::logic_error in a process that is not the creator; std::system_error.
  /// @see poll(2), waitid(2). Python: `Process.join(timeout)`.
  bool join_until(Deadline deadline);

  /// As join_until(). @param timeout  zero or less does not wait.
  template <class Rep, class Period>
  bool join_for(std::chrono::duration<Rep, Period> timeout) {
    return join_until(Deadline::after(timeout));
  }

  /// How the child ended; never waits. A child that has ended is reaped by the asking.
  /// @return none while the child runs; then a number as exitcode_of() has it; kExitUnknown when
  ///         somebody else has waited for the child (`waitpid(-1)` in a library) or SIGCHLD is
  ///         ignored, so that the kernel kept no status.
  /// @throws std::logic_error in a process that is not the creator; std::system_error.
  /// Python: `Process.exitcode`.
  std::optional<int> exitcode();

  /// A descriptor for poll(2): readable from the child's end on, for as long as this object lives.
  /// The Child owns it; do not read or close it. Unlike the others, for one thread to ask.
  /// @throws std::logic_error in a process that is not the creator; std::system_error (EMFILE).
  /// @see eventfd(2). Python: `Process.sentinel`.
  ///
  /// ### Implementation
  /// The pidfd, and from then on kept: count a use that never ends. For a child that was reaped
  /// before anybody asked, an eventfd with 1 in it: it is readable, too. Make it close-on-exec, as
  /// a pidfd is.
  int sentinel();

  /// The right to use the pidfd for the length of a scope. (Given.)
  ///
  /// A reaped child needs no pidfd: the last one who uses it closes it, so that a thousand
  /// finished children hold no descriptor. Nobody can be in the middle of a system call with the
  /// number of a closed descriptor, because every use is counted:
  ///
  ///     const Use use(*this);
  ///     if (!ended()) { … use.fd() … }
  ///
  /// In this order. Whoever counts himself in and then finds the status missing holds a
  /// descriptor that the reaper will see counted.
  class Use {
   public:
    explicit Use(Child& child);  ///< @throws std::logic_error in another process than the creator
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    /// The pidfd; meant to be used only when ended() is false under this object.
    [[nodiscard]] int fd() const noexcept { return child_.fd_.load(); }

   private:
    Child& child_;
  };

  /// Whether the end has been seen by reap(). (Given.)
  [[nodiscard]] bool ended() const noexcept { return status_.load() != kRunning; }

 private:
  /// Takes the exit status of the child if it has ended; never waits.
  /// @param use  proof that the pidfd is open: the caller has found ended() false under it.
  /// @return whether the child has ended; its status is stored then.
  ///
  /// ### Implementation
  /// Several threads may be here at once, and the kernel gives the status away once. `WNOWAIT`
  /// looks at it without taking it: look, store, and only then take. Whoever comes too late
  /// (ECHILD) finds it stored, or nobody of this program has taken it.
  bool reap(const Use& use);

  static constexpr int kRunning = INT_MAX;

  const pid_t pid_;
  const pid_t creator_;                ///< the only process that may wait
  std::atomic<int> fd_{-1};            ///< the pidfd; -1 once it is not needed any more
  std::atomic<int> users_{0};          ///< how many Use objects there are
  std::atomic<int> status_{kRunning};  ///< kRunning, kExitUnknown or the exit code
  bool kept_ = false;                  ///< sentinel() has given the number of fd_ away
  int ended_fd_ = -1;                  ///< sentinel() of a child that was reaped before
};

inline Child::Use::Use(Child& child) : child_(child) {
  if (child.creator_ != getpid()) {
    throw std::logic_error("can only join, test or signal a child of this process");
  }
  child.users_.fetch_add(1);
}

inline Child::Use::~Use() {
  if (child_.users_.fetch_sub(1) == 1 && child_.ended()) {
    const int fd = child_.fd_.exchange(-1);
    if (fd != -1) {
      close(fd);
    }
  }
}

}  // namespace mp
