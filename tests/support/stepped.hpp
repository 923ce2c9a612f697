#pragma once

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "support/kid.hpp"

// Killing a process at any instruction. Needs ptrace(2): ask recorder_works() (recorder.hpp) first.
namespace mp::test {

/// A child whose instructions the test carries out one by one (ptrace(2)), from a point on.
class Stepped {
 public:
  /// @param before  runs freely. @param action  is stepped through.
  Stepped(const std::function<void()>& before, const std::function<void()>& action)
      : kid_([&] {
          before();
          ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
          raise(SIGSTOP);
          action();
          return 0;
        }) {
    stopped_ = waits_until_stopped();
  }
  /// @return whether it is still there after so many instructions.
  bool step(int count) {
    for (int i = 0; i < count && stopped_; ++i) {
      ptrace(PTRACE_SINGLESTEP, kid_.pid(), nullptr, nullptr);
      stopped_ = waits_until_stopped();
    }
    return stopped_;
  }
  /// It is gone when this returns.
  void kill() const {
    kid_.signal(SIGKILL);
    kid_.wait_for_end();
  }
  [[nodiscard]] std::uint32_t number() const { return static_cast<std::uint32_t>(kid_.pid()); }

 private:
  [[nodiscard]] bool waits_until_stopped() const {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(kid_.pid()), &info, WSTOPPED | WEXITED | WNOWAIT) ==
               -1 &&
           errno == EINTR) {
    }
    const bool stopped = info.si_code != CLD_EXITED && info.si_code != CLD_KILLED;
    if (stopped) {  // taken, so that the next one is a new one
      (void)waitpid(kid_.pid(), nullptr, 0);
    }
    return stopped;
  }

  Kid kid_;
  bool stopped_ = false;
};

/// After how many instructions of `action` to kill a child: 1, 2, 3 … up to all of them, at most so
/// many, spread evenly, and in any order: on a slow machine, not all of them are done.
/// @return none if it comes to no end within a second.
inline std::vector<int> moments_of(const std::function<void()>& before,
                                   const std::function<void()>& action, int most) {
  using Clock = std::chrono::steady_clock;
  const auto enough = Clock::now() + std::chrono::seconds(1);
  int all = 0;
  Stepped trial(before, action);
  while (trial.step(1)) {
    ++all;
    if (Clock::now() > enough) {
      return {};
    }
  }
  std::vector<int> counts;
  for (int count = 1; count <= all; count += std::max(1, (all + most - 1) / most)) {
    counts.push_back(count);
  }
  std::shuffle(counts.begin(), counts.end(), std::minstd_rand());  // NOLINT: the same each time
  return counts;
}

}  // namespace mp::test
