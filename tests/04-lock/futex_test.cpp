#include "04-lock/futex.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "04-lock/asked.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// The result in words. A stub's exception goes on up.
std::string waited(const FutexWord& word, std::uint32_t expected, Deadline deadline) {
  switch (futex_wait(word, expected, deadline)) {
    case Wake::kWoken:
      return "kWoken";
    case Wake::kChanged:
      return "kChanged";
    case Wake::kTimedOut:
      return "kTimedOut";
  }
  return "no value of Wake";
}

/// The same in a child, which is ended when it waits for more than 2 s.
std::string waited_by_child(const FutexWord& word, std::uint32_t expected, Deadline deadline) {
  return Asked([&] { return waited(word, expected, deadline); }).answer();
}

/// Wakes until that many were woken in all, 2 s at most. @return how many were.
int wakes(const FutexWord& word, int count) {
  int woken = 0;
  becomes_true([&] {
    woken += futex_wake(word, count - woken);
    return woken >= count;
  });
  return woken;
}

/// Children that sleep on the word, for ever.
std::vector<std::unique_ptr<Asked>> sleepers(const FutexWord& word, int count) {
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(
        std::make_unique<Asked>([&word] { return waited(word, 0, Deadline::never()); }, 4));
  }
  for (const auto& one : all) {
    if (!expect(falls_asleep_in_futex(one->pid()), "each child to sleep in futex(2)",
                "one that does not")) {
      break;
    }
  }
  return all;
}

int busy(const std::vector<std::unique_ptr<Asked>>& all) {
  int count = 0;
  for (const auto& one : all) {
    count += one->is_busy() ? 1 : 0;
  }
  return count;
}

/// What the kernel is told in a call that waits: until which moment, if there is one.
struct Told {
  explicit Told(const Call& call)
      : operation(static_cast<int>(call.args[1])),
        waits((operation & FUTEX_CMD_MASK) == FUTEX_WAIT ||
              (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET) {
    const auto* const time = pointer<timespec>(waits ? call.args[3] : 0);
    for_ever = time == nullptr;
    if (!for_ever) {
      seconds = static_cast<double>(time->tv_sec) + static_cast<double>(time->tv_nsec) / 1e9;
    }
  }
  /// How many seconds there are to go. @param passed  what the clock was moved by.
  [[nodiscard]] double left(std::chrono::nanoseconds passed) const {
    if ((operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
      return seconds;
    }
    return seconds - std::chrono::duration<double>(monotonic_now() + passed).count();
  }
  int operation;
  bool waits;
  bool for_ever = true;
  double seconds = 0;
};

/// Expects a std::system_error with this errno, whose text begins with the call's name.
template <class F>
void expect_error(int error, const std::string& call, F action) {
  const std::string wanted = std::string("std::system_error with ") + strerrorname_np(error);
  const std::string text = expect_throw<std::system_error>(wanted, [&] {
    try {
      action();
    } catch (const std::system_error& thrown) {
      expect_eq("the code of the exception", thrown.code().value(), error);
      throw;
    }
  });
  expect(text.starts_with(call + ": "), "a text that begins with the call, \"" + call + ": \"",
         '"' + text + '"');
}

// ---- asleep and awake

TEST(Futex, SleepsUntilItIsWoken) {
  lesson("From spinning to sleeping");
  did("let a child sleep on a word, and woke it with the word as it was");
  const Shared<FutexWord> word;
  const auto all = sleepers(*word, 1);
  expect_eq("how many were woken", wakes(*word, 1), 1);
  expect_eq("what futex_wait() returned", all.front()->answer(), "kWoken");
  expect_eq("the word", word->load(), 0U);
}

TEST(Futex, WokenAfterAChange) {
  lesson("The check and the sleep are one step");
  did("let a child sleep while the word is 0, made it 1, and woke the child");
  const Shared<FutexWord> word;
  const auto all = sleepers(*word, 1);
  word->store(1);
  expect_eq("how many were woken", wakes(*word, 1), 1);
  expect_eq("what futex_wait() returned", all.front()->answer(), "kWoken");
}

TEST(Futex, NobodySleeps) {
  lesson("From spinning to sleeping");
  did("woke those who sleep on a word that nobody sleeps on");
  const Shared<FutexWord> word;
  word->store(7);
  for (const int count : {1, 3, INT_MAX}) {
    expect_eq("how many were woken", futex_wake(*word, count), 0);
  }
  expect_eq("the word", word->load(), 7U);
}

TEST(Futex, NoMoreThanTold) {
  lesson("From spinning to sleeping");
  did("let three children sleep, and woke one");
  const Shared<FutexWord> word;
  const auto all = sleepers(*word, 3);
  expect_eq("how many were woken", futex_wake(*word, 1), 1);
  expect(becomes_true([&all] { return busy(all) <= 2; }), "one child to be awake",
         "three that sleep on");
  expect_eq("how many sleep on", busy(all), 2);
  did("woke two more");
  expect_eq("how many were woken", futex_wake(*word, 2), 2);
  expect(becomes_true([&all] { return busy(all) == 0; }), "all of them to be awake",
         "some that sleep on");
}

TEST(Futex, AllOfThem) {
  lesson("From spinning to sleeping");
  did("let three children sleep, and woke INT_MAX of them");
  const Shared<FutexWord> word;
  const auto all = sleepers(*word, 3);
  expect_eq("how many were woken", futex_wake(*word, INT_MAX), 3);
  expect(becomes_true([&all] { return busy(all) == 0; }), "all of them to be awake",
         "some that sleep on");
}

TEST(Futex, OneWordAndItsNeighbour) {
  lesson("From spinning to sleeping");
  did("let a child sleep on a word, and woke those who sleep on the next one");
  const Shared<std::array<FutexWord, 2>> words;
  const auto all = sleepers((*words)[0], 1);
  expect_eq("how many were woken", futex_wake((*words)[1], INT_MAX), 0);
  expect_eq("whether the child sleeps on", all.front()->is_busy(), true);
}

TEST(Futex, TwoAddresses) {
  lesson("From spinning to sleeping");
  did("let a child sleep on a word that this process has at another address, and woke it");
  const TwoViews<FutexWord> word;
  const auto all = sleepers(word.there(), 1);
  expect_eq("how many were woken", wakes(word.here(), 1), 1);
  expect_eq("what futex_wait() returned", all.front()->answer(), "kWoken");
}

// ---- the check

TEST(Futex, ChangedBefore) {
  lesson("The check and the sleep are one step");
  const Shared<FutexWord> word;
  for (const auto& [value, expected] : {std::pair{1U, 0U}, {0U, 1U}, {2U, 0xffffffffU}}) {
    did("waited while the word is " + std::to_string(expected) + ", and it is " +
        std::to_string(value));
    word->store(value);
    for (const Deadline deadline :
         {Deadline::never(), Deadline::after(1h), Deadline::after(0s), Deadline::after(-5s)}) {
      if (!expect_eq("what futex_wait() returned", waited_by_child(*word, expected, deadline),
                     "kChanged")) {
        return;
      }
    }
  }
}

TEST(Futex, ChangedAtTheLastMoment) {
  lesson("The check and the sleep are one step");
  did("made the word 1 when the call of the kernel was about to be made, to wait while it is 0");
  const Shared<FutexWord> word;
  const Asked child([&word] {
    Faults faults;
    faults.before("futex", [&word](const Call& /*call*/) { word->store(1); });
    return waited(*word, 0, Deadline::never());
  });
  expect_eq("what futex_wait() returned", child.answer(), "kChanged");
}

TEST(Futex, AllBitsCount) {
  lesson("The check and the sleep are one step");
  did("let a child sleep while the word is 2^32 - 1, and woke it");
  const Shared<FutexWord> word;
  word->store(0xffffffffU);
  const Asked child([&word] { return waited(*word, 0xffffffffU, Deadline::never()); });
  expect(falls_asleep_in_futex(child.pid()), "it to sleep in futex(2)", "a child that does not");
  expect_eq("how many were woken", wakes(*word, 1), 1);
  expect_eq("what futex_wait() returned", child.answer(), "kWoken");
}

// ---- the time

TEST(Futex, TimesOut) {
  lesson("A moment, not a duration");
  did("waited 60 ms for a wake-up that does not come");
  const Shared<FutexWord> word;
  const Asked child([&word] {
    const auto deadline = Deadline::after(60ms);
    for (;;) {
      const std::string result = waited(*word, 0, deadline);
      if (result != "kWoken") {  // which may come for no reason
        return result + (deadline.remaining() == 0ns ? ", in time" : ", too early");
      }
    }
  });
  expect_eq("what futex_wait() returned, and when,", child.answer(), "kTimedOut, in time");
}

TEST(Futex, MoreThanASecond) {
  lesson("A moment, not a duration");
  did("looked at the time that the kernel is told, for a deadline 2.5 s from now");
  const Shared<FutexWord> word;
  Faults faults;
  double least = 0;
  double most = 0;
  const auto deadline = Deadline::after(2500ms);
  faults.before("futex", [&](const Call& call) {
    const Told told(call);
    most = told.for_ever ? 1e9 : told.left(0s);
    least = std::chrono::duration<double>(deadline.remaining()).count();
    faults.advance_clock(3s);
  });
  faults.fail("futex", ETIMEDOUT);
  expect_eq("what futex_wait() returned", waited(*word, 0, deadline), "kTimedOut");
  expect(most > least - 0.001 && most < 2.501, "the kernel to be told what is left of 2.5 s",
         std::to_string(most) + " s");
}

TEST(Futex, PassedDeadlineDoesNotSleep) {
  lesson("A moment, not a duration");
  const Shared<FutexWord> word;
  for (const auto timeout : {0ms, -1ms, -5000ms}) {
    did("waited " + std::to_string(timeout.count()) + " ms");
    if (!expect_eq("what futex_wait() returned",
                   waited_by_child(*word, 0, Deadline::after(timeout)), "kTimedOut")) {
      return;
    }
  }
}

TEST(Futex, VeryLate) {
  lesson("A moment, not a duration");
  for (const auto& [words, deadline] :
       {std::pair("2^32 ms", Deadline::after(std::chrono::milliseconds(std::int64_t{1} << 32))),
        {"2^32 s", Deadline::after(std::chrono::seconds(std::int64_t{1} << 32))},
        {"hours::max()", Deadline::after(std::chrono::hours::max())}}) {
    did("waited " + std::string(words) + " at most, and woke it when it was asleep");
    const Shared<FutexWord> word;
    const Asked child([&word, deadline = deadline] { return waited(*word, 0, deadline); });
    if (!falls_asleep_in_futex(child.pid())) {
      expect(false, "it to sleep in futex(2)", "a child that does not: " + child.answer());
      return;
    }
    expect_eq("how many were woken", wakes(*word, 1), 1);
    expect_eq("what futex_wait() returned", child.answer(), "kWoken");
  }
}

TEST(Futex, NotByTheWallClock) {
  lesson("A moment, not a duration");
  did("looked at the clock that the kernel is told to take");
  const Shared<FutexWord> word;
  Faults faults;
  bool wall = false;
  faults.before("futex", [&](const Call& call) {
    const Told told(call);
    wall = wall || ((told.operation & FUTEX_CLOCK_REALTIME) != 0 && !told.for_ever);
    faults.advance_clock(2h);
  });
  faults.fail("futex", ETIMEDOUT);
  (void)waited(*word, 0, Deadline::after(1h));
  expect(!wall, "the monotonic clock", "FUTEX_CLOCK_REALTIME, which an administrator may set");
}

// ---- signals

TEST(Futex, SignalsDoNotEndIt) {
  lesson("A moment, not a duration");
  for (const auto& [words, deadline] :
       {std::pair("for ever", Deadline::never()), {"for an hour", Deadline::after(1h)}}) {
    did("sent three signals that have a handler to a child that sleeps " + std::string(words) +
        ", and woke it then");
    const Shared<FutexWord> word;
    const Shared<std::atomic<int>> count;
    const Asked child([&word, &count, deadline = deadline] {
      static std::atomic<int>* counter = nullptr;
      counter = &*count;
      struct sigaction action {};
      action.sa_handler = [](int) { ++*counter; };  // and no SA_RESTART
      must(sigaction(SIGUSR1, &action, nullptr), "sigaction");
      ++*count;
      return waited(*word, 0, deadline);
    });
    for (int i = 1; i <= 4; ++i) {
      const bool asleep = becomes_true([&] {
        return (count->load() == i && is_asleep_in_futex(child.pid())) || !child.is_busy();
      });
      if (!asleep || !child.is_busy()) {
        expect(false, "it to sleep on after " + std::to_string(i - 1) + " signals",
               "futex_wait() returned: " + child.answer());
        return;
      }
      if (i < 4) {
        child.kid().signal(SIGUSR1);
      }
    }
    expect_eq("how many were woken", wakes(*word, 1), 1);
    expect_eq("what futex_wait() returned", child.answer(), "kWoken");
  }
}

TEST(Futex, SignalsDoNotMakeItLonger) {
  lesson("A moment, not a duration");
  did("waited 10 h, interrupted by a signal every 3 h");
  const Shared<FutexWord> word;
  Faults faults;
  std::chrono::nanoseconds passed{0};
  std::string wrong;
  faults.before("futex", [&](const Call& call) {
    const Told told(call);
    const double left = 36'000 - std::chrono::duration<double>(passed).count();
    // A minute is for a machine that is busy.
    if (wrong.empty() && (told.for_ever || told.left(passed) > left + 60)) {
      wrong = "with " + std::to_string(left) + " s to go, the kernel was told to wait " +
              (told.for_ever ? "for ever" : std::to_string(told.left(passed)) + " s");
    }
    const std::chrono::nanoseconds step = left > 3 * 3600 ? 3h : 1h;
    passed += step;
    faults.advance_clock(step);
  });
  faults.fail("futex", EINTR, 3);
  faults.fail("futex", ETIMEDOUT);
  expect_eq("what futex_wait() returned", waited(*word, 0, Deadline::after(10h)), "kTimedOut");
  expect(wrong.empty(), "the same moment each time", wrong);
}

TEST(Futex, ManySignals) {
  lesson("A moment, not a duration");
  did("interrupted a wait a hundred times, and then changed the word");
  const Shared<FutexWord> word;
  Faults faults;
  faults.fail("futex", EINTR, 100);
  faults.fail("futex", EAGAIN);
  expect_eq("what futex_wait() returned", waited(*word, 0, Deadline::never()), "kChanged");
}

// ---- what else the kernel says

TEST(Futex, ErrorsAreThrown) {
  lesson("The check and the sleep are one step");
  const Shared<FutexWord> word;
  for (const int error : {EINVAL, ENOMEM, ENOSYS}) {
    did(std::string("made futex(2) fail with ") + strerrorname_np(error));
    Faults faults;
    faults.fail("futex", error, 2);
    expect_error(error, "futex(FUTEX_WAIT_BITSET)",
                 [&word] { (void)futex_wait(*word, 0, Deadline::after(1h)); });
    expect_error(error, "futex(FUTEX_WAKE)", [&word] { (void)futex_wake(*word, 1); });
  }
}

TEST(Futex, Threads) {
  lesson("From spinning to sleeping");
  did("let a thread sleep on a word, and woke it");
  const Shared<FutexWord> word;
  const Asked child([&word] {  // in a child: a thread that never wakes must not keep the test
    std::string result;
    std::atomic<pid_t> id{0};
    std::thread sleeper([&] {
      id = gettid();
      result = Asked::spoken([&word] { return waited(*word, 0, Deadline::never()); });
    });
    becomes_true([&id] { return id != 0 && is_asleep_in_futex(id); });
    const int woken = Asked::spoken([&word] { return std::to_string(wakes(*word, 1)); }) == "1";
    sleeper.join();
    return result + (woken ? "" : ", by nobody");
  });
  expect_eq("what futex_wait() returned", child.answer(), "kWoken");
}

}  // namespace
}  // namespace mp::test
