#include <chrono>
#include <mutex>
#include <string>
#include <thread>

#include "04-lock/explored.hpp"

namespace {

using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;
using namespace std::chrono_literals;

/// A lock and a condition, in shared memory.
struct Scene {
  explicit Scene(World& world)
      : lock_state(world.shared<explored::RLock::State>()),
        state(world.shared<explored::Condition::State>()),
        lock(lock_state),
        changed(lock, state) {
    world.name(lock_state.lock.word, "lock");
    world.name(lock_state.lock.owner, "owner");
    world.name(lock_state.depth, "depth");
    world.name(state.sequence, "sequence");
    world.name(state.waiters, "waiters");
  }
  explored::RLock::State& lock_state;
  explored::Condition::State& state;
  explored::RLock lock;
  explored::Condition changed;
};

TEST(ConditionExplored, OneWaits) {
  lesson("Waiting for a condition");
  did("explored a process that waits until something is there, and one that brings it");
  expect_explored("nobody to sleep for ever", {.preemptions = 2, .faults = 1}, [](World& world) {
    Scene scene(world);
    auto& items = world.guarded("items", 0);
    world.process("P1", [&] {
      const std::lock_guard guard(scene.lock);
      while (items == 0) {
        scene.changed.wait();
      }
      items += -1;
    });
    world.process("P2", [&] {
      const std::lock_guard guard(scene.lock);
      items += 1;
      scene.changed.notify();
    });
    world.run();
    world.require(items == 0, "the item was taken");
  });
}

TEST(ConditionExplored, TwoItemsForTwo) {
  lesson("Waiting for a condition");
  did("explored two processes that wait for an item each, and a third that brings two");
  expect_explored("both of them to get one", {.preemptions = 1, .faults = 0}, [](World& world) {
    Scene scene(world);
    auto& items = world.guarded("items", 0);
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] {
        const std::lock_guard guard(scene.lock);
        while (items == 0) {
          scene.changed.wait();
        }
        items += -1;
      });
    }
    world.process("P3", [&] {
      for (int i = 0; i < 2; ++i) {
        const std::lock_guard guard(scene.lock);
        items += 1;
        scene.changed.notify();
      }
    });
    world.run();
    world.require(items == 0, "both items were taken");
  });
}

TEST(ConditionExplored, AllAreTold) {
  lesson("Waiting for a condition");
  did("explored two processes that wait for the same thing, and a third that calls notify_all()");
  expect_explored("both of them to be awake", {.preemptions = 1, .faults = 0}, [](World& world) {
    Scene scene(world);
    auto& open = world.guarded("open", 0);
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] {
        const std::lock_guard guard(scene.lock);
        while (open == 0) {
          scene.changed.wait();
        }
      });
    }
    world.process("P3", [&] {
      const std::lock_guard guard(scene.lock);
      open = 1;
      scene.changed.notify_all();
    });
    world.run();
  });
}

TEST(ConditionExplored, AsDeepAsBefore) {
  lesson("Once more by the same");
  did("explored a process that has the lock twice and waits, and another one that notifies");
  expect_explored("the lock to be taken twice after it", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    Scene scene(world);
                    auto& section = world.section();
                    auto& open = world.guarded("open", 0);
                    world.process("P1", [&] {
                      scene.lock.acquire();
                      scene.lock.acquire();
                      while (open == 0) {
                        scene.changed.wait();
                      }
                      scene.lock.release();
                      world.require(scene.lock.is_mine(), "one release() of two leaves the lock");
                      { const auto inside = section.enter(); }
                      scene.lock.release();
                      world.require(!scene.lock.is_mine(), "the second one gives it back");
                    });
                    world.process("P2", [&] {
                      const std::lock_guard guard(scene.lock);
                      const auto inside = section.enter();
                      open = 1;
                      scene.changed.notify();
                    });
                    world.run();
                  });
}

TEST(ConditionExplored, BackWithTheLock) {
  lesson("Waiting for a condition");
  did("explored a process that waits 10 ms, and one that holds the lock for a second meanwhile");
  expect_explored("the lock to be held when wait() returns", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    Scene scene(world);
                    auto& section = world.section();
                    world.process("P1", [&] {
                      scene.lock.acquire();
                      const bool notified = scene.changed.wait(10ms);
                      world.note(notified ? "wait: true" : "wait: false");
                      world.require(scene.lock.is_mine(), "wait() returns with the lock");
                      { const auto inside = section.enter(); }
                      scene.lock.release();
                    });
                    world.process("P2", [&] {
                      const std::lock_guard guard(scene.lock);
                      const auto inside = section.enter();
                      std::this_thread::sleep_for(1s);
                    });
                    world.run();
                  });
}

TEST(ConditionExplored, InTime) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms for what does not come, with signals and wake-ups for no reason");
  expect_explored(
      "the end of the wait at its deadline", {.preemptions = 0, .faults = 3}, [](World& world) {
        Scene scene(world);
        world.process("P1", [&] {
          const std::lock_guard guard(scene.lock);
          const auto start = world.now();
          const auto limit = world.within(100ms);
          const auto deadline = explored::Deadline::after(100ms);
          while (scene.changed.wait_until(deadline)) {
          }
          world.require(world.now() - start >= 100ms, "it does not give up before its time");
        });
        world.run();
      });
}

TEST(ConditionExplored, FalseMeansThatNobodyNotified) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms, and a notify() that may come before its end");
  expect_explored("true if the notify() came first", {.preemptions = 2, .faults = 0},
                  [](World& world) {
                    Scene scene(world);
                    world.process("P1", [&] {
                      const std::lock_guard guard(scene.lock);
                      world.record(1);
                      const bool notified = scene.changed.wait(100ms);
                      const auto& events = world.recorded();
                      const bool came = events.size() == 2 && events.front() == 1;
                      world.require(notified == came, "wait() says whether a notify() came");
                    });
                    world.process("P2", [&] {
                      const std::lock_guard guard(scene.lock);
                      world.record(2);
                      scene.changed.notify();
                    });
                    world.run();
                  });
}

TEST(ConditionExplored, WhoGivesUpTakesNobodysWakeUp) {
  lesson("Waiting for a condition");
  did("explored a process that gives up, one that waits for ever, and a third that brings one "
      "item");
  expect_explored("the item to be taken by one of them", {.preemptions = 0, .faults = 1},
                  [](World& world) {
                    Scene scene(world);
                    auto& items = world.guarded("items", 0);
                    world.process("P1", [&] {
                      const std::lock_guard guard(scene.lock);
                      scene.changed.wait(10ms);
                      scene.changed.notify();  // what it was told is for somebody else
                    });
                    world.process("P2", [&] {
                      const std::lock_guard guard(scene.lock);
                      while (items == 0) {
                        scene.changed.wait();
                      }
                    });
                    world.process("P3", [&] {
                      const std::lock_guard guard(scene.lock);
                      items += 1;
                      scene.changed.notify();
                    });
                    world.run();
                  });
}

TEST(ConditionExplored, SleepsAllTheTime) {
  lesson("From spinning to sleeping");
  did("explored a wait for a notify() that comes after a day");
  expect_explored("one sleep, and not a look every now and then", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    Scene scene(world);
                    auto& open = world.guarded("open", 0);
                    world.process("P1", [&] {
                      const std::lock_guard guard(scene.lock);
                      while (open == 0) {
                        scene.changed.wait();
                      }
                    });
                    world.process("P2", [&] {
                      std::this_thread::sleep_for(24h);
                      const std::lock_guard guard(scene.lock);
                      open = 1;
                      scene.changed.notify();
                    });
                    world.run();
                  });
}

}  // namespace
