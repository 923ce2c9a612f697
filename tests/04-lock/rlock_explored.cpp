#include "04-lock/explored.hpp"

#define mp explored
#include "00-syscalls/errors.hpp"
#undef mp

namespace {

using explored::RLock;
using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;
using namespace std::chrono_literals;

RLock::State& state_of(World& world) {
  auto& state = world.shared<RLock::State>();
  world.name(state.lock.word, "word");
  world.name(state.lock.owner, "owner");
  world.name(state.depth, "depth");
  return state;
}

/// Whether release() is refused.
template <class Lock>
bool is_refused(Lock& lock) {
  try {
    lock.release();
    return false;
  } catch (const explored::ValueError&) {
    return true;
  }
}

/// Each takes the lock as often as that, and counts in the innermost.
void nested(World& world, int processes, int rounds, int depth) {
  RLock lock(state_of(world));
  auto& counter = world.guarded("counter", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    world.process("P" + std::to_string(i), [&, rounds, depth] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        {
          const auto inside = section.enter();
          for (int more = 1; more < depth; ++more) {
            lock.acquire();
          }
          counter += 1;
          for (int more = 1; more < depth; ++more) {
            lock.release();
          }
          counter += 1;
        }
        lock.release();
      }
    });
  }
  world.run();
  world.require(counter == 2 * processes * rounds, "every increment is there");
  world.require(!lock.is_mine(), "nobody holds it in the end");
}

TEST(RLockExplored, TwoProcessesTwice) {
  lesson("Once more by the same");
  did("explored two processes that take the lock twice each, with one more inside");
  expect_explored("one at a time, until the last release(), and nobody sleeps for ever",
                  {.preemptions = 2, .faults = 1}, [](World& world) { nested(world, 2, 2, 2); });
}

TEST(RLockExplored, ThreeProcesses) {
  lesson("Once more by the same");
  did("explored three processes that take the lock three times, one inside the other");
  expect_explored("one at a time, until the last release(), and nobody sleeps for ever",
                  {.preemptions = 2, .faults = 0}, [](World& world) { nested(world, 3, 1, 3); });
}

TEST(RLockExplored, OthersTry) {
  lesson("Once more by the same");
  did("explored a process that takes the lock twice, and another one that tries");
  expect_explored("one at a time, and the lock free in the end", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    RLock lock(state_of(world));
                    auto& section = world.section();
                    world.process("P1", [&] {
                      lock.acquire();
                      {
                        const auto inside = section.enter();
                        world.require(lock.try_acquire(), "its owner can take it once more");
                        lock.release();
                      }
                      lock.release();
                      world.require(is_refused(lock), "it is not released too often",
                                    explorer::Verdict::kStranger);
                    });
                    world.process("P2", [&] {
                      const auto limit = world.within(0ns);
                      if (lock.try_acquire()) {
                        { const auto inside = section.enter(); }
                        lock.release();
                      } else {
                        world.require(is_refused(lock), "what was not taken is not released",
                                      explorer::Verdict::kStranger);
                      }
                    });
                    world.run();
                  });
}

TEST(RLockExplored, GivesUpInTime) {
  lesson("A moment, not a duration");
  did("explored a process that holds the lock for good, twice, and one that waits 100 ms for it");
  expect_explored("the result to be false, at the deadline", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    RLock lock(state_of(world));
                    auto& section = world.section();
                    auto& counter = world.guarded("counter", 0);
                    world.process("P1", [&] {
                      lock.acquire();
                      lock.acquire();
                      const auto inside = section.enter();
                      counter += 1;
                      lock.release();
                      counter += 1;
                    });
                    world.process("P2", [&] {
                      const auto end = world.now() + 100ms;
                      const auto limit = world.within(100ms);
                      if (lock.acquire(100ms)) {
                        {
                          const auto inside = section.enter();
                          counter += 1;
                        }
                        lock.release();
                      } else {
                        world.require(world.now() >= end, "it does not give up before its time");
                        world.require(!lock.is_mine(), "what was not taken is not held");
                      }
                    });
                    world.run();
                  });
}

TEST(RLockExplored, StrangersReleaseNothing) {
  lesson("Who holds it");
  did("explored two processes that take turns, and a stranger that releases the lock");
  expect_explored("a ValueError for the stranger, and one at a time",
                  {.preemptions = 2, .faults = 0}, [](World& world) {
                    RLock lock(state_of(world));
                    auto& section = world.section();
                    for (const char* name : {"P1", "P2"}) {
                      world.process(name, [&] {
                        lock.acquire();
                        lock.acquire();
                        { const auto inside = section.enter(); }
                        lock.release();
                        lock.release();
                      });
                    }
                    world.process("stranger", [&] {
                      world.require(!lock.is_mine(), "it is not the owner");
                      world.require(is_refused(lock), "only its holder releases it",
                                    explorer::Verdict::kStranger);
                      bool refused = false;
                      try {
                        (void)lock.release_all();
                      } catch (const explored::ValueError&) {
                        refused = true;
                      }
                      world.require(refused, "only its holder releases it",
                                    explorer::Verdict::kStranger);
                    });
                    world.run();
                  });
}

TEST(RLockExplored, AllAtOnceAndBack) {
  lesson("Once more by the same");
  did("explored two processes that take the lock twice, give all of it back, and take it again");
  expect_explored("one at a time, and the depth as it was", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    RLock lock(state_of(world));
                    auto& counter = world.guarded("counter", 0);
                    auto& section = world.section();
                    for (const std::uint32_t times : {1U, 2U}) {
                      world.process("P" + std::to_string(times), [&, times] {
                        for (std::uint32_t i = 0; i < times; ++i) {
                          lock.acquire();
                        }
                        {
                          const auto inside = section.enter();
                          counter += 1;
                        }
                        const std::uint32_t depth = lock.release_all();
                        world.require(depth == times, "release_all() says how often it was taken");
                        lock.acquire_again(depth);
                        {
                          const auto inside = section.enter();
                          counter += 1;
                          for (std::uint32_t i = 1; i < times; ++i) {
                            lock.release();
                          }
                          world.require(lock.is_mine(), "it is held until the last release()");
                        }
                        lock.release();
                        world.require(is_refused(lock), "it is not released too often",
                                      explorer::Verdict::kStranger);
                      });
                    }
                    world.run();
                    world.require(counter == 4, "every increment is there");
                  });
}

}  // namespace
