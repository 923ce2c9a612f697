#include "04-lock/lock.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "04-lock/asked.hpp"
#include "04-lock/in_words.hpp"
#include "support/becomes.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A lock at a place that the test knows.
struct Scene {
  Shared<Lock::State> state;
  Lock lock{*state};
};

/// A child that holds the lock until the gate opens.
std::unique_ptr<Asked> holder(Lock& lock, const Gate& gate) {
  auto child = std::make_unique<Asked>(
      [&] {
        lock.acquire();
        gate.pass();
        lock.release();
        return std::string("held");
      },
      4);
  expect(becomes_true([&] { return lock.locked() || !child->is_busy(); }) && child->is_busy(),
         "a child to take the free lock", "one that does not");
  return child;
}

/// Children that wait for the lock, which somebody holds.
std::vector<std::unique_ptr<Asked>> waiting(Lock& lock, int count) {
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < count; ++i) {
    all.push_back(std::make_unique<Asked>([&lock] { return takes(lock); }, 3));
  }
  for (const auto& one : all) {
    if (!falls_asleep_in_futex(one->pid())) {
      expect(false, "each child to sleep until it gets the lock",
             "one that does not: " + one->answer());
      break;
    }
  }
  return all;
}

// ---- one process

TEST(Lock, TakenAndGivenBack) {
  lesson("Acquire and release");
  did("took a new lock, and gave it back, three times");
  Lock lock;
  for (int i = 0; i < 3; ++i) {
    expect_eq("locked() before", lock.locked(), false);
    lock.acquire();
    expect_eq("locked() when it is held", lock.locked(), true);
    lock.release();
    expect_eq("locked() afterwards", lock.locked(), false);
  }
}

TEST(Lock, EveryWayToTakeIt) {
  lesson("Acquire and release");
  Lock lock;
  const auto taken_by = [&lock](const char* words, auto take) {
    did(std::string("took a free lock with ") + words);
    if (expect_eq("the result", take(), true)) {
      expect_eq("locked()", lock.locked(), true);
      lock.release();
      expect_eq("locked() after release()", lock.locked(), false);
    }
  };
  taken_by("try_acquire()", [&] { return lock.try_acquire(); });
  taken_by("try_lock()", [&] { return lock.try_lock(); });
  taken_by("acquire(0s)", [&] { return lock.acquire(0s); });
  taken_by("acquire(-5s)", [&] { return lock.acquire(-5s); });
  taken_by("acquire(1s)", [&] { return lock.acquire(1s); });
  taken_by("acquire(hours::max())", [&] { return lock.acquire(std::chrono::hours::max()); });
  taken_by("acquire_until(never)", [&] { return lock.acquire_until(Deadline::never()); });
}

TEST(Lock, LockGuardGivesItBack) {
  lesson("Acquire and release");
  did("held the lock with a std::lock_guard, in a scope that an exception leaves");
  Scene scene;
  try {
    const std::lock_guard guard(scene.lock);
    expect_eq("locked() in the scope", scene.lock.locked(), true);
    throw std::out_of_range("out of the scope");
  } catch (const std::out_of_range&) {
  }
  expect_eq("locked() afterwards", scene.lock.locked(), false);
  expect_eq("what a child says that tries", Asked([&] { return tries(scene.lock); }).answer(),
            "taken");
}

TEST(Lock, TwoLocksAreTwo) {
  lesson("Acquire and release");
  did("took one lock, and then another one");
  Lock one;
  Lock other;
  one.acquire();
  expect_eq("locked() of the other one", other.locked(), false);
  expect_eq("try_acquire() of the other one", other.try_acquire(), true);
  one.release();
  expect_eq("locked() of the other one, which is still held,", other.locked(), true);
}

TEST(Lock, NoSystemCallWhenNobodyWaits) {
  lesson("Three states");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("took the lock and gave it back a thousand times, and recorded the system calls");
  Lock lock;
  lock.acquire();  // here too, so that a stub says so
  lock.release();
  const Recording recording = record([&lock] {
    for (int i = 0; i < 1000; ++i) {
      lock.acquire();
      lock.release();
    }
  });
  expect_eq("how the recorded process ended", recording.exitcode, 0);
  // A few for what is done once in a process, such as asking for its number.
  expect(recording.calls.size() < 20, "a handful of system calls at most",
         std::to_string(recording.calls.size()) + " of them, which begin:\n" +
             recording.to_string().substr(0, 200));
}

TEST(Lock, QuietAgainAfterWaiting) {
  lesson("Three states");
  did("let a child wait for the lock and get it, and counted the wake-ups of what came after that");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 1);
  scene.lock.release();
  expect_eq("what the child says", all.front()->answer(), "taken");
  // The first ones may wake somebody who is not there any more.
  scene.lock.acquire();
  scene.lock.release();
  Faults faults;
  for (int i = 0; i < 5; ++i) {
    scene.lock.acquire();
    scene.lock.release();
  }
  expect_eq("how often futex(2) was called when nobody waited any more", faults.count("futex"), 0);
}

// ---- two processes

TEST(Lock, HeldByAnother) {
  lesson("Acquire and release");
  did("tried to take a lock that a child holds");
  Scene scene;
  Gate gate;
  const auto child = holder(scene.lock, gate);
  for (int i = 0; i < 2; ++i) {
    expect_eq("locked()", scene.lock.locked(), true);
    const auto trier = [&scene](const char* words, std::chrono::nanoseconds timeout) {
      expect_eq(std::string("what another child says that calls ") + words,
                Asked([&] { return scene.lock.acquire(timeout) ? "taken" : "not taken"; }).answer(),
                "not taken");
    };
    trier("acquire(0s)", 0s);
    trier("acquire(-5s)", -5s);
  }
  gate.open();
  expect_eq("what the holder says in the end", child->answer(), "held");
  did("tried again when the child had given it back");
  expect_eq("try_acquire()", scene.lock.try_acquire(), true);
}

TEST(Lock, WaitsUntilItIsFree) {
  lesson("Acquire and release");
  did("let a child wait for the lock, and gave the lock back when the child was asleep");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 1);
  expect_eq("locked() while one waits", scene.lock.locked(), true);
  scene.lock.release();
  expect_eq("what the child says", all.front()->answer(), "taken");
  expect_eq("locked() afterwards", scene.lock.locked(), false);
}

TEST(Lock, EverybodyGetsIt) {
  lesson("Three states");
  did("let three children wait for the lock, and gave it back once");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 3);
  scene.lock.release();
  for (const auto& one : all) {
    if (!expect_eq("what a child says", one->answer(), "taken")) {
      return;
    }
  }
}

TEST(Lock, OneIsWoken) {
  lesson("Three states");
  did("let two children wait for the lock, gave it back, and looked at how many are to be woken");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 2);
  Faults faults;
  scene.lock.release();
  int told = 0;
  for (const Call& call : faults.calls("futex")) {
    const auto command = static_cast<int>(call.args[1]) & FUTEX_CMD_MASK;
    if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
      told += static_cast<int>(std::min(call.args[2], 1'000L));
    }
  }
  expect_eq("how many the kernel is told to wake", told, 1);
}

TEST(Lock, ErrorsAreThrown) {
  lesson("Acquire and release");
  Scene scene;
  scene.lock.acquire();
  for (const int error : {ENOSYS, EFAULT}) {
    const std::string name = strerrorname_np(error);
    did("made futex(2) fail with " + name + " for a child that waits for a lock that is held");
    const Asked child([&scene, error] {
      Faults faults;
      faults.fail("futex", error, 5);
      return errno_of([&scene] { scene.lock.acquire(); }) + ", " + gives_back(scene.lock);
    });
    expect_eq("what acquire() threw, and what release() does then", child.answer(),
              name + ", ValueError");
    expect_eq("locked()", scene.lock.locked(), true);
  }
  did("did the same for a wait with a limit");
  const Asked child([&scene] {
    Faults faults;
    faults.fail("futex", ENOSYS, 5);
    return errno_of([&scene] { scene.lock.acquire(1h); });
  });
  expect_eq("what acquire(1h) threw", child.answer(), "ENOSYS");
  expect_eq("what release() does in the one who holds it", gives_back(scene.lock),
            "nothing is thrown");
}

TEST(Lock, ErrorOfTheWakeUp) {
  lesson("Acquire and release");
  did("made futex(2) fail with ENOSYS for release(), while a child waits");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 1);
  Faults faults;
  faults.fail("futex", ENOSYS, 5);
  expect_eq("what release() threw", errno_of([&scene] { scene.lock.release(); }), "ENOSYS");
}

TEST(Lock, WaitingIsSleeping) {
  lesson("From spinning to sleeping");
  did("let a child wait for the lock, and looked at its processor time for 60 ms");
  Scene scene;
  scene.lock.acquire();
  const auto all = waiting(scene.lock, 1);
  const pid_t pid = all.front()->pid();
  const auto before = processor_time(pid);
  const long slept = sleeps_of(pid);
  const auto start = std::chrono::steady_clock::now();
  becomes_true([start] { return std::chrono::steady_clock::now() - start > 60ms; });
  const auto used = processor_time(pid) - before;
  const auto passed = std::chrono::steady_clock::now() - start;
  const long naps = sleeps_of(pid) - slept;
  expect(used < passed / 5, "next to none: who waits sleeps",
         std::to_string(used.count() / 1'000'000) + " ms of it in " + std::to_string(passed / 1ms) +
             " ms");
  expect(naps <= 3, "one long sleep",
         std::to_string(naps) + " short ones, to look again and again");
  scene.lock.release();
  expect_eq("what the child says", all.front()->answer(), "taken");
}

TEST(Lock, TwoAddresses) {
  lesson("Acquire and release");
  did("took a lock that a child has at another address");
  const TwoViews<Lock::State> views;  // zeros, and no constructor has run
  Lock here(views.here());
  Lock there(views.there());
  expect_eq("locked() of zeros", here.locked(), false);
  here.acquire();
  expect_eq("locked() at the other address", there.locked(), true);
  expect_eq("what a child says that tries", Asked([&] { return tries(there); }).answer(),
            "not taken");
  const auto all = waiting(there, 1);
  here.release();
  expect_eq("what a child says that waited", all.front()->answer(), "taken");
  did("gave it back through the other address");
  here.acquire();
  expect_eq("what release() does", gives_back(there), "nothing is thrown");
  expect_eq("locked()", here.locked(), false);
}

TEST(Lock, Grandchild) {
  lesson("Acquire and release");
  did("took a lock in a grandchild");
  Scene scene;
  const Asked child([&scene] {
    const Asked grandchild([&scene] {
      scene.lock.acquire();
      return std::string("taken");  // and kept
    });
    return grandchild.answer();
  });
  expect_eq("what it says", child.answer(), "taken");
  expect_eq("locked()", scene.lock.locked(), true);
}

TEST(Lock, CountsRight) {
  lesson("Three states");
  did("let four children add to a counter 2,500 times each, one at a time");
  Scene scene;
  const Shared<std::array<volatile int, 2>> counters;
  std::vector<std::unique_ptr<Asked>> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(std::make_unique<Asked>(
        [&] {
          for (int round = 0; round < 2'500; ++round) {
            const std::lock_guard guard(scene.lock);
            const int one = (*counters)[0];
            const int other = (*counters)[1];
            (*counters)[0] = one + 1;
            (*counters)[1] = other + 1;
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
  expect_eq("the counter", int{(*counters)[0]}, 10'000);
  expect_eq("the other counter", int{(*counters)[1]}, 10'000);
}

// ---- the time

TEST(Lock, GivesUpAtItsDeadline) {
  lesson("A moment, not a duration");
  did("waited 50 ms for a lock that this process holds");
  Scene scene;
  scene.lock.acquire();
  const Asked child([&scene] {
    const auto deadline = Deadline::after(50ms);
    const bool taken = scene.lock.acquire_until(deadline);
    return std::string(taken ? "taken" : "not taken") +
           (deadline.remaining() == 0ns ? ", in time" : ", too early");
  });
  expect_eq("what a child says", child.answer(), "not taken, in time");
  expect_eq("locked()", scene.lock.locked(), true);
  scene.lock.release();
  expect_eq("locked() after release()", scene.lock.locked(), false);
  expect_eq("what the next child says", Asked([&] { return tries(scene.lock); }).answer(), "taken");
}

TEST(Lock, InTime) {
  lesson("A moment, not a duration");
  for (const auto& [words, timeout] :
       {std::pair("an hour", std::chrono::hours(1)), {"hours::max()", std::chrono::hours::max()}}) {
    did("let a child wait " + std::string(words) + " at most, and gave the lock back");
    Scene scene;
    scene.lock.acquire();
    const Asked child(
        [&scene, timeout = timeout] {
          if (!scene.lock.acquire(timeout)) {
            return "not taken";
          }
          scene.lock.release();
          return "taken";
        },
        3);
    falls_asleep_in_futex(child.pid());
    scene.lock.release();
    expect_eq("what the child says", child.answer(), "taken");
  }
}

TEST(Lock, SignalsDoNotEndTheWait) {
  lesson("A moment, not a duration");
  did("sent three signals that have a handler to a child that waits, and gave the lock back then");
  Scene scene;
  scene.lock.acquire();
  const Shared<std::atomic<int>> count;
  const Asked child([&] {
    static std::atomic<int>* counter = nullptr;
    counter = &*count;
    struct sigaction action {};
    action.sa_handler = [](int) { ++*counter; };  // and no SA_RESTART
    must(sigaction(SIGUSR1, &action, nullptr), "sigaction");
    ++*count;
    return takes(scene.lock);
  });
  for (int i = 1; i <= 4; ++i) {
    becomes_true([&] {
      return (count->load() == i && is_asleep_in_futex(child.pid())) || !child.is_busy();
    });
    if (!child.is_busy()) {
      expect(false, "it to wait on", "an end of it: " + child.answer());
      return;
    }
    if (i < 4) {
      child.kid().signal(SIGUSR1);
    }
  }
  scene.lock.release();
  expect_eq("what the child says", child.answer(), "taken");
}

TEST(Lock, SignalsDoNotMakeItLonger) {
  lesson("A moment, not a duration");
  did("waited 10 h for a lock that a child holds, with 9 h gone when the kernel is asked again");
  Scene scene;
  Gate gate;
  const auto child = holder(scene.lock, gate);
  Faults faults;
  std::chrono::nanoseconds passed{0};
  double longest = 0;
  faults.before("futex", [&](const Call& call) {
    const auto command = static_cast<int>(call.args[1]) & FUTEX_CMD_MASK;
    if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) {
      return;
    }
    const auto* const time = pointer<timespec>(call.args[3]);
    double left = time == nullptr ? 1e9 : static_cast<double>(time->tv_sec);
    if (time != nullptr && command == FUTEX_WAIT_BITSET) {
      left -= std::chrono::duration<double>(monotonic_now() + passed).count();
    }
    if (passed > 0h) {
      longest = std::max(longest, left);
    }
    passed += passed == 0h ? 9h : 1h;
    faults.advance_clock(passed == 9h ? 9h : 1h);
  });
  faults.fail("futex", EAGAIN);  // the word has changed for a moment: so it goes round once more
  faults.fail("futex", ETIMEDOUT);
  expect_eq("the result", scene.lock.acquire_until(Deadline::after(10h)), false);
  expect(longest < 3'660, "the kernel to be told of the hour that is left",
         std::to_string(longest / 3600) + " h");
  gate.open();
  expect_eq("what the holder says in the end", child->answer(), "held");
}

// ---- who holds it

TEST(Lock, NobodyWaitsForItself) {
  lesson("Who holds it");
  did("took a lock that the same process holds");
  Scene scene;
  const Asked child([&scene] {
    scene.lock.acquire();
    try {
      scene.lock.acquire();
    } catch (const std::logic_error&) {
      return "a std::logic_error";
    }
    return "taken twice";
  });
  expect_eq("what a child says", child.answer(), "a std::logic_error");

  did("did the same with a limit");
  Scene other;
  const Asked second([&other] {
    other.lock.acquire();
    std::string said;
    for (const auto timeout : {0ms, -1ms, 20ms}) {
      said += other.lock.acquire(timeout) ? "taken " : "not taken ";
    }
    said += gives_back(other.lock);
    return said + (other.lock.locked() ? ", locked" : ", free");
  });
  expect_eq("what a child says", second.answer(),
            "not taken not taken not taken nothing is thrown, free");
}

TEST(Lock, StillHeldAfterTheError) {
  lesson("Who holds it");
  did("took a lock twice, and looked at what the std::logic_error has left");
  Scene scene;
  scene.lock.acquire();
  {
    Faults faults;  // what sleeps here would sleep for ever
    faults.fail("futex", ENOTRECOVERABLE, 100);
    expect_throw<std::logic_error>("std::logic_error", [&scene] { scene.lock.acquire(); });
  }
  expect_eq("locked()", scene.lock.locked(), true);
  expect_eq("what a child says that tries", Asked([&] { return tries(scene.lock); }).answer(),
            "not taken");
  expect_eq("what release() does", gives_back(scene.lock), "nothing is thrown");
  expect_eq("what a child says that tries then", Asked([&] { return tries(scene.lock); }).answer(),
            "taken");
}

TEST(Lock, FreeLockCannotBeReleased) {
  lesson("Who holds it");
  did("gave back a lock that nobody has taken");
  Scene scene;
  expect_eq("what release() does", gives_back(scene.lock), "ValueError");
  expect_eq("locked()", scene.lock.locked(), false);
  did("gave it back twice");
  scene.lock.acquire();
  expect_eq("what release() does", gives_back(scene.lock), "nothing is thrown");
  expect_eq("what the second release() does", gives_back(scene.lock), "ValueError");
  expect_eq("locked()", scene.lock.locked(), false);
  expect_eq("try_acquire() afterwards", scene.lock.try_acquire(), true);
}

TEST(Lock, ReleasedByAnotherProcess) {
  lesson("Who holds it");
  did("gave back a lock that a child holds");
  Scene scene;
  Gate gate;
  const auto child = holder(scene.lock, gate);
  expect_eq("what release() does", gives_back(scene.lock), "ValueError");
  expect_eq("locked()", scene.lock.locked(), true);
  expect_eq("what another child says that tries", Asked([&] { return tries(scene.lock); }).answer(),
            "not taken");
  gate.open();
  expect_eq("what the holder says in the end", child->answer(), "held");
}

TEST(Lock, ForkedChildIsAnother) {
  lesson("Who holds it");
  did("took the lock, and forked");
  Scene scene;
  scene.lock.acquire();
  const Asked child([&scene] {
    std::string said = tries(scene.lock);
    said += ", " + gives_back(scene.lock);
    return said + (scene.lock.locked() ? ", locked" : ", free");
  });
  expect_eq("what the child says, which has all the memory of its parent,", child.answer(),
            "not taken, ValueError, locked");
  const auto all = waiting(scene.lock, 1);
  expect_eq("what release() does in the parent", gives_back(scene.lock), "nothing is thrown");
  expect_eq("what a child says that waited", all.front()->answer(), "taken");
}

TEST(Lock, ThreadsAreTwoOwners) {
  lesson("Who holds it");
  did("took the lock in one thread, and tried and released it in another one");
  Scene scene;
  const Asked child([&scene] {
    std::string said;
    scene.lock.acquire();
    std::thread([&] {
      said = Asked::spoken([&] { return tries(scene.lock) + ", " + gives_back(scene.lock); });
    }).join();
    std::atomic<pid_t> id{0};
    std::string later;
    std::thread waiter([&] {
      id = gettid();
      later = Asked::spoken([&] { return takes(scene.lock); });
    });
    const bool asleep = becomes_true([&id] { return id != 0 && is_asleep_in_futex(id); });
    scene.lock.release();
    waiter.join();
    return said + ", " + (asleep ? "waits, " : "does not wait, ") + later;
  });
  expect_eq("what the other thread says", child.answer(), "not taken, ValueError, waits, taken");
}

TEST(Lock, KilledHolderKeepsIt) {
  lesson("When the owner dies");
  did("killed a child that held the lock");
  Scene scene;
  Gate gate;
  const auto child = holder(scene.lock, gate);
  child->kid().signal(SIGKILL);
  child->kid().wait_for_end();
  expect_eq("locked()", scene.lock.locked(), true);
  expect_eq("acquire(10ms)", scene.lock.acquire(10ms), false);
  expect_eq("what release() does", gives_back(scene.lock), "ValueError");
}

}  // namespace
}  // namespace mp::test
