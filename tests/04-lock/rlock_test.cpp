#include "04-lock/rlock.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "04-lock/asked.hpp"
#include "04-lock/in_words.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A lock at a place that the test knows.
struct Scene {
  Shared<RLock::State> state;
  RLock lock{*state};
};

/// What a child says of try_acquire().
std::string child_tries(RLock& lock) {
  return Asked([&lock] { return tries(lock); }).answer();
}

/// Takes the lock that often.
void take(RLock& lock, int times) {
  for (int i = 0; i < times; ++i) {
    if (!lock.try_acquire()) {
      expect(false, "try_acquire() to take it each time",
             "false at the " + std::to_string(i + 1) + ". time");
      return;
    }
  }
}

/// How often it can be given back.
int count_releases(RLock& lock) {
  int count = 0;
  while (count < 100 && gives_back(lock) == "nothing is thrown") {
    ++count;
  }
  return count;
}

/// A child that waits for the lock, which somebody holds.
std::unique_ptr<Asked> waiting(RLock& lock) {
  auto child = std::make_unique<Asked>([&lock] { return takes(lock); }, 3);
  if (!falls_asleep_in_futex(child->pid())) {
    expect(false, "a child to sleep until it gets the lock",
           "one that does not: " + child->answer());
  }
  return child;
}

/// A child that has taken the lock twice, until the gate opens; then it gives it back once, and
/// waits for the gate once more.
std::unique_ptr<Asked> holder(RLock& lock, const Gate& gate, const Gate& held) {
  return std::make_unique<Asked>(
      [&] {
        lock.acquire();
        lock.acquire();
        held.open();
        gate.pass();
        lock.release();
        held.open();
        gate.pass();
        lock.release();
        return std::string("held");
      },
      4);
}

bool passes(const Gate& gate) {
  if (!becomes_true([&gate] { return readable(gate.entrance()); })) {
    return false;
  }
  gate.pass();
  return true;
}

TEST(RLock, TakenAndGivenBack) {
  lesson("Once more by the same");
  did("took a new lock, and gave it back");
  RLock lock;
  for (int i = 0; i < 3; ++i) {
    expect_eq("is_mine() before", lock.is_mine(), false);
    lock.acquire();
    expect_eq("is_mine()", lock.is_mine(), true);
    lock.release();
    expect_eq("is_mine() afterwards", lock.is_mine(), false);
  }
}

TEST(RLock, OnceMoreByTheSame) {
  lesson("Once more by the same");
  did("took a lock in every way, while this process holds it");
  Scene scene;
  const Asked child([&scene] {  // in a child, which is ended if it waits for itself
    scene.lock.acquire();
    scene.lock.acquire();
    std::string said;
    said += scene.lock.try_acquire() ? "taken, " : "not taken, ";
    said += scene.lock.acquire(0s) ? "taken, " : "not taken, ";
    said += scene.lock.acquire(-1s) ? "taken, " : "not taken, ";
    said += scene.lock.acquire(1h) ? "taken, " : "not taken, ";
    said += scene.lock.acquire_until(Deadline::never()) ? "taken, " : "not taken, ";
    return said + std::to_string(count_releases(scene.lock)) + " times";
  });
  expect_eq("what a child says", child.answer(), "taken, taken, taken, taken, taken, 7 times");
}

TEST(RLock, TheLastReleaseFreesIt) {
  lesson("Once more by the same");
  did("took a lock three times, gave it back, and let a child try after each time");
  Scene scene;
  take(scene.lock, 3);
  for (int left = 3; left > 0; --left) {
    expect_eq("what a child says with " + std::to_string(left) + " to give back",
              child_tries(scene.lock), "not taken");
    expect_eq("is_mine() here", scene.lock.is_mine(), true);
    expect_eq("what release() does", gives_back(scene.lock), "nothing is thrown");
  }
  expect_eq("is_mine() after the last one", scene.lock.is_mine(), false);
  expect_eq("what a child says after the last one", child_tries(scene.lock), "taken");
  expect_eq("what one more release() does", gives_back(scene.lock), "ValueError");
}

TEST(RLock, WaitsForTheLastRelease) {
  lesson("Once more by the same");
  did("let a child wait for a lock that was taken twice");
  Scene scene;
  take(scene.lock, 2);
  const auto child = waiting(scene.lock);
  scene.lock.release();
  expect_eq("whether the child still waits after one release()",
            child->is_busy() && is_asleep_in_futex(child->pid()), true);
  scene.lock.release();
  expect_eq("what the child says after the other one", child->answer(), "taken");
}

TEST(RLock, NestedGuards) {
  lesson("Once more by the same");
  did("held the lock with two std::lock_guards, one in the other, in a scope left by an exception");
  Scene scene;
  const Asked child([&scene] {
    try {
      const std::lock_guard outer(scene.lock);
      const std::lock_guard inner(scene.lock);
      throw std::out_of_range("out of both");
    } catch (const std::out_of_range&) {
    }
    return std::string(scene.lock.is_mine() ? "mine" : "not mine");
  });
  expect_eq("what a child says", child.answer(), "not mine");
  expect_eq("what the next child says that tries", child_tries(scene.lock), "taken");
}

TEST(RLock, NoSystemCallWhenNobodyWaits) {
  lesson("Once more by the same");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("took the lock three times and gave it back, 300 times, and recorded the system calls");
  RLock lock;
  lock.acquire();  // here too, so that a stub says so
  lock.release();
  const Recording recording = record([&lock] {
    for (int i = 0; i < 300; ++i) {
      for (int times = 0; times < 3; ++times) {
        lock.acquire();
      }
      for (int times = 0; times < 3; ++times) {
        lock.release();
      }
    }
  });
  expect_eq("how the recorded process ended", recording.exitcode, 0);
  expect(recording.calls.size() < 20, "a handful of system calls at most",
         std::to_string(recording.calls.size()) + " of them, which begin:\n" +
             recording.to_string().substr(0, 200));
}

TEST(RLock, HeldByAnother) {
  lesson("Who holds it");
  did("tried and released a lock that a child has taken twice");
  Scene scene;
  const Gate gate;
  const Gate held;
  const auto child = holder(scene.lock, gate, held);
  for (int left = 2; left > 0; --left) {
    if (!expect(passes(held), "the child to come so far", "a child that does not: it waits")) {
      return;
    }
    expect_eq("is_mine()", scene.lock.is_mine(), false);
    expect_eq("what another child says that tries", child_tries(scene.lock), "not taken");
    expect_eq("acquire(10ms)", scene.lock.acquire(10ms), false);
    expect_eq("is_mine() after it", scene.lock.is_mine(), false);
    expect_eq("what release() does", gives_back(scene.lock), "ValueError");
    expect_throw<ValueError>("ValueError", [&scene] { (void)scene.lock.release_all(); });
    gate.open();
  }
  expect_eq("what the holder says in the end", child->answer(), "held");
  expect_eq("try_acquire() then", scene.lock.try_acquire(), true);
  expect_eq("how often it can be given back", count_releases(scene.lock), 1);
}

TEST(RLock, ForkedChildIsAnother) {
  lesson("Who holds it");
  did("took the lock twice, and forked");
  Scene scene;
  take(scene.lock, 2);
  const Asked child([&scene] {
    std::string said = scene.lock.is_mine() ? "mine, " : "not mine, ";
    said += gives_back(scene.lock) + ", ";
    said += scene.lock.acquire(10ms) ? "taken" : "not taken";
    return said;
  });
  expect_eq("what the child says, which has all the memory of its parent,", child.answer(),
            "not mine, ValueError, not taken");
  const auto waiter = waiting(scene.lock);
  expect_eq("how often it can be given back in the parent", count_releases(scene.lock), 2);
  expect_eq("what a child says that waited", waiter->answer(), "taken");
}

TEST(RLock, ChildBeginsWithNothing) {
  lesson("Who holds it");
  did("took the lock, forked, gave it back, and let the child take it twice");
  Scene scene;
  const Gate gate;
  take(scene.lock, 2);
  const Asked child([&] {
    gate.pass();
    scene.lock.acquire();
    scene.lock.acquire();
    return std::to_string(count_releases(scene.lock)) + " times";
  });
  expect_eq("how often it can be given back in the parent", count_releases(scene.lock), 2);
  gate.open();
  expect_eq("how often it can be given back in the child", child.answer(), "2 times");
}

TEST(RLock, ThreadsAreTwoOwners) {
  lesson("Who holds it");
  did("took the lock in one thread, and tried and released it in another one");
  Scene scene;
  const Asked child([&scene] {
    std::string said;
    std::string later;
    scene.lock.acquire();
    std::thread([&] {
      said = Asked::spoken([&] {
        return (scene.lock.is_mine() ? "mine, " : "not mine, ") + tries(scene.lock) + ", " +
               gives_back(scene.lock);
      });
    }).join();
    std::atomic<pid_t> id{0};
    std::thread waiter([&] {
      id = gettid();
      later = Asked::spoken([&] { return takes(scene.lock); });
    });
    const bool asleep = becomes_true([&id] { return id != 0 && is_asleep_in_futex(id); });
    scene.lock.release();
    waiter.join();
    return said + ", " + (asleep ? "waits, " : "does not wait, ") + later;
  });
  expect_eq("what the other thread says", child.answer(),
            "not mine, not taken, ValueError, waits, taken");
}

TEST(RLock, FreeLockCannotBeReleased) {
  lesson("Who holds it");
  did("gave back a lock that nobody has taken");
  Scene scene;
  expect_eq("what release() does", gives_back(scene.lock), "ValueError");
  expect_throw<ValueError>("ValueError", [&scene] { (void)scene.lock.release_all(); });
  expect_eq("try_acquire() afterwards", scene.lock.try_acquire(), true);
  expect_eq("how often it can be given back", count_releases(scene.lock), 1);
}

TEST(RLock, AllAtOnce) {
  lesson("Once more by the same");
  did("took a lock three times, and called release_all()");
  Scene scene;
  take(scene.lock, 3);
  const auto child = waiting(scene.lock);
  expect_eq("what release_all() returns", scene.lock.release_all(), 3U);
  expect_eq("is_mine()", scene.lock.is_mine(), false);
  expect_eq("what a child says that waited", child->answer(), "taken");
  did("took it once after that");
  take(scene.lock, 1);
  expect_eq("how often it can be given back", count_releases(scene.lock), 1);
}

TEST(RLock, AsItWasBefore) {
  lesson("Once more by the same");
  did("took a lock three times, gave all of it back, and called acquire_again(3)");
  Scene scene;
  take(scene.lock, 3);
  const std::uint32_t depth = scene.lock.release_all();
  expect_eq("what a child says that tries in between", child_tries(scene.lock), "taken");
  scene.lock.acquire_again(depth);
  expect_eq("is_mine()", scene.lock.is_mine(), true);
  expect_eq("what a child says that tries", child_tries(scene.lock), "not taken");
  take(scene.lock, 1);
  expect_eq("how often it can be given back, with one acquire() more,", count_releases(scene.lock),
            4);
  expect_eq("what a child says in the end", child_tries(scene.lock), "taken");
}

TEST(RLock, AgainWaitsForTheOther) {
  lesson("Once more by the same");
  did("let a child call acquire_again(2) while this process holds the lock");
  Scene scene;
  take(scene.lock, 1);
  const Asked child(
      [&scene] {
        scene.lock.acquire_again(2);
        return std::to_string(count_releases(scene.lock)) + " times";
      },
      3);
  expect(falls_asleep_in_futex(child.pid()), "it to sleep until it gets the lock",
         "one that does not");
  scene.lock.release();
  expect_eq("how often it can be given back there", child.answer(), "2 times");
}

TEST(RLock, TooOften) {
  lesson("Once more by the same");
  did("took a lock once more that was taken 2^32 - 1 times");
  Scene scene;
  scene.lock.acquire_again(std::numeric_limits<std::uint32_t>::max() - 1);
  scene.lock.acquire();
  expect_throw<std::overflow_error>("std::overflow_error", [&scene] { scene.lock.acquire(); });
  expect_throw<std::overflow_error>("std::overflow_error",
                                    [&scene] { (void)scene.lock.try_acquire(); });
  expect_eq("is_mine()", scene.lock.is_mine(), true);
  expect_eq("what release_all() returns", scene.lock.release_all(),
            std::numeric_limits<std::uint32_t>::max());
}

TEST(RLock, TwoAddresses) {
  lesson("Once more by the same");
  did("took a lock at two addresses, which is one and the same");
  const TwoViews<RLock::State> views;  // zeros, and no constructor has run
  RLock here(views.here());
  RLock there(views.there());
  take(here, 1);
  expect_eq("is_mine() at the other address", there.is_mine(), true);
  take(there, 1);
  expect_eq("what release() does", gives_back(here), "nothing is thrown");
  expect_eq("what a child says that tries at the other address", child_tries(there), "not taken");
  expect_eq("what the second release() does", gives_back(here), "nothing is thrown");
  expect_eq("what a child says then", child_tries(there), "taken");
}

TEST(RLock, CountsRight) {
  lesson("Once more by the same");
  did("let three children add to a counter 1,000 times each, with the lock taken twice");
  Scene scene;
  const Shared<std::array<volatile int, 2>> counters;
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(std::make_unique<Asked>(
        [&] {
          for (int round = 0; round < 1'000; ++round) {
            const std::lock_guard outer(scene.lock);
            const int one = (*counters)[0];
            {
              const std::lock_guard inner(scene.lock);
              (*counters)[1] = (*counters)[1] + 1;
            }
            (*counters)[0] = one + 1;
          }
          return std::string("done");
        },
        4));
  }
  for (const auto& one : all) {
    if (!expect_eq("what a child says", one->answer(), "done")) {
      return;
    }
  }
  expect_eq("the counter", int{(*counters)[0]}, 3'000);
  expect_eq("the other counter", int{(*counters)[1]}, 3'000);
}

}  // namespace
}  // namespace mp::test
