#pragma once

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace mp::test {

/// One T in memory that this process and the children it forks afterwards share.
///
/// The way for a body to hand a value to its test: `Shared<std::atomic<int>> seen;`. The mapping
/// goes with the object; a child's copy of the object ends only the child's own view.
/// See mmap(2), MAP_SHARED and MAP_ANONYMOUS.
template <class T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>, "nobody would run the destructor once");

 public:
  /// Maps the memory and value-initialises the T in it.
  /// @throws std::system_error when mmap(2) fails.
  Shared()
      : address_(
            ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (address_ == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mmap");
    }
    value_ = ::new (address_) T{};
  }
  ~Shared() { (void)::munmap(address_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  void* address_;
  T* value_ = nullptr;
};

/// A process that a child left behind: unreaped, or still running.
struct Leftover {
  pid_t pid;
  std::string name;  ///< as in /proc/PID/comm, at most 15 bytes
  char state;        ///< as in /proc/PID/stat: 'Z' zombie, 'R' running, 'S' asleep, 'T' stopped
};

/// What became of a body that ran in a child.
struct ChildResult {
  int exitcode = 0;        ///< n of its exit, or -signal
  bool timed_out = false;  ///< the deadline came first; the child was killed (exitcode -9)
  std::string out;         ///< standard output of the child and its descendants, see kKeptOutput
  std::string err;         ///< standard error, likewise
  rusage usage{};          ///< of the child and of those it waited for; see getrusage(2)
  std::vector<Leftover> leftovers;  ///< descendants that outlived the child, 64 at most, by pid
  std::string threw;                ///< what() of the exception that left the body, else empty
};

/// How many bytes are kept of each output stream. Beyond them a write fails with EPERM, so a
/// flood costs its writer an error and nobody any time.
inline constexpr std::size_t kKeptOutput = 65'536;

/// Runs `body` in a forked child and says what became of it.
///
/// The child ends by `_exit` after flushing its streams: with 0, or with 1 when an exception left
/// the body. It is a grandchild of the caller: a supervisor between them is its parent, adopts
/// what it leaves behind (PR_SET_CHILD_SUBREAPER), then ends and reaps it. No other child of the
/// caller is touched, and nothing outlives the call. The supervisor and the child die with the
/// thread that called. An EXPECT of GoogleTest inside the body proves nothing: return a status, or
/// write to a Shared value.
///
/// @param body      runs in the child; its standard input is the caller's.
/// @param deadline  milliseconds for the body; a child that is over it is killed.
/// @param role      the child's name in /proc/PID/comm, cut to 15 bytes.
/// @throws std::system_error when a call of the set-up fails (fork, memfd_create, pidfd_open ...),
///         std::runtime_error when the supervisor failed or was ended, by the body for instance.
/// See fork(2), pidfd_open(2), memfd_create(2), prctl(2).
ChildResult run_in_child(const std::function<void()>& body,
                         std::chrono::milliseconds deadline = std::chrono::seconds(5),
                         std::string_view role = "child");

/// Runs `body` in this process, a freshly forked child, flushes its streams and leaves by
/// `_exit`: with 0, or with 1 when an exception left the body. See _exit(2).
/// @param[out] threw  what() of that exception, cut to fit and ended by '\0'; not empty.
[[noreturn]] void run_and_exit(const std::function<void()>& body, std::span<char> threw);

}  // namespace mp::test
