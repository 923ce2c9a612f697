#pragma once

#include <linux/futex.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "04-lock/asked.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

// What the graders of semaphore, condition and event set their scenes with.
namespace mp::test {

/// Children that do the same thing, which is to make them sleep.
class Waiters {
 public:
  /// Starts them. The test has failed if one of them does not fall asleep in futex(2).
  Waiters(int count, const std::function<std::string()>& body) {
    for (int i = 0; i < count; ++i) {
      all_.push_back(std::make_unique<Asked>(body, 4));
    }
    for (const auto& one : all_) {
      all_asleep_ = all_asleep_ && falls_asleep_in_futex(one->pid());
    }
    const auto awake = std::find_if(
        all_.begin(), all_.end(), [](const auto& one) { return !is_asleep_in_futex(one->pid()); });
    if (!all_asleep_) {
      expect(false,
             count == 1 ? "the child to sleep in futex(2)" : "each child to sleep in futex(2)",
             awake == all_.end() || (*awake)->is_busy()
                 ? "a child that runs, or that sleeps elsewhere"
                 : "a child that does not wait; it said: " + (*awake)->answer());
    }
  }

  [[nodiscard]] bool all_asleep() const { return all_asleep_; }
  [[nodiscard]] const Asked& operator[](std::size_t i) const { return *all_[i]; }

  /// How many have not come to their end.
  [[nodiscard]] int busy() const {
    return static_cast<int>(
        std::count_if(all_.begin(), all_.end(), [](const auto& one) { return one->is_busy(); }));
  }
  /// Waits until no more than this many are at it; 2 s at most.
  [[nodiscard]] bool becomes(int most) const {
    return becomes_true([this, most] { return busy() <= most; });
  }
  /// Expects that all of them come to an end now, and say this.
  void expect_all(const std::string& what, const std::string& wanted) const {
    for (const auto& one : all_) {
      if (!expect_eq(what, one->answer(), wanted)) {
        return;
      }
    }
  }
  /// Ends one of them as the user would: kill -9. It is gone when this returns.
  void kill(std::size_t i) const {
    all_[i]->kid().signal(SIGKILL);
    all_[i]->kid().wait_for_end();
  }

 private:
  std::vector<std::unique_ptr<Asked>> all_;
  bool all_asleep_ = true;
};

/// In words.
inline std::string yes_or_no(bool value) {
  return value ? "true" : "false";
}

/// How many sleepers the kernel was told to wake, in all the calls that `faults` has seen.
inline long told_to_wake(const Faults& faults) {
  long sum = 0;
  for (const Call& call : faults.calls("futex")) {
    const long operation = call.args[1] & FUTEX_CMD_MASK;
    sum += operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET ? call.args[2] : 0;
  }
  return sum;
}

/// Gives SIGUSR1 a handler that does nothing but interrupt. Without SA_RESTART.
inline void take_sigusr1(void (*handler)(int) = [](int) {}) {
  struct sigaction action {};
  action.sa_handler = handler;
  must(sigaction(SIGUSR1, &action, nullptr), "sigaction");
}

/// Sends signals to a child that sleeps, and expects that it sleeps on.
/// @param handled  counts in its handler. @return whether it does.
inline bool sleeps_on_after_signals(const Asked& child, const std::atomic<int>& handled) {
  for (int i = 0; i < 3; ++i) {
    const int before = handled;
    child.kid().signal(SIGUSR1);
    const bool asleep = becomes_true(
        [&] { return !child.is_busy() || (handled > before && is_asleep_in_futex(child.pid())); });
    if (!expect(
            asleep && child.is_busy(), "it to sleep on after a signal",
            child.is_busy() ? "a child that is awake" : "it ended, and said: " + child.answer())) {
      return false;
    }
  }
  return true;
}

/// The signal's handler counts here.
inline std::atomic<int>*& signals_handled() {
  static std::atomic<int>* counter = nullptr;
  return counter;
}
inline void count_sigusr1(std::atomic<int>& counter) {
  signals_handled() = &counter;
  take_sigusr1([](int) { ++*signals_handled(); });
}

}  // namespace mp::test
