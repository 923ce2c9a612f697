// Known-right and known-wrong locks: each right one is explored to its bound, each wrong one is
// found, and called what it is.
#include <chrono>

#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::counting;
using testing::entering;
using testing::explored_within;
using namespace std::chrono_literals;

void expect_right(const Exploration& found) {
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_TRUE(found.complete);
  ::testing::Test::RecordProperty("executions", std::to_string(found.executions));
}

#define EXPECT_WRONG(EXPLORATION, VERDICT)                                                        \
  do {                                                                                            \
    const Exploration found_ = (EXPLORATION);                                                     \
    EXPECT_EQ(words(found_.verdict), std::string(words(VERDICT))) << found_.report();             \
    EXPECT_FALSE(found_.report().empty());                                                        \
    EXPECT_LT(found_.executions, 3'000U);                                                         \
    RecordProperty("executions", std::to_string(found_.executions));                              \
    RecordProperty(                                                                               \
        "needs", std::to_string(found_.preemptions) + "p" + std::to_string(found_.faults) + "f"); \
  } while (false)

// ---------------------------------------------------------------------------------------- right

TEST(Right, Mutex) {
  expect_right(explored_within(3, 1, [](World& w) { counting<explored::Mutex>(w, 2, 2); }));
}

TEST(Right, MutexOfThree) {
  expect_right(explored_within(2, 1, [](World& w) { counting<explored::Mutex>(w, 3, 1); }));
}

TEST(Right, WeakestOrdersThatSuffice) {
  expect_right(explored_within(3, 1, [](World& w) { counting<explored::TightMutex>(w, 2, 2); }));
}

TEST(Right, BoundedSpin) {
  expect_right(explored_within(2, 0, [](World& w) { counting<explored::SpinningMutex>(w, 2, 1); }));
}

TEST(Right, Ticket) {
  expect_right(explored_within(2, 1, [](World& w) { counting<explored::Ticket>(w, 3, 1); }));
}

template <class Lock>
void trying(World& world) {
  auto& lock = world.shared<Lock>();
  auto& counter = world.guarded("counter", 0);
  auto& section = world.section();
  for (const char* name : {"P1", "P2"}) {
    world.process(name, [&] {
      if (lock.try_acquire()) {
        {
          const auto inside = section.enter();
          counter += 1;
        }
        lock.release();
      }
    });
  }
  world.run();
}

TEST(Right, TryAcquire) {
  expect_right(explored_within(3, 1, trying<explored::Mutex>));
}

template <class Lock>
void timed(World& world) {
  auto& lock = world.shared<Lock>();
  auto& section = world.section();
  world.process("holder", [&] {
    lock.acquire();
    const auto inside = section.enter();
    // and never leaves: the lock stays taken
  });
  world.process("waiter", [&] {
    const auto start = world.now();
    const auto limit = world.within(100ms);
    if (lock.acquire_for(100'000'000)) {
      lock.release();
    } else {
      world.require(world.now() - start >= 100ms, "it gives up after its time, not before");
    }
  });
  world.run();
}

TEST(Right, TimedAcquire) {
  expect_right(explored_within(2, 1, timed<explored::Mutex>));
}

template <class Units>
void bounded_entry(World& world) {
  auto& units = world.shared<Units>(2U);
  auto& section = world.section("the room for two", 2);
  for (int i = 1; i <= 3; ++i) {
    world.process("P" + std::to_string(i), [&] {
      units.acquire();
      { const auto inside = section.enter(); }
      units.release();
    });
  }
  world.run();
}

TEST(Right, Semaphore) {
  expect_right(explored_within(2, 1, bounded_entry<explored::Semaphore>));
}

template <class Signal>
void signalling(World& world) {
  auto& event = world.shared<Signal>();
  auto& data = world.guarded("data", 0);
  for (const char* name : {"P1", "P2"}) {
    world.process(name, [&] {
      event.wait();
      world.require(data == 42, "what comes before set() is seen after wait()");
    });
  }
  world.process("P3", [&] {
    data = 42;
    event.set();
  });
  world.run();
}

TEST(Right, Event) {
  expect_right(explored_within(3, 1, signalling<explored::Event>));
}

template <class Condition>
void handing_over(World& world) {
  auto& mutex = world.shared<explored::Mutex>();
  auto& condition = world.shared<Condition>();
  auto& items = world.guarded("items", 0);
  world.process("consumer", [&] {
    mutex.acquire();
    while (items == 0) {
      condition.wait(mutex);
    }
    items += -1;
    mutex.release();
  });
  world.process("producer", [&] {
    mutex.acquire();
    items += 1;
    mutex.release();
    condition.notify_one();
  });
  world.run();
  world.require(items == 0, "the item was taken");
}

TEST(Right, Condition) {
  expect_right(explored_within(3, 1, handing_over<explored::Condition>));
}

// ---------------------------------------------------------------------------------------- wrong

TEST(Wrong, NothingIsLocked) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { entering<explored::NoLock>(w, 2); }),
               Verdict::kExclusion);
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::NoLock>(w, 2, 1); }),
               Verdict::kExclusion);
  EXPECT_WRONG(explored_within(0, 1, [](World& w) { counting<explored::NoLock>(w, 2, 1); }),
               Verdict::kDataRace);
}

TEST(Wrong, LooksAndThenTakes) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::LoadThenStore>(w, 2, 1); }),
               Verdict::kExclusion);
}

TEST(Wrong, WakesNobody) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::NeverWakes>(w, 2, 1); }),
               Verdict::kLostWakeup);
}

TEST(Wrong, ForgetsOtherSleepers) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::WakesTooSeldom>(w, 3, 1); }),
               Verdict::kLostWakeup);
}

TEST(Wrong, RelaxedRelease) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::RelaxedRelease>(w, 2, 1); }),
               Verdict::kDataRace);
}

TEST(Wrong, RelaxedAcquire) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::RelaxedAcquire>(w, 2, 1); }),
               Verdict::kDataRace);
}

TEST(Wrong, CheckAndSleepAreNotOne) {
  EXPECT_WRONG(
      explored_within(3, 1, [](World& w) { counting<explored::SleepsOnWhatItReads>(w, 2, 1); }),
      Verdict::kLostWakeup);
}

TEST(Wrong, WakesBeforeItFrees) {
  EXPECT_WRONG(
      explored_within(3, 1, [](World& w) { counting<explored::WakesBeforeItFrees>(w, 2, 1); }),
      Verdict::kLostWakeup);
}

TEST(Wrong, PrivateFutex) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::PrivateMutex>(w, 2, 1); }),
               Verdict::kPrivateFutex);
}

TEST(Wrong, BusyWaiting) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::BusyMutex>(w, 2, 1); }),
               Verdict::kLivelock);
}

TEST(Wrong, AwakeIsNotTheOwner) {
  EXPECT_WRONG(
      explored_within(3, 1, [](World& w) { counting<explored::TakesItselfForWoken>(w, 3, 1); }),
      Verdict::kExclusion);
}

TEST(Wrong, PlainWord) {
  EXPECT_WRONG(explored_within(3, 1, [](World& w) { counting<explored::PlainMutex>(w, 2, 1); }),
               Verdict::kDataRace);
}

TEST(Wrong, TimeStartsAgain) {
  EXPECT_WRONG(explored_within(2, 1, timed<explored::RestartsTheClock>), Verdict::kPastDeadline);
}

TEST(Wrong, TimeIsForgotten) {
  EXPECT_WRONG(explored_within(2, 1, timed<explored::ForgetsTheTime>), Verdict::kPastDeadline);
}

#ifndef __clang__  // which does not tell a weak one from a strong one
TEST(Wrong, TryThatFailsForNoReason) {
  EXPECT_WRONG(explored_within(2, 1,
                               [](World& world) {
                                 auto& lock = world.shared<explored::WeakTry>();
                                 world.process("P1", [&] {
                                   world.require(lock.try_acquire(), "a free lock can be taken");
                                 });
                                 world.run();
                               }),
               Verdict::kProperty);
}
#endif

TEST(Wrong, IfInPlaceOfWhile) {
  EXPECT_WRONG(explored_within(3, 1, bounded_entry<explored::IfSemaphore>), Verdict::kExclusion);
}

TEST(Wrong, WakeUpBetweenUnlockAndSleep) {
  EXPECT_WRONG(explored_within(3, 1, handing_over<explored::SleepsWithoutACount>),
               Verdict::kLostWakeup);
}

TEST(Wrong, NotifiesBeforeItStores) {
  EXPECT_WRONG(explored_within(3, 1, signalling<explored::NotifiesFirst>), Verdict::kLostWakeup);
}

TEST(Wrong, WakesOneOfSeveral) {
  EXPECT_WRONG(explored_within(3, 1, signalling<explored::WakesOne>), Verdict::kLostWakeup);
}

TEST(Wrong, HoldersThatWaitForEachOther) {
  EXPECT_WRONG(explored_within(3, 1,
                               [](World& world) {
                                 auto& a = world.shared<explored::Mutex>();
                                 auto& b = world.shared<explored::Mutex>();
                                 world.process("P1", [&] {
                                   a.acquire();
                                   b.acquire();
                                   b.release();
                                   a.release();
                                 });
                                 world.process("P2", [&] {
                                   b.acquire();
                                   a.acquire();
                                   a.release();
                                   b.release();
                                 });
                                 world.run();
                               }),
               Verdict::kDeadlock);
}

TEST(Wrong, ReleasedByAStranger) {
  EXPECT_WRONG(explored_within(1, 0,
                               [](World& world) {
                                 auto& lock = world.shared<explored::Mutex>();
                                 auto& section = world.section();
                                 world.process("P1", [&] {
                                   lock.acquire();
                                   const auto inside = section.enter();
                                 });
                                 world.process("P2", [&] {
                                   world.require(section.inside(), "only its holder releases it",
                                                 Verdict::kStranger);
                                   lock.release();
                                 });
                                 world.run();
                               }),
               Verdict::kStranger);
}

}  // namespace
}  // namespace explorer
