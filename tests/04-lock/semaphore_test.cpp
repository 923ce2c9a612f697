#include "04-lock/semaphore.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "04-lock/asked.hpp"
#include "04-lock/waiters.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A child that waits without a limit, and says what came of it.
std::function<std::string()> acquires(Semaphore& semaphore) {
  return [&semaphore] { return yes_or_no(semaphore.acquire_until(Deadline::never())); };
}

// ---- the number

TEST(Semaphore, CountsDownAndUp) {
  lesson("Counting");
  did("took three from a semaphore of 2, without waiting");
  Semaphore semaphore(2);
  for (const auto& [taken, left] : {std::pair(true, 1U), {true, 0U}, {false, 0U}}) {
    expect_eq("try_acquire()", semaphore.try_acquire(), taken);
    expect_eq("get_value()", semaphore.get_value(), left);
  }
  did("gave one back, and took it again");
  semaphore.release();
  expect_eq("get_value()", semaphore.get_value(), 1U);
  expect_eq("try_acquire()", semaphore.try_acquire(), true);
  expect_eq("try_acquire() once more", semaphore.try_acquire(), false);
}

TEST(Semaphore, BeginsWhereItIsTold) {
  lesson("Counting");
  did("made semaphores, and looked at their values");
  expect_eq("the value of Semaphore()", Semaphore().get_value(), 1U);
  for (const std::uint32_t value : {0U, 1U, 12U, Semaphore::kMost}) {
    const std::string text = std::to_string(value);
    expect_eq("the value of Semaphore(" + text + ")", Semaphore(value).get_value(), value);
    expect_eq("the value of Semaphore::bounded(" + text + ")",
              Semaphore::bounded(value).get_value(), value);
  }
}

TEST(Semaphore, TooLarge) {
  lesson("Counting");
  for (const std::uint32_t value : {Semaphore::kMost + 1, 0xffffffffU}) {
    did("made semaphores of " + std::to_string(value) + ", which is more than kMost");
    expect_throw<ValueError>("ValueError", [value] { Semaphore semaphore(value); });
    expect_throw<ValueError>("ValueError", [value] { (void)Semaphore::bounded(value); });
  }
}

TEST(Semaphore, GrowsBeyondItsBeginning) {
  lesson("Counting");
  did("released a semaphore of 2 twice, without having taken it");
  Semaphore semaphore(2);
  semaphore.release();
  semaphore.release();
  expect_eq("get_value()", semaphore.get_value(), 4U);
  for (int i = 0; i < 4; ++i) {
    expect_eq("try_acquire()", semaphore.try_acquire(), true);
  }
  expect_eq("try_acquire() for a fifth time", semaphore.try_acquire(), false);
}

TEST(Semaphore, NeverBeyondItsBound) {
  lesson("Never beyond the bound");
  for (const std::uint32_t value : {0U, 1U, 2U, Semaphore::kMost}) {
    did("released Semaphore::bounded(" + std::to_string(value) + "), from which nobody has taken");
    Semaphore semaphore = Semaphore::bounded(value);
    for (int i = 0; i < 2; ++i) {
      expect_throw<ValueError>("ValueError", [&semaphore] { semaphore.release(); });
      expect_eq("get_value()", semaphore.get_value(), value);
    }
    if (value > 0) {
      did("took one, gave it back, and released it once more");
      expect_eq("try_acquire()", semaphore.try_acquire(), true);
      semaphore.release();
      expect_eq("get_value()", semaphore.get_value(), value);
      expect_throw<ValueError>("ValueError", [&semaphore] { semaphore.release(); });
    }
  }
}

TEST(Semaphore, TheLargestValueIsABoundAsWell) {
  lesson("Never beyond the bound");
  did("released Semaphore(kMost)");
  Semaphore semaphore(Semaphore::kMost);
  expect_throw<ValueError>("ValueError", [&semaphore] { semaphore.release(); });
  expect_eq("get_value()", semaphore.get_value(), Semaphore::kMost);
}

TEST(Semaphore, InSomebodysMemory) {
  lesson("Counting");
  did("made two semaphores from one State, with 1 left and a bound of 3, at two addresses");
  const TwoViews<Semaphore::State> state;
  state.here().value = 1;
  state.here().bound = 3;
  Semaphore here(state.here());
  Semaphore there(state.there());
  here.release();
  there.release();
  expect_eq("get_value() of one", here.get_value(), 3U);
  expect_eq("get_value() of the other", there.get_value(), 3U);
  expect_throw<ValueError>("ValueError", [&there] { there.release(); });
  for (int i = 0; i < 3; ++i) {
    expect_eq("try_acquire()", here.try_acquire(), true);
  }
  did("let a child wait by one of them, and released it by the other");
  const Waiters child(1, acquires(there));
  here.release();
  child.expect_all("what acquire() returned", "true");
}

// ---- asleep and awake

TEST(Semaphore, SleepsUntilItIsReleased) {
  lesson("Counting");
  did("let a child wait for a semaphore of 0, and released it");
  Semaphore semaphore(0);
  const Waiters child(1, acquires(semaphore));
  semaphore.release();
  child.expect_all("what acquire() returned", "true");
  expect_eq("get_value()", semaphore.get_value(), 0U);
}

TEST(Semaphore, OneForEachRelease) {
  lesson("Counting");
  did("let three children wait, and released the semaphore once");
  Semaphore semaphore(0);
  const Waiters children(3, acquires(semaphore));
  if (!children.all_asleep()) {
    return;
  }
  semaphore.release();
  expect(children.becomes(2), "one child to be awake", "three that sleep on");
  expect_eq("how many sleep on", children.busy(), 2);
  expect_eq("get_value()", semaphore.get_value(), 0U);
  did("released it twice more");
  semaphore.release();
  semaphore.release();
  children.expect_all("what acquire() returned", "true");
  expect_eq("get_value()", semaphore.get_value(), 0U);
}

TEST(Semaphore, WakesOneAtATime) {
  lesson("Counting");
  did("let three children wait, released the semaphore once, and looked at what the kernel is "
      "told");
  Semaphore semaphore(0);
  const Waiters children(3, acquires(semaphore));
  if (!children.all_asleep()) {
    return;
  }
  Faults faults;
  semaphore.release();
  expect_eq("how many it is told to wake", told_to_wake(faults), 1);
}

TEST(Semaphore, ReleasedByAGrandchild) {
  lesson("Counting");
  did("let a child wait, and a child of another child release the semaphore");
  Semaphore semaphore(0);
  const Waiters waiter(1, acquires(semaphore));
  const Asked child([&semaphore] {
    const Asked grandchild([&semaphore] {
      semaphore.release();
      return "released";
    });
    return grandchild.answer();
  });
  expect_eq("what became of the grandchild", child.answer(), "released");
  waiter.expect_all("what acquire() returned", "true");
}

TEST(Semaphore, KilledWaiterTakesNothing) {
  lesson("Counting");
  did("let two children wait, and killed one of them (kill -9); then released the semaphore");
  Semaphore semaphore(0);
  const Waiters children(2, acquires(semaphore));
  if (!children.all_asleep()) {
    return;
  }
  children.kill(0);
  const Asked releaser([&semaphore] {
    semaphore.release();
    return "released";
  });
  expect_eq("what became of release()", releaser.answer(), "released");
  expect_eq("what acquire() returned to the other one", children[1].answer(), "true");
  did("released it once more, with nobody left that waits");
  semaphore.release();
  expect_eq("get_value()", semaphore.get_value(), 1U);
  expect_eq("try_acquire()", semaphore.try_acquire(), true);
}

TEST(Semaphore, SignalsDoNotEndIt) {
  lesson("Counting");
  did("sent three signals that have a handler to a child that waits, and released the semaphore");
  Semaphore semaphore(0);
  const Shared<std::atomic<int>> handled;
  const Waiters child(1, [&] {
    count_sigusr1(*handled);
    return acquires(semaphore)();
  });
  if (child.all_asleep() && sleeps_on_after_signals(child[0], *handled)) {
    semaphore.release();
    child.expect_all("what acquire() returned", "true");
  }
}

// ---- the time

TEST(Semaphore, NoTimeTriesOnce) {
  lesson("A moment, not a duration");
  Semaphore semaphore(0);
  for (const auto timeout : {0ms, -1ms, -5000ms}) {
    const std::string text = "acquire(" + std::to_string(timeout.count()) + " ms)";
    did(text + " with nothing left, and with one left");
    const auto tries = [&semaphore, timeout] { return yes_or_no(semaphore.acquire(timeout)); };
    const auto without = Asked(tries).answer();
    if (!expect_eq("what it returned with nothing left", without, "false")) {
      return;
    }
    semaphore.release();
    expect_eq("what it returned with one left", Asked(tries).answer(), "true");
    expect_eq("get_value()", semaphore.get_value(), 0U);
  }
}

TEST(Semaphore, GivesUpInTime) {
  lesson("A moment, not a duration");
  did("waited 60 ms for a release that does not come");
  Semaphore semaphore(0);
  const Asked child([&semaphore] {
    const auto deadline = Deadline::after(60ms);
    const bool taken = semaphore.acquire_until(deadline);
    return yes_or_no(taken) + (deadline.remaining() == 0ns ? ", in time" : ", too early");
  });
  expect_eq("what acquire() returned, and when,", child.answer(), "false, in time");
  expect_eq("get_value()", semaphore.get_value(), 0U);
}

// ---- who is counted as a waiter

TEST(Semaphore, NoCallIfNobodyWaits) {
  lesson("Counting");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("took a semaphore and gave it back a hundred times, with nobody who waits");
  Semaphore semaphore(1);
  const Recording recording = record(
      [&semaphore] {
        for (int i = 0; i < 100; ++i) {
          semaphore.acquire();
          semaphore.release();
        }
      },
      {.deadline = 3s});
  expect(recording.threw.empty(), "no exception", recording.threw);
  expect(!recording.timed_out, "it to come to its end in 3 s", "it goes on");
  expect(recording.count(Family::kFutex) == 0, "no call of futex(2)", recording.to_string());
}

TEST(Semaphore, WhoHasGivenUpWaitsNoMore) {
  lesson("Counting");
  did("tried in vain to take a semaphore of 0, then released it, with nobody who waits");
  Semaphore semaphore(0);
  expect_eq("try_acquire()", semaphore.try_acquire(), false);
  expect_eq("acquire(1 ms)", semaphore.acquire(1ms), false);
  Faults faults;
  semaphore.release();
  expect_eq("how many calls of futex(2) release() made", faults.count("futex"), 0);
}

TEST(Semaphore, WhoWasWokenWaitsNoMore) {
  lesson("Counting");
  did("let a child wait and woke it; then released the semaphore, with nobody who waits");
  Semaphore semaphore(0);
  const Waiters child(1, acquires(semaphore));
  semaphore.release();
  child.expect_all("what acquire() returned", "true");
  Faults faults;
  semaphore.release();
  expect_eq("how many calls of futex(2) release() made", faults.count("futex"), 0);
}

TEST(Semaphore, ErrorsAreThrown) {
  lesson("Counting");
  did("made futex(2) fail with ENOSYS for a child that waits");
  Semaphore semaphore(0);
  const Asked child([&semaphore] {
    Faults faults;
    faults.fail("futex", ENOSYS, 5);
    return errno_of([&semaphore] { semaphore.acquire(); });
  });
  expect_eq("what acquire() threw", child.answer(), "ENOSYS");
  did("released the semaphore, with nobody who waits");
  Faults faults;
  semaphore.release();
  expect_eq("how many calls of futex(2) release() made", faults.count("futex"), 0);
  expect_eq("get_value()", semaphore.get_value(), 1U);
}

TEST(Semaphore, ErrorOfTheWakeUp) {
  lesson("Counting");
  did("made futex(2) fail with ENOSYS for release(), while a child waits");
  Semaphore semaphore(0);
  const Waiters child(1, acquires(semaphore));
  if (!child.all_asleep()) {
    return;
  }
  Faults faults;
  faults.fail("futex", ENOSYS);
  expect_eq("what release() threw", errno_of([&semaphore] { semaphore.release(); }), "ENOSYS");
}

// ---- all at once

TEST(Semaphore, RoomForTwo) {
  lesson("Counting");
  did("let four children go through a room for two, 300 times each");
  struct Room {
    std::atomic<int> inside;
    std::atomic<int> most;
  };
  const Shared<Room> room;
  Semaphore semaphore = Semaphore::bounded(2);
  const auto goes_through = [&]() -> std::string {
    for (int i = 0; i < 300; ++i) {
      semaphore.acquire();
      const int inside = ++room->inside;
      if (inside > room->most) {
        room->most = inside;
      }
      if (i % 16 == 0) {
        sched_yield();
      }
      --room->inside;
      semaphore.release();
    }
    return "through";
  };
  std::vector<std::unique_ptr<Asked>> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(std::make_unique<Asked>(goes_through, 4));
  }
  for (const auto& child : children) {
    expect_eq("what became of a child", child->answer(), "through");
  }
  expect(room->most <= 2, "no more than two inside at a time",
         std::to_string(room->most) + " inside at a time");
  expect_eq("get_value() at the end", semaphore.get_value(), 2U);
}

}  // namespace
}  // namespace mp::test
