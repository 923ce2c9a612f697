#include "04-lock/explored.hpp"

#include <chrono>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

using explored::Acquired;
using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;

/// Under the lock two numbers are changed, one after the other. P1 may be killed anywhere.
void taking_over(World& world, int processes, int rounds) {
  explored::RobustLock lock(world.shared<explored::RobustLock::State>());
  auto& a = world.guarded("a", 0);
  auto& b = world.guarded("b", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    auto added = world.process("P" + std::to_string(i), [&, rounds] {
      for (int round = 0; round < rounds; ++round) {
        const Acquired how = lock.acquire();
        {
          const auto inside = section.enter();
          if (how == Acquired::kOwnerDied) {
            b = a.read();
          }
          world.require(a == b,
                        "who takes over from a dead owner is told, and nobody needs to ask");
          a += 1;
          b += 1;
        }
        lock.release();
      }
    });
    if (i == 1) {
      added.may_die();
    }
  }
  world.run();
}

TEST(RobustLockExplored, OneOfTwoDies) {
  lesson("When the owner dies");
  did("explored every interleaving of two processes that take the lock twice each, one of which "
      "may be killed anywhere");
  expect_explored("one at a time, the lock handed on from the dead, and who gets it told",
                  {.preemptions = 2, .faults = 1}, [](World& world) { taking_over(world, 2, 2); });
}

TEST(RobustLockExplored, OneOfThreeDies) {
  lesson("Between the word and the list");
  did("explored every interleaving of three processes that take the lock, one of which may be "
      "killed anywhere");
  expect_explored("the lock handed on from the dead, and nobody asleep for ever",
                  {.preemptions = 2, .faults = 1, .executions = 80'000},
                  [](World& world) { taking_over(world, 3, 1); });
}

TEST(RobustLockExplored, OwnerEndsWithIt) {
  lesson("When the owner dies");
  did("explored every interleaving of an owner that ends without giving the lock back, and two "
      "others that take it and give it back");
  expect_explored(
      "one of the two told that its owner died, and the other one not",
      {.preemptions = 3, .faults = 0, .executions = 80'000}, [](World& world) {
        explored::RobustLock lock(world.shared<explored::RobustLock::State>());
        auto& told = world.guarded("told", 0);
        auto& before = world.guarded("before", 0);  // those who have been through already
        world.process("P1", [&] {
          world.require(lock.acquire() == Acquired::kYes, "nobody has died before the first one");
          world.record(before);
        });
        for (const char* name : {"P2", "P3"}) {
          world.process(name, [&] {
            if (lock.acquire() == Acquired::kOwnerDied) {
              told += 1;
            }
            before += 1;
            lock.release();
          });
        }
        world.run();
        const bool last = world.recorded().at(0) == 2;  // nobody came after it
        world.require(told == (last ? 0 : 1), "a death is told of once");
      });
}

TEST(RobustLockExplored, TwoLocksOfOne) {
  lesson("Between the word and the list");
  did("explored every interleaving of a process that takes two locks and gives them back in the "
      "order taken, and may be killed anywhere, and of one that wants both");
  expect_explored("both locks handed on from the dead, and no lock that somebody lives with",
                  {.preemptions = 2, .faults = 1}, [](World& world) {
                    explored::RobustLock first(world.shared<explored::RobustLock::State>());
                    explored::RobustLock second(world.shared<explored::RobustLock::State>());
                    auto& one = world.section("the first lock's section");
                    auto& two = world.section("the second lock's section");
                    world
                        .process("P1",
                                 [&] {
                                   (void)first.acquire();
                                   (void)second.acquire();
                                   first.release();
                                   { const auto inside = two.enter(); }
                                   second.release();
                                 })
                        .may_die();
                    world.process("P2", [&] {
                      (void)first.acquire();
                      {
                        const auto inside = one.enter();
                        (void)second.acquire();
                        const auto inside_both = two.enter();
                      }
                      first.release();
                      second.release();
                    });
                    world.run();
                  });
}

TEST(RobustLockExplored, Deadline) {
  lesson("A moment, not a duration");
  did("explored every interleaving of an owner that stays longer than a second one has time, and "
      "a third one that has all the time");
  expect_explored(
      "the second one back in time and without the lock, or with it; and the third one with it",
      {.preemptions = 2, .faults = 1, .executions = 80'000}, [](World& world) {
        explored::RobustLock lock(world.shared<explored::RobustLock::State>());
        auto& signs = world.shared<explored::Semaphore::State>();
        signs.value = 0;
        explored::Semaphore gone(signs);
        auto& section = world.section();
        world.process("P1", [&] {
          (void)lock.acquire();
          {
            const auto inside = section.enter();
            gone.acquire();
          }
          lock.release();
        });
        world.process("P2", [&] {
          Acquired how = Acquired::kNo;
          {
            const auto limit = world.within(20ms);
            how = lock.acquire(20ms);
          }
          world.require(how != Acquired::kOwnerDied, "nobody has died");
          if (how == Acquired::kYes) {
            { const auto inside = section.enter(); }
            lock.release();
          }
          gone.release();
        });
        world.process("P3", [&] {
          (void)lock.acquire();
          { const auto inside = section.enter(); }
          lock.release();
        });
        world.run();
      });
}

TEST(RobustLockExplored, LongLimits) {
  lesson("A moment, not a duration");
  for (const auto hours : {1h, 24h}) {
    const std::string words = std::to_string(hours.count()) + " h";
    did("explored a wait of " + words + " at most, for a lock that is given back before");
    const auto given_back = expect_explored(
        "who waits to have it at that moment", {.preemptions = 1, .faults = 0}, [&](World& world) {
          explored::RobustLock lock(world.shared<explored::RobustLock::State>());
          world.process("P1", [&] {
            (void)lock.acquire();
            std::this_thread::sleep_for(123'457us);  // time passes when nobody can run
            world.record(world.now().count());
            lock.release();
          });
          world.process("P2", [&] {
            world.require(lock.acquire(hours) == Acquired::kYes,
                          "the lock is free before the time is over");
            world.require(world.recorded().empty() ||
                              world.now() == std::chrono::nanoseconds(world.recorded()[0]),
                          "who waits has the lock as soon as it is free");
            lock.release();
          });
          world.run();
        });
    if (given_back.failed()) {
      return;
    }
    did("explored a wait of " + words + " for a lock that is held for longer than that");
    const auto held =
        expect_explored("kNo, at the deadline", {.preemptions = 1, .faults = 0}, [&](World& world) {
          explored::RobustLock lock(world.shared<explored::RobustLock::State>());
          world.process("P1", [&] {
            (void)lock.acquire();
            std::this_thread::sleep_for(2 * hours);
            lock.release();
          });
          world.process("P2", [&] {
            const auto end = world.now() + hours;
            const auto limit = world.within(hours);
            if (lock.acquire(hours) == Acquired::kYes) {
              lock.release();
            } else {
              world.require(world.now() >= end, "it does not give up before its time");
            }
          });
          world.run();
        });
    if (held.failed()) {
      return;
    }
  }
}

TEST(RobustLockExplored, SlowRelease) {
  lesson("Between the word and the list");
  did("explored every interleaving of four processes: P1 is slow to give the lock back, meanwhile "
      "P2 has it and P3 and P4 come to sleep; P3 may be killed anywhere, and P1 comes back");
  expect_explored("P4 awake at last, though P3 may die when it is woken and P1 may come first",
                  {.preemptions = 1, .faults = 1, .executions = 40'000}, [](World& world) {
                    auto& state = world.shared<explored::RobustLock::State>();
                    state.word = FUTEX_WAITERS;  // free, and somebody has slept before
                    explored::RobustLock lock(state);
                    auto& signs = world.shared<explored::Semaphore::State>();
                    signs.value = 0;
                    explored::Semaphore fourth(signs);
                    // Who ends with it hands it on as well, in fewer steps.
                    world.process("P1", [&] {
                      (void)lock.acquire();
                      lock.release();
                      (void)lock.acquire();
                    });
                    world.process("P2", [&] {
                      (void)lock.acquire();
                      fourth.acquire();
                      lock.release();
                    });
                    world.process("P3", [&] { (void)lock.acquire(); }).may_die();
                    world.process("P4", [&] {
                      fourth.release();
                      (void)lock.acquire();
                    });
                    world.run();
                  });
}

}  // namespace
