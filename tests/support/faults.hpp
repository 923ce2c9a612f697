#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace mp::test {

/// One system call as the code under test made it.
struct Call {
  std::string_view name;
  std::array<long, 6> args{};  ///< as numbers; those that the call does not have mean nothing
};

/// While an object of this class lives, it stands between the code under test and the kernel: it
/// counts the calls, makes some fail, and runs hooks before them. There is no seam in the
/// learner's code for it: every module is linked with `--wrap` (ld(1)) for the calls listed in
/// mp_chapter.cmake.
///
/// Calls are named as in section 2 of the manual, however they were made: `pidfd_open` is also
/// `syscall(SYS_pidfd_open, …)`. The calls of the test's own file count as well.
///
/// Children made by fork have a copy of it, with counts of their own. One at a time.
class Faults {
 public:
  Faults();
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  /// Makes calls fail without reaching the kernel.
  /// @param name   such as "waitid". @param error  such as EINTR.
  /// @param times  how many calls in a row; @param skip  how many are let through before.
  void fail(std::string_view name, int error, int times = 1, int skip = 0);

  /// Cuts a call that moves bytes (`read`, `writev`, `recv`, `sendmsg`, …) down to this many of
  /// them.
  void shorten(std::string_view name, std::size_t bytes);

  /// Runs a hook before each call of that name, also before those that are made to fail.
  /// What the hook itself calls is neither counted nor made to fail.
  void before(std::string_view name, std::function<void(const Call&)> hook);

  /// The same for what the calls return: after each call of that name that reached the kernel.
  void after(std::string_view name, std::function<void(const Call&)> hook);

  /// Moves the monotonic clock forward, as the code under test reads it.
  void advance_clock(std::chrono::nanoseconds by);
  /// Sets the wall clock forward (or back), as the code under test reads it.
  void set_wall_clock(std::chrono::nanoseconds by);

  /// How often the call was made since this object was made.
  [[nodiscard]] int count(std::string_view name) const;
  /// The calls of that name, in order.
  [[nodiscard]] std::vector<Call> calls(std::string_view name) const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mp::test
