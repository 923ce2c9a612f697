#include <chrono>
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

explored::Event::State& event_of(World& world) {
  auto& state = world.shared<explored::Event::State>();
  world.name(state.word, "word");
  return state;
}

/// Time passes when nobody can run: who naps begins when the others are asleep.
void nap(std::chrono::nanoseconds time) {
  std::this_thread::sleep_for(time);
}

TEST(EventExplored, WhatWasDoneBefore) {
  lesson("Acquire and release");
  did("explored a process that writes data and sets an event, and two that wait and read them");
  expect_explored("both of them to be awake and to see the data", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    explored::Event event(event_of(world));
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
                  });
}

TEST(EventExplored, FoundSet) {
  lesson("Acquire and release");
  did("explored a process that writes data and sets an event, and one that looks and reads them");
  expect_explored("the data to be seen by whoever finds it set", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    explored::Event event(event_of(world));
                    auto& data = world.guarded("data", 0);
                    world.process("P1", [&] {
                      if (event.is_set()) {
                        world.require(data == 42, "what comes before set() is seen by is_set()");
                      }
                    });
                    world.process("P2", [&] {
                      data = 42;
                      event.set();
                    });
                    world.run();
                    world.require(event.is_set(), "it is set");
                  });
}

TEST(EventExplored, SetOnceMore) {
  lesson("Acquire and release");
  did("explored a process that writes data and sets an event which is set already");
  expect_explored("the data to be seen by whoever waits after it", {.preemptions = 2, .faults = 0},
                  [](World& world) {
                    explored::Event event(event_of(world));
                    auto& data = world.guarded("data", 0);
                    world.process("P1", [&] { event.set(); });
                    world.process("P2", [&] {
                      nap(1s);
                      data = 42;
                      event.set();
                    });
                    world.process("P3", [&] {
                      nap(2s);
                      event.wait();
                      world.require(data == 42, "what comes before set() is seen after wait()");
                    });
                    world.run();
                  });
}

TEST(EventExplored, SetAndClearedAtOnce) {
  lesson("A flag that is not forgotten");
  did("explored two processes that wait, and a third that sets the event and clears it at once");
  expect_explored("both of them to be awake", {.preemptions = 3, .faults = 0}, [](World& world) {
    explored::Event event(event_of(world));
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] { event.wait(); });
    }
    world.process("P3", [&] {
      nap(1s);  // by then they sleep
      event.set();
      event.clear();
    });
    world.run();
    world.require(!event.is_set(), "it is cleared in the end");
  });
}

TEST(EventExplored, SetterAndClearer) {
  lesson("A flag that is not forgotten");
  did("explored a process that sleeps, one that sets the event, and one that clears it then");
  expect_explored("the first one to be awake", {.preemptions = 3, .faults = 0}, [](World& world) {
    explored::Event event(event_of(world));
    world.process("P1", [&] { event.wait(); });
    world.process("P2", [&] {
      nap(1s);
      event.set();
    });
    world.process("P3", [&] {
      nap(1s);
      event.clear();
    });
    world.run();
  });
}

TEST(EventExplored, ClearedIsNotSet) {
  lesson("A flag that is not forgotten");
  did("explored a wait of 100 ms, while another process clears the event");
  expect_explored("false, at the deadline", {.preemptions = 2, .faults = 2}, [](World& world) {
    explored::Event event(event_of(world));
    world.process("P1", [&] {
      const auto start = world.now();
      const auto limit = world.within(100ms);
      world.require(!event.wait(100ms), "nobody has set it");
      world.require(world.now() - start >= 100ms, "it does not give up before its time");
    });
    world.process("P2", [&] { event.clear(); });
    world.run();
  });
}

TEST(EventExplored, TwoThatClear) {
  lesson("A flag that is not forgotten");
  did("explored an event that is set, and two processes that clear it");
  expect_explored("it not to be set in the end", {.preemptions = 3, .faults = 1}, [](World& world) {
    explored::Event event(event_of(world));
    event.set();
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] {
        event.clear();
        world.require(!event.is_set(), "it is cleared, and nobody sets it");
      });
    }
    world.run();
    world.require(!event.is_set(), "it is cleared, and nobody sets it");
  });
}

TEST(EventExplored, NothingComes) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms, with signals and wake-ups for no reason");
  expect_explored(
      "the end of the wait at its deadline", {.preemptions = 0, .faults = 3}, [](World& world) {
        explored::Event event(event_of(world));
        world.process("P1", [&] {
          const auto start = world.now();
          const auto limit = world.within(100ms);
          world.require(!event.wait(100ms), "nobody has set it");
          world.require(world.now() - start >= 100ms, "it does not give up before its time");
        });
        world.run();
      });
}

TEST(EventExplored, LongLimits) {
  lesson("A moment, not a duration");
  for (const auto& [words, time] : {std::pair("an hour", 1h), {"a day", 24h}}) {
    did(std::string("explored a wait of ") + words + " for a set() that does not come");
    const auto found = expect_explored(
        "one sleep, which ends at its deadline", {.preemptions = 0, .faults = 1},
        [time = time](World& world) {
          explored::Event event(event_of(world));
          world.process("P1", [&] {
            const auto start = world.now();
            const auto limit = world.within(time);
            world.require(!event.wait(time), "nobody has set it");
            world.require(world.now() - start >= time, "it does not give up before its time");
          });
          world.run();
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(EventExplored, SetWithinALongLimit) {
  lesson("A moment, not a duration");
  for (const auto& [words, time] : {std::pair("an hour", 1h), {"a day", 24h}}) {
    did(std::string("explored a wait of ") + words + ", and a set() in the middle of it");
    const auto found = expect_explored(
        "true, as soon as it is set", {.preemptions = 2, .faults = 0}, [time = time](World& world) {
          explored::Event event(event_of(world));
          world.process("P1", [&] {
            const auto limit = world.within(time / 2);
            world.require(event.wait(time), "it is set in time");
          });
          world.process("P2", [&] {
            nap(time / 2);
            event.set();
          });
          world.run();
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(EventExplored, DeadWaiter) {
  lesson("Nobody waits for the woken");
  did("explored two processes that wait, one of which may be killed anywhere, and one that sets");
  expect_explored("set() to return, and the other one to be awake", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    explored::Event event(event_of(world));
                    world.process("P1", [&] { event.wait(); }).may_die();
                    world.process("P2", [&] { event.wait(); });
                    world.process("P3", [&] { event.set(); });
                    world.run();
                  });
}

TEST(EventExplored, SetByTheHandlerOfWhoWaits) {
  lesson("In a signal handler");
  did("explored a process that waits, and whose signal handler sets the event and clears it");
  expect_explored("nobody to wait for himself", {.preemptions = 2, .faults = 1}, [](World& world) {
    explored::Event event(event_of(world));
    world.process("P1", [&] { event.wait(); }).on_signal([&] {
      event.set();
      event.clear();
      event.set();
    });
    world.process("P2", [&] { event.set(); });
    world.run();
  });
}

TEST(EventExplored, HandlerInTheMiddle) {
  lesson("In a signal handler");
  did("explored set(), clear() and is_set(), with a signal handler in the middle that calls them");
  expect_explored("nobody to wait for himself", {.preemptions = 2, .faults = 1}, [](World& world) {
    explored::Event event(event_of(world));
    world
        .process("P1",
                 [&] {
                   event.set();
                   (void)event.is_set();
                   event.clear();
                   event.set();
                 })
        .on_signal([&] {
          event.clear();
          (void)event.is_set();
          event.set();
        });
    world.process("P2", [&] { event.wait(); });
    world.run();
    world.require(event.is_set(), "it is set in the end");
  });
}

TEST(EventExplored, SleepsAllTheTime) {
  lesson("From spinning to sleeping");
  did("explored a wait for a set() that comes after a day");
  expect_explored("one sleep, and not a look every now and then", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    explored::Event event(event_of(world));
                    world.process("P1", [&] { event.wait(); });
                    world.process("P2", [&] {
                      nap(24h);
                      event.set();
                    });
                    world.run();
                  });
}

}  // namespace
