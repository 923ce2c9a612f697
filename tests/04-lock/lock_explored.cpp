#include "04-lock/explored.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#define mp explored
#include "00-syscalls/errors.hpp"
#undef mp

namespace {

using explored::Lock;
using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;
using namespace std::chrono_literals;

Lock::State& state_of(World& world) {
  auto& state = world.shared<Lock::State>();
  world.name(state.word, "word");
  world.name(state.owner, "owner");
  return state;
}

void counting(World& world, int processes, int rounds) {
  Lock lock(state_of(world));
  auto& counter = world.guarded("counter", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    world.process("P" + std::to_string(i), [&, rounds] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        {
          const auto inside = section.enter();
          counter += 1;
        }
        lock.release();
      }
    });
  }
  world.run();
  world.require(counter == processes * rounds, "every increment is there");
  world.require(!lock.locked(), "nobody holds it in the end");
}

TEST(LockExplored, TwoProcessesTwice) {
  lesson("Three states");
  did("explored every interleaving of two processes that take the lock twice each");
  expect_explored("one at a time, and nobody sleeps for ever", {.preemptions = 3, .faults = 1},
                  [](World& world) { counting(world, 2, 2); });
}

TEST(LockExplored, ThreeProcesses) {
  lesson("Three states");
  did("explored every interleaving of three processes that take the lock once each");
  expect_explored("one at a time, and nobody sleeps for ever", {.preemptions = 2, .faults = 0},
                  [](World& world) { counting(world, 3, 1); });
}

TEST(LockExplored, FreeLockIsTaken) {
  lesson("Acquire and release");
  did("explored a process alone: try_acquire(), acquire(0s), acquire(1s)");
  expect_explored("each of them to take it", {.preemptions = 0, .faults = 2}, [](World& world) {
    Lock lock(state_of(world));
    world.process("P1", [&] {
      const auto limit = world.within(0ns);
      world.require(lock.try_acquire(), "a free lock can be taken");
      lock.release();
      world.require(lock.acquire(0s), "a free lock can be taken");
      lock.release();
      world.require(lock.acquire(1s), "a free lock can be taken");
      lock.release();
    });
    world.run();
  });
}

TEST(LockExplored, TryDoesNotWait) {
  lesson("Acquire and release");
  did("explored a process that tries while another one holds the lock for good");
  expect_explored("the result to be false, at once", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    Lock lock(state_of(world));
                    auto& section = world.section();
                    world.process("P1", [&] {
                      lock.acquire();
                      const auto inside = section.enter();
                      world.record(1);  // from here on it is held
                    });
                    world.process("P2", [&] {
                      const bool held = !world.recorded().empty();
                      const auto limit = world.within(0ns);
                      if (lock.try_acquire()) {
                        world.require(!held, "a lock that is held cannot be taken");
                        lock.release();
                      }
                    });
                    world.run();
                  });
}

TEST(LockExplored, TryBesideThoseWhoSleep) {
  lesson("Three states");
  did("explored two processes that take the lock, and a third that tries");
  expect_explored("one at a time, and nobody sleeps for ever", {.preemptions = 2, .faults = 0},
                  [](World& world) {
                    Lock lock(state_of(world));
                    auto& counter = world.guarded("counter", 0);
                    auto& section = world.section();
                    const auto count = [&] {
                      {
                        const auto inside = section.enter();
                        counter += 1;
                      }
                      lock.release();
                    };
                    for (const char* name : {"P1", "P2"}) {
                      world.process(name, [&] {
                        lock.acquire();
                        count();
                      });
                    }
                    world.process("P3", [&] {
                      if (lock.try_acquire()) {
                        count();
                      }
                    });
                    world.run();
                  });
}

TEST(LockExplored, GivesUpInTime) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms for a lock that another process holds for good");
  expect_explored("the result to be false, at the deadline", {.preemptions = 2, .faults = 2},
                  [](World& world) {
                    Lock lock(state_of(world));
                    auto& section = world.section();
                    world.process("P1", [&] {
                      lock.acquire();
                      const auto inside = section.enter();
                    });
                    world.process("P2", [&] {
                      const auto end = world.now() + 100ms;
                      const auto limit = world.within(100ms);
                      if (lock.acquire(100ms)) {
                        { const auto inside = section.enter(); }
                        lock.release();
                      } else {
                        world.require(world.now() >= end, "it does not give up before its time");
                      }
                    });
                    world.run();
                  });
}

TEST(LockExplored, LongLimits) {
  lesson("A moment, not a duration");
  for (const auto hours : {1h, 24h}) {
    const std::string words = std::to_string(hours.count()) + " h";
    did("explored a wait of " + words + " at most, for a lock that is given back before");
    const auto given_back = expect_explored(
        "who waits to have it at that moment", {.preemptions = 1, .faults = 0}, [&](World& world) {
          Lock lock(state_of(world));
          world.process("P1", [&] {
            lock.acquire();
            std::this_thread::sleep_for(123'457us);  // time passes when nobody can run
            world.record(world.now().count());
            lock.release();
          });
          world.process("P2", [&] {
            world.require(lock.acquire(hours), "the lock is free before the time is over");
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
    const auto held = expect_explored("the result to be false, at the deadline",
                                      {.preemptions = 1, .faults = 0}, [&](World& world) {
                                        Lock lock(state_of(world));
                                        world.process("P1", [&] {
                                          lock.acquire();
                                          std::this_thread::sleep_for(2 * hours);
                                          lock.release();
                                        });
                                        world.process("P2", [&] {
                                          const auto end = world.now() + hours;
                                          const auto limit = world.within(hours);
                                          if (lock.acquire(hours)) {
                                            lock.release();
                                          } else {
                                            world.require(world.now() >= end,
                                                          "it does not give up before its time");
                                          }
                                        });
                                        world.run();
                                      });
    if (held.failed()) {
      return;
    }
  }
}

TEST(LockExplored, WhoGivesUpLeavesNothingBehind) {
  lesson("Three states");
  did("explored three processes, one of which waits for 100 ms at most");
  expect_explored("one at a time, and nobody sleeps for ever", {.preemptions = 1, .faults = 1},
                  [](World& world) {
                    Lock lock(state_of(world));
                    auto& counter = world.guarded("counter", 0);
                    auto& section = world.section();
                    const auto count = [&] {
                      {
                        const auto inside = section.enter();
                        counter += 1;
                      }
                      lock.release();
                    };
                    for (const char* name : {"P1", "P2"}) {
                      world.process(name, [&] {
                        lock.acquire();
                        count();
                      });
                    }
                    world.process("P3", [&] {
                      if (lock.acquire(100ms)) {
                        count();
                      }
                    });
                    world.run();
                    world.require(!lock.locked(), "nobody holds it in the end");
                  });
}

TEST(LockExplored, StrangersReleaseNothing) {
  lesson("Who holds it");
  did("explored two processes that take turns, and a stranger that releases the lock");
  expect_explored("a ValueError for the stranger, and one at a time",
                  {.preemptions = 2, .faults = 0}, [](World& world) {
                    Lock lock(state_of(world));
                    auto& section = world.section();
                    for (const char* name : {"P1", "P2"}) {
                      world.process(name, [&] {
                        lock.acquire();
                        { const auto inside = section.enter(); }
                        lock.release();
                      });
                    }
                    world.process("stranger", [&] {
                      bool refused = false;
                      try {
                        lock.release();
                      } catch (const explored::ValueError&) {
                        refused = true;
                      }
                      world.require(refused, "only its holder releases it",
                                    explorer::Verdict::kStranger);
                    });
                    world.run();
                  });
}

TEST(LockExplored, ItsOwnerCannotTakeItAgain) {
  lesson("Who holds it");
  did("explored a process that takes the lock twice, while another one waits for it");
  expect_explored("a std::logic_error for acquire(), false for the others",
                  {.preemptions = 2, .faults = 1}, [](World& world) {
                    Lock lock(state_of(world));
                    auto& section = world.section();
                    world.process("P1", [&] {
                      lock.acquire();
                      {
                        const auto inside = section.enter();
                        bool told = false;
                        try {
                          lock.acquire();
                        } catch (const std::logic_error&) {
                          told = true;
                        }
                        world.require(told, "it is told that it waits for itself");
                        world.require(!lock.try_acquire(), "try_acquire() is false");
                        const auto end = world.now() + 100ms;
                        const auto limit = world.within(100ms);
                        world.require(!lock.acquire(100ms), "acquire(100ms) is false");
                        world.require(world.now() >= end, "it does not give up before its time");
                      }
                      lock.release();
                    });
                    world.process("P2", [&] {
                      lock.acquire();
                      { const auto inside = section.enter(); }
                      lock.release();
                    });
                    world.run();
                  });
}

TEST(LockExplored, EachKnowsWhetherItIsTheOwner) {
  lesson("Who holds it");
  did("explored two processes that take the lock, and try to release it once more than that");
  expect_explored(
      "a ValueError for what is too much", {.preemptions = 2, .faults = 0}, [](World& world) {
        Lock lock(state_of(world));
        auto& section = world.section();
        for (const char* name : {"P1", "P2"}) {
          world.process(name, [&] {
            lock.acquire();
            { const auto inside = section.enter(); }
            lock.release();
            bool refused = false;
            try {
              lock.release();
            } catch (const explored::ValueError&) {
              refused = true;
            }
            world.require(refused, "nobody releases it twice", explorer::Verdict::kStranger);
          });
        }
        world.run();
      });
}

}  // namespace
