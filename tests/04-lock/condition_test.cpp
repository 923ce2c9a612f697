#include "04-lock/condition.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <mutex>
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

/// A condition whose state the test can look at.
struct Scene {
  RLock lock;
  const Shared<Condition::State> state;
  Condition changed{lock, *state};

  /// A child that waits once, and says what came of it.
  std::function<std::string()> waits(Deadline deadline = Deadline::never()) {
    return [this, deadline] {
      lock.acquire();
      const bool notified = changed.wait_until(deadline);
      return yes_or_no(notified) + (lock.is_mine() ? ", with the lock" : ", without the lock");
    };
  }
  /// The same, and gives the lock back.
  std::function<std::string()> waits_and_leaves() {
    return [this] {
      const std::lock_guard guard(lock);
      return yes_or_no(changed.wait_until(Deadline::never()));
    };
  }
  /// Wakes whoever still sleeps, without a word to the condition. @return how many those were.
  int wake_the_rest() const { return futex_wake(state->sequence, INT_MAX); }

  /// Calls notify() in a child: one that waits for the dead must not keep the test.
  std::string notified_by_a_child(int count) {
    return Asked([this, count] {
             if (!lock.acquire(1s)) {
               return "the lock is not free";
             }
             changed.notify(count);
             lock.release();
             return "done";
           })
        .answer();
  }
};

// ---- with the lock only

TEST(Condition, NeedsTheLock) {
  lesson("Waiting for a condition");
  did("waited and notified without the lock");
  Scene scene;
  expect_throw<ValueError>("ValueError", [&scene] { scene.changed.wait(); });
  expect_throw<ValueError>("ValueError", [&scene] { (void)scene.changed.wait(0s); });
  expect_throw<ValueError>("ValueError", [&scene] { scene.changed.notify(); });
  expect_throw<ValueError>("ValueError", [&scene] { scene.changed.notify_all(); });
  did("notified with the lock, with nobody who waits");
  const std::lock_guard guard(scene.lock);
  Faults faults;
  scene.changed.notify();
  expect_eq("how many calls of futex(2) notify() made", faults.count("futex"), 0);
}

TEST(Condition, NeedsItsOwnLock) {
  lesson("Waiting for a condition");
  did("let a child wait and notify while its parent holds the lock");
  Scene scene;
  const std::lock_guard guard(scene.lock);
  for (const bool waits : {true, false}) {
    const Asked child([&scene, waits]() -> std::string {
      try {
        if (waits) {
          scene.changed.wait();
        } else {
          scene.changed.notify();
        }
      } catch (const ValueError&) {
        return "ValueError";
      }
      return "no exception";
    });
    expect_eq(waits ? "what wait() threw" : "what notify() threw", child.answer(), "ValueError");
  }
  expect_eq("whether the parent holds it still", scene.lock.is_mine(), true);
}

// ---- asleep and awake

TEST(Condition, NotifyWakes) {
  lesson("Waiting for a condition");
  did("let a child wait, took the lock, notified, and gave the lock back");
  Scene scene;
  const Waiters child(1, scene.waits());
  if (!expect_eq("whether the lock is free while the child waits", scene.lock.try_acquire(),
                 true)) {
    return;
  }
  scene.changed.notify();
  scene.lock.release();
  child.expect_all("what wait() returned, and how,", "true, with the lock");
}

TEST(Condition, WokenWaitsForTheLock) {
  lesson("Waiting for a condition");
  did("let a child wait, and notified it with the lock held until the child sleeps again");
  Scene scene;
  const Shared<std::atomic<bool>> released;
  const Waiters child(1, [&] {
    const std::lock_guard guard(scene.lock);
    scene.changed.wait();
    return yes_or_no(*released);
  });
  if (!child.all_asleep()) {
    return;
  }
  scene.lock.acquire();
  scene.changed.notify();
  becomes_true([&] {
    return !child[0].is_busy() ||
           (scene.wake_the_rest() == 0 && is_asleep_in_futex(child[0].pid()));
  });
  expect_eq("whether the child has not come to its end", child[0].is_busy(), true);
  *released = true;
  scene.lock.release();
  child.expect_all("whether the lock was free when wait() returned", "true");
}

TEST(Condition, NoMoreThanTold) {
  lesson("Waiting for a condition");
  for (const int count : {1, 2}) {
    did("let three children wait, and called notify(" + std::to_string(count) + ")");
    Scene scene;
    const Waiters children(3, scene.waits_and_leaves());
    if (!children.all_asleep()) {
      return;
    }
    {
      const std::lock_guard guard(scene.lock);
      scene.changed.notify(count);
      expect_eq("how many sleep on", scene.wake_the_rest(), 3 - count);
    }
    children.expect_all("what wait() returned", "true");
  }
}

TEST(Condition, NotifyAll) {
  lesson("Waiting for a condition");
  did("let three children wait, and called notify_all()");
  Scene scene;
  const Waiters children(3, scene.waits_and_leaves());
  if (!children.all_asleep()) {
    return;
  }
  {
    const std::lock_guard guard(scene.lock);
    scene.changed.notify_all();
  }
  children.expect_all("what wait() returned", "true");
}

TEST(Condition, Nobody) {
  lesson("Waiting for a condition");
  Scene scene;
  const Waiters child(1, scene.waits_and_leaves());
  if (!child.all_asleep()) {
    return;
  }
  const std::lock_guard guard(scene.lock);
  for (const int count : {0, -1, -7}) {
    did("let a child wait, and called notify(" + std::to_string(count) + ")");
    scene.changed.notify(count);
  }
  expect_eq("how many sleep on", scene.wake_the_rest(), 1);
}

TEST(Condition, NotKeptForLater) {
  lesson("Waiting for a condition");
  did("notified with nobody who waits, then waited 20 ms");
  Scene scene;
  const std::lock_guard guard(scene.lock);
  scene.changed.notify(3);
  scene.changed.notify_all();
  expect_eq("what wait(20 ms) returned", scene.changed.wait(20ms), false);
  expect_eq("what it returned then", scene.changed.wait(1ms), false);
}

TEST(Condition, MoreThanWait) {
  lesson("Waiting for a condition");
  did("let one child wait, called notify(5), and waited 20 ms then");
  Scene scene;
  const Waiters child(1, scene.waits_and_leaves());
  if (!child.all_asleep()) {
    return;
  }
  scene.lock.acquire();
  scene.changed.notify(5);
  scene.lock.release();
  child.expect_all("what wait() returned", "true");
  const std::lock_guard guard(scene.lock);
  expect_eq("what wait(20 ms) returned", scene.changed.wait(20ms), false);
}

TEST(Condition, TwoAddresses) {
  lesson("Waiting for a condition");
  did("let a child wait, and notified it by the same State at another address");
  RLock lock;
  const TwoViews<Condition::State> state;
  Condition here(lock, state.here());
  Condition there(lock, state.there());
  const Waiters child(1, [&] {
    const std::lock_guard guard(lock);
    return yes_or_no(there.wait_until(Deadline::never()));
  });
  {
    const std::lock_guard guard(lock);
    here.notify();
  }
  child.expect_all("what wait() returned", "true");
}

TEST(Condition, SignalsDoNotEndIt) {
  lesson("Waiting for a condition");
  did("sent three signals that have a handler to a child that waits, and notified it then");
  Scene scene;
  const Shared<std::atomic<int>> handled;
  const Waiters child(1, [&] {
    count_sigusr1(*handled);
    return scene.waits()();
  });
  if (child.all_asleep() && sleeps_on_after_signals(child[0], *handled)) {
    expect_eq("what became of notify()", scene.notified_by_a_child(1), "done");
    child.expect_all("what wait() returned, and how,", "true, with the lock");
  }
}

// ---- nobody waits for the woken

TEST(Condition, KilledWaiter) {
  lesson("Nobody waits for the woken");
  for (const int count : {1, INT_MAX}) {
    did("let three children wait, killed one of them (kill -9), and called notify(" +
        std::string(count == 1 ? "1)" : "INT_MAX)") + " three times");
    Scene scene;
    const Waiters children(3, scene.waits_and_leaves());
    if (!children.all_asleep()) {
      return;
    }
    children.kill(0);
    for (int i = 0; i < 3; ++i) {
      if (!expect_eq("what became of notify()", scene.notified_by_a_child(count), "done")) {
        return;
      }
    }
    expect_eq("what wait() returned to the second one", children[1].answer(), "true");
    expect_eq("what wait() returned to the third one", children[2].answer(), "true");
  }
}

TEST(Condition, StoppedWaiter) {
  lesson("Nobody waits for the woken");
  did("let two children wait, stopped one of them (SIGSTOP), and called notify_all()");
  Scene scene;
  const Waiters children(2, scene.waits_and_leaves());
  if (!children.all_asleep()) {
    return;
  }
  children[0].kid().signal(SIGSTOP);
  children[0].kid().wait_until_stopped();
  expect_eq("what became of notify()", scene.notified_by_a_child(INT_MAX), "done");
  expect_eq("what wait() returned to the other one", children[1].answer(), "true");
  did("let the stopped one go on");
  children[0].kid().signal(SIGCONT);
  expect_eq("what wait() returned to it", children[0].answer(), "true");
}

// ---- the lock, as it was

TEST(Condition, AsOftenAsBefore) {
  lesson("Once more by the same");
  did("let a child take the lock three times and wait, and notified it");
  Scene scene;
  const auto after = [&scene](Deadline deadline) -> std::string {
    for (int i = 0; i < 3; ++i) {
      scene.lock.acquire();
    }
    const bool notified = scene.changed.wait_until(deadline);
    int count = 0;
    while (scene.lock.is_mine() && count < 10) {
      scene.lock.release();
      ++count;
    }
    return yes_or_no(notified) + ", taken " + std::to_string(count) + " times";
  };
  const Waiters child(1, [&] { return after(Deadline::never()); });
  if (!expect_eq("whether the lock is free while the child waits", scene.lock.try_acquire(),
                 true)) {
    return;
  }
  scene.changed.notify();
  scene.lock.release();
  child.expect_all("what wait() returned, and the lock,", "true, taken 3 times");
  did("took the lock three times, and waited in vain");
  const Asked other([&] { return after(Deadline::after(5ms)); });
  expect_eq("what wait() returned, and the lock,", other.answer(), "false, taken 3 times");
}

TEST(Condition, LateForTheLock) {
  lesson("Waiting for a condition");
  did("let a child wait 40 ms, and held the lock until the time was over");
  Scene scene;
  const auto deadline = Deadline::after(40ms);
  const Asked child([&scene, deadline] {
    scene.lock.acquire();
    return scene.waits(deadline)();
  });
  becomes_true(
      [&] { return !child.is_busy() || (scene.state->waiters > 0 && scene.lock.try_acquire()); });
  becomes_true([&] {
    return !child.is_busy() || (deadline.remaining() == 0ns && scene.wake_the_rest() == 0 &&
                                is_asleep_in_futex(child.pid()));
  });
  if (scene.lock.is_mine()) {
    scene.lock.release();
  }
  const std::string answer = child.answer();
  expect(answer.ends_with(", with the lock"), "wait() to return with the lock", answer);
}

// ---- the time

TEST(Condition, TimesOut) {
  lesson("A moment, not a duration");
  did("waited 60 ms for a notify() that does not come");
  Scene scene;
  const Asked child([&scene] {
    const auto deadline = Deadline::after(60ms);
    for (;;) {
      const std::string result = scene.waits(deadline)();
      if (!result.starts_with("true")) {  // which is a hint
        return result + (deadline.remaining() == 0ns ? ", in time" : ", too early");
      }
    }
  });
  expect_eq("what wait() returned, how, and when,", child.answer(),
            "false, with the lock, in time");
}

TEST(Condition, NoTimeDoesNotWait) {
  lesson("A moment, not a duration");
  Scene scene;
  for (const auto timeout : {0ms, -1ms, -5000ms}) {
    did("called wait(" + std::to_string(timeout.count()) + " ms)");
    const Asked child([&scene, timeout] {
      const std::lock_guard guard(scene.lock);
      const bool notified = scene.changed.wait(timeout);
      return yes_or_no(notified) + (scene.lock.is_mine() ? ", with the lock" : "");
    });
    if (!expect_eq("what it returned, and how,", child.answer(), "false, with the lock")) {
      return;
    }
  }
}

TEST(Condition, WaitFor) {
  lesson("Waiting for a condition");
  did("waited for a number to become 3, while another child counts it up and notifies each time");
  Scene scene;
  const Shared<int> number;
  const auto is_three = [&] { return scene.lock.is_mine() && *number == 3; };
  const Waiters child(1, [&] {
    const std::lock_guard guard(scene.lock);
    return yes_or_no(scene.changed.wait_for(is_three));
  });
  const Asked counter([&] {
    for (int i = 0; i < 3; ++i) {
      const std::lock_guard guard(scene.lock);
      ++*number;
      scene.changed.notify_all();
    }
    return "counted";
  });
  expect_eq("what became of the other child", counter.answer(), "counted");
  child.expect_all("what wait_for() returned", "true");
  did("waited 10 ms for what does not come, and for what is there");
  const std::lock_guard guard(scene.lock);
  expect_eq("what wait_for() returned",
            scene.changed.wait_for([] { return false; }, Deadline::after(10ms)), false);
  expect_eq("what wait_for() returned then", scene.changed.wait_for(is_three, Deadline::after(0s)),
            true);
}

// ---- who is counted as a waiter

TEST(Condition, NoCallIfNobodyWaits) {
  lesson("Waiting for a condition");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("notified a hundred times, with nobody who waits");
  Scene scene;
  const Recording recording = record(
      [&scene] {
        for (int i = 0; i < 50; ++i) {
          const std::lock_guard guard(scene.lock);
          scene.changed.notify();
          scene.changed.notify_all();
        }
      },
      {.deadline = 3s});
  expect(recording.threw.empty(), "no exception", recording.threw);
  expect(!recording.timed_out, "it to come to its end in 3 s", "it goes on");
  expect(recording.count(Family::kFutex) == 0, "no call of futex(2)", recording.to_string());
}

TEST(Condition, WhoIsBackWaitsNoMore) {
  lesson("Waiting for a condition");
  did("waited in vain, and notified then, with nobody who waits");
  Scene scene;
  {
    const std::lock_guard guard(scene.lock);
    expect_eq("what wait(0) returned", scene.changed.wait(0s), false);
    expect_eq("what wait(1 ms) returned", scene.changed.wait(1ms), false);
    Faults faults;
    scene.changed.notify();
    expect_eq("how many calls of futex(2) notify() made", faults.count("futex"), 0);
  }
  did("woke a child that waited, and notified then, with nobody who waits");
  const Waiters child(1, scene.waits_and_leaves());
  expect_eq("what became of notify()", scene.notified_by_a_child(1), "done");
  child.expect_all("what wait() returned", "true");
  const std::lock_guard guard(scene.lock);
  Faults faults;
  scene.changed.notify();
  expect_eq("how many calls of futex(2) notify() made", faults.count("futex"), 0);
}

// ---- errors

TEST(Condition, ErrorsAreThrown) {
  lesson("Waiting for a condition");
  did("made futex(2) fail with ENOSYS for a child that waits with the lock taken twice");
  Scene scene;
  const Asked child([&scene] {
    scene.lock.acquire();
    scene.lock.acquire();
    std::string result;
    {
      Faults faults;
      faults.fail("futex", ENOSYS);
      result = errno_of([&scene] { scene.changed.wait(); });
    }
    result += scene.lock.is_mine() ? ", with the lock" : ", without the lock";
    if (scene.lock.is_mine()) {
      scene.lock.release();
      result += scene.lock.is_mine() ? "" : " taken once";
    }
    if (scene.lock.is_mine()) {
      Faults faults;
      scene.changed.notify();
      result += faults.count("futex") == 0 ? "" : ", and still counted as a waiter";
    }
    return result;
  });
  expect_eq("what wait() threw, and how,", child.answer(), "ENOSYS, with the lock");
}

TEST(Condition, ErrorOfTheWakeUp) {
  lesson("Waiting for a condition");
  did("made futex(2) fail with ENOSYS for notify(), while a child waits");
  Scene scene;
  const Waiters child(1, scene.waits_and_leaves());
  if (!child.all_asleep()) {
    return;
  }
  const std::lock_guard guard(scene.lock);
  Faults faults;
  faults.fail("futex", ENOSYS);
  expect_eq("what notify() threw", errno_of([&scene] { scene.changed.notify(); }), "ENOSYS");
}

// ---- all at once

TEST(Condition, ThroughASmallStore) {
  lesson("Waiting for a condition");
  did("let two children put 100 items each into a store for two, and two others take them");
  struct Store {
    int items;
    int most;
  };
  const Shared<Store> store;
  Scene scene;
  const auto moves = [&](int change) {
    return [&, change] {
      for (int i = 0; i < 100; ++i) {
        const std::lock_guard guard(scene.lock);
        scene.changed.wait_for(
            [&] { return store->items + change >= 0 && store->items + change <= 2; });
        store->items += change;
        store->most = std::max(store->most, store->items);
        scene.changed.notify_all();
      }
      return std::string("done");
    };
  };
  std::vector<std::unique_ptr<Asked>> children;
  for (const int change : {1, -1, 1, -1}) {
    children.push_back(std::make_unique<Asked>(moves(change), 4));
  }
  for (const auto& child : children) {
    expect_eq("what became of a child", child->answer(), "done");
  }
  expect_eq("how many are left in the store", store->items, 0);
  expect(store->most <= 2, "no more than two in the store", std::to_string(store->most));
}

}  // namespace
}  // namespace mp::test
