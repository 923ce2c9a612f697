#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "04-lock/explored.hpp"

namespace {

using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;
using namespace std::chrono_literals;

/// A semaphore that has this much left.
explored::Semaphore::State& semaphore_of(World& world, std::uint32_t value,
                                         std::uint32_t bound = explored::Semaphore::kMost) {
  auto& state = world.shared<explored::Semaphore::State>();
  state.value = value;
  state.bound = bound;
  world.name(state.value, "value");
  world.name(state.waiters, "waiters");
  return state;
}

std::string p(int i) {
  return "P" + std::to_string(i);
}

TEST(SemaphoreExplored, OneUnit) {
  lesson("Counting");
  did("explored two processes that take the only unit twice each, and count with it");
  expect_explored("one at a time, and each sees what the other one did",
                  {.preemptions = 3, .faults = 1}, [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 1));
                    auto& counter = world.guarded("counter", 0);
                    auto& section = world.section();
                    for (int i = 1; i <= 2; ++i) {
                      world.process(p(i), [&] {
                        for (int round = 0; round < 2; ++round) {
                          semaphore.acquire();
                          {
                            const auto inside = section.enter();
                            counter += 1;
                          }
                          semaphore.release();
                        }
                      });
                    }
                    world.run();
                    world.require(counter == 4, "every increment is there");
                    world.require(semaphore.get_value() == 1, "the unit is back");
                  });
}

TEST(SemaphoreExplored, RoomForTwo) {
  lesson("Counting");
  did("explored three processes and a room for two");
  expect_explored("no more than two inside, and nobody to sleep for ever",
                  {.preemptions = 2, .faults = 1}, [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 2, 2));
                    auto& section = world.section("the room for two", 2);
                    for (int i = 1; i <= 3; ++i) {
                      world.process(p(i), [&] {
                        semaphore.acquire();
                        { const auto inside = section.enter(); }
                        semaphore.release();
                      });
                    }
                    world.run();
                    world.require(semaphore.get_value() == 2, "both units are back");
                  });
}

TEST(SemaphoreExplored, TwoReleasesForTwo) {
  lesson("Counting");
  did("explored two processes that wait, and a third that releases twice");
  expect_explored("both of them to be awake", {.preemptions = 2, .faults = 1}, [](World& world) {
    explored::Semaphore semaphore(semaphore_of(world, 0));
    for (int i = 1; i <= 2; ++i) {
      world.process(p(i), [&] { semaphore.acquire(); });
    }
    world.process("P3", [&] {
      semaphore.release();
      semaphore.release();
    });
    world.run();
    world.require(semaphore.get_value() == 0, "both units are taken");
  });
}

TEST(SemaphoreExplored, ManyReleasesInARow) {
  lesson("Counting");
  for (const int many : {3, 4, 5}) {
    const std::string number = std::to_string(many);
    did(std::string("explored ")
            .append(number)
            .append(" processes that sleep, and as many releases in a row"));
    const auto found = expect_explored(
        "all of them to be awake", {.preemptions = 0, .faults = 0}, [many](World& world) {
          explored::Semaphore semaphore(semaphore_of(world, 0));
          for (int i = 1; i <= many; ++i) {
            world.process(p(i), [&semaphore, i] {
              // One after the other: any other order is only more of the same.
              std::this_thread::sleep_for(i * 1ms);
              semaphore.acquire();
            });
          }
          world.process("releaser", [&] {
            std::this_thread::sleep_for(1s);
            for (int i = 0; i < many; ++i) {
              semaphore.release();
            }
          });
          world.run();
          world.require(semaphore.get_value() == 0, "every unit is taken");
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(SemaphoreExplored, ManyThatWait) {
  lesson("Counting");
  for (const std::uint32_t others : {3U, 7U, 255U, 65535U}) {
    const std::string number = std::to_string(others);
    did("explored a process that sleeps, with " + number + " in `waiters` already, and a release");
    const auto found = expect_explored("the process to be awake", {.preemptions = 1, .faults = 0},
                                       [others](World& world) {
                                         auto& state = semaphore_of(world, 0);
                                         state.waiters = others;  // killed while they slept
                                         explored::Semaphore semaphore(state);
                                         world.process("P1", [&] { semaphore.acquire(); });
                                         world.process("P2", [&] { semaphore.release(); });
                                         world.run();
                                       });
    if (found.failed()) {
      return;
    }
  }
}

TEST(SemaphoreExplored, WhatWasDoneBefore) {
  lesson("Acquire and release");
  did("explored a process that writes data and releases, and one that acquires and reads them");
  expect_explored("the data to be seen", {.preemptions = 2, .faults = 2}, [](World& world) {
    explored::Semaphore semaphore(semaphore_of(world, 0));
    auto& data = world.guarded("data", 0);
    world.process("P1", [&] {
      data = 42;
      semaphore.release();
    });
    world.process("P2", [&] {
      semaphore.acquire();
      world.require(data == 42, "what comes before release() is seen after acquire()");
    });
    world.run();
  });
}

TEST(SemaphoreExplored, EnoughForBoth) {
  lesson("Counting");
  did("explored two processes that try once each, with two units left");
  expect_explored("both of them to take one, at once", {.preemptions = 3, .faults = 2},
                  [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 2));
                    for (int i = 1; i <= 2; ++i) {
                      world.process(p(i), [&] {
                        const auto limit = world.within(0ns);
                        world.require(semaphore.try_acquire(), "there was a unit for each");
                      });
                    }
                    world.run();
                    world.require(semaphore.get_value() == 0, "both units are taken");
                  });
}

TEST(SemaphoreExplored, RoomForOneRelease) {
  lesson("Never beyond the bound");
  did("explored two processes that release a semaphore which is one below its bound");
  expect_explored("one of them to be refused, and the value at the bound",
                  {.preemptions = 3, .faults = 1}, [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 0, 1));
                    for (int i = 1; i <= 2; ++i) {
                      world.process(p(i), [&] {
                        try {
                          semaphore.release();
                          world.record(1);
                        } catch (const std::invalid_argument&) {
                          world.note("is refused");
                        }
                      });
                    }
                    world.run();
                    world.require(semaphore.get_value() == 1, "the value is at its bound");
                    world.require(world.recorded().size() == 1, "one release was refused");
                  });
}

TEST(SemaphoreExplored, RefusedReleaseChangesNothing) {
  lesson("Never beyond the bound");
  did("explored one release too many, while two other processes try to take the only unit");
  expect_explored(
      "nobody to take a unit that is not there", {.preemptions = 2, .faults = 0}, [](World& world) {
        explored::Semaphore semaphore(semaphore_of(world, 1, 1));
        world.process("P1", [&] {
          try {
            semaphore.release();
            world.record(1);
          } catch (const std::invalid_argument&) {
            world.note("is refused");
          }
        });
        for (const char* name : {"P2", "P3"}) {
          world.process(name, [&] {
            if (semaphore.try_acquire()) {
              world.record(-1);
            }
          });
        }
        world.run();
        std::int64_t left = 1;
        for (const std::int64_t change : world.recorded()) {
          left += change;
        }
        world.require(semaphore.get_value() == left,
                      "the value is what was there, and what came, less what was taken");
      });
}

TEST(SemaphoreExplored, InTimeOrNotAtAll) {
  lesson("A moment, not a duration");
  did("explored a process that waits 100 ms at most, and another one that releases");
  expect_explored(
      "true with the unit, or false at the deadline", {.preemptions = 2, .faults = 2},
      [](World& world) {
        explored::Semaphore semaphore(semaphore_of(world, 0));
        world.process("P1", [&] {
          const auto start = world.now();
          const auto limit = world.within(100ms);
          if (semaphore.acquire(100ms)) {
            world.record(1);
          } else {
            world.require(world.now() - start >= 100ms, "it does not give up before its time");
          }
        });
        world.process("P2", [&] { semaphore.release(); });
        world.run();
        world.require(semaphore.get_value() == 1 - world.recorded().size(),
                      "whoever says true has taken the unit, whoever says false has not");
      });
}

TEST(SemaphoreExplored, NothingComes) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms for a release that does not come");
  expect_explored(
      "the end of the wait at its deadline", {.preemptions = 0, .faults = 3}, [](World& world) {
        explored::Semaphore semaphore(semaphore_of(world, 0));
        world.process("P1", [&] {
          const auto start = world.now();
          const auto limit = world.within(100ms);
          world.require(!semaphore.acquire(100ms), "there is nothing to take");
          world.require(world.now() - start >= 100ms, "it does not give up before its time");
        });
        world.run();
        world.require(semaphore.get_value() == 0, "the value is what it was");
      });
}

TEST(SemaphoreExplored, LongLimits) {
  lesson("A moment, not a duration");
  for (const auto& [words, time] : {std::pair("an hour", 1h), {"a day", 24h}}) {
    did(std::string("explored a wait of ") + words + " for a release that does not come");
    const auto found = expect_explored(
        "one sleep, which ends at its deadline", {.preemptions = 0, .faults = 1},
        [time = time](World& world) {
          explored::Semaphore semaphore(semaphore_of(world, 0));
          world.process("P1", [&] {
            const auto start = world.now();
            const auto limit = world.within(time);
            world.require(!semaphore.acquire(time), "there is nothing to take");
            world.require(world.now() - start >= time, "it does not give up before its time");
          });
          world.run();
          world.require(semaphore.get_value() == 0, "the value is what it was");
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(SemaphoreExplored, ReleasedWithinALongLimit) {
  lesson("A moment, not a duration");
  for (const auto& [words, time] : {std::pair("an hour", 1h), {"a day", 24h}}) {
    did(std::string("explored a wait of ") + words + ", and a release in the middle of it");
    const auto found =
        expect_explored("true, as soon as it is released", {.preemptions = 2, .faults = 0},
                        [time = time](World& world) {
                          explored::Semaphore semaphore(semaphore_of(world, 0));
                          world.process("P1", [&] {
                            const auto limit = world.within(time / 2);
                            world.require(semaphore.acquire(time), "it is released in time");
                          });
                          world.process("P2", [&] {
                            std::this_thread::sleep_for(time / 2);
                            semaphore.release();
                          });
                          world.run();
                          world.require(semaphore.get_value() == 0, "the unit is taken");
                        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(SemaphoreExplored, WhoGivesUpTakesNobodysWakeUp) {
  lesson("Counting");
  did("explored a process that gives up, one that waits for ever, and a third that releases once");
  expect_explored("the second one to be awake in the end", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 0));
                    world.process("P1", [&] {
                      if (semaphore.acquire(10ms)) {
                        semaphore.release();
                      }
                    });
                    world.process("P2", [&] { semaphore.acquire(); });
                    world.process("P3", [&] { semaphore.release(); });
                    world.run();
                    world.require(semaphore.get_value() == 0, "the unit is taken");
                  });
}

TEST(SemaphoreExplored, SleepsAllTheTime) {
  lesson("From spinning to sleeping");
  did("explored a wait for a release that comes after a day");
  expect_explored("one sleep, and not a look every now and then", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    explored::Semaphore semaphore(semaphore_of(world, 0));
                    world.process("P1", [&] { semaphore.acquire(); });
                    world.process("P2", [&] {
                      std::this_thread::sleep_for(24h);
                      semaphore.release();
                    });
                    world.run();
                  });
}

}  // namespace
