#pragma once

namespace mp {

/// The owner of one file descriptor: closes it, once. It can be moved and not copied, so a
/// descriptor never has two owners, and a return or an exception never leaves one open.
///
/// A process that fork has made has copies of its parent's objects *and* of its descriptors: each
/// of the two closes its own. Python has no such type; an integer is closed by whoever thinks of
/// it.
class UniqueFd {
 public:
  /// Owns nothing.
  UniqueFd() noexcept = default;

  /// Takes over a descriptor, which nobody else may close from now on.
  /// @param fd  an open descriptor, or -1 for none. 0 is a descriptor like any other.
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}

  /// Takes over what `other` owns. `other` owns nothing afterwards.
  UniqueFd(UniqueFd&& other) noexcept;

  /// Closes what this object owns and takes over what `other` owns. Moving an object to itself
  /// changes nothing.
  UniqueFd& operator=(UniqueFd&& other) noexcept;

  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  /// Closes the descriptor, if there is one. `errno` is what it was before: a destructor runs
  /// between a call that failed and whoever asks why.
  ~UniqueFd();

  /// The descriptor, which stays this object's; -1 if it owns none.
  [[nodiscard]] int get() const noexcept { return fd_; }

  /// Whether it owns a descriptor.
  explicit operator bool() const noexcept { return fd_ != -1; }

  /// Gives the descriptor away without closing it: whoever calls is its owner now.
  /// @return the descriptor; -1 if there was none.
  [[nodiscard]] int release() noexcept;

  /// Closes what this object owns and takes over `fd`. The number that it owns already is left
  /// alone.
  /// @param fd  as for the constructor; -1 only closes.
  ///
  /// ### Implementation
  /// After close(2) the descriptor is gone, also when it returned -1 with EINTR or EIO. Whoever
  /// calls it again closes a descriptor that another thread may just have been given. `errno` is
  /// left as it was.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// A second descriptor for what `fd` refers to. Both share one position and one set of flags; it
/// stays open until *both* are closed. It is close-on-exec.
/// @param fd  an open descriptor, which stays the caller's.
/// @return the new one.
/// @throws std::system_error naming "fcntl(F_DUPFD_CLOEXEC)" (EBADF, EMFILE).
/// @see fcntl(2). Python: `os.dup()`.
///
/// ### Implementation
/// With `dup` and a second call to set close-on-exec, a thread that forks and executes in between
/// would hand the descriptor to a stranger.
UniqueFd duplicate(int fd);

/// Says whether a descriptor is still open in a program that this process starts with execve(2).
/// Every descriptor that this book makes is closed there; one that another program is meant to
/// have, is told so here. fork copies descriptors in any case.
/// @param fd           an open descriptor.
/// @param inheritable  whether it survives execve.
/// @throws std::system_error naming "fcntl(F_GETFD)" or "fcntl(F_SETFD)" (EBADF).
/// @see fcntl(2), FD_CLOEXEC. Python: `os.set_inheritable()`.
///
/// ### Implementation
/// There may be more flags than this one: read them, change one, write them back.
void set_inheritable(int fd, bool inheritable);

}  // namespace mp
