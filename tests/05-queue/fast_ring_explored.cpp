#include "05-queue/explored.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>

namespace {

using explored::Deadline;
using explored::FastRing;
using explorer::World;
using namespace mp::test;
using namespace std::chrono_literals;

/// A queue of numbers, and a handle for each side of it.
class Scene {
 public:
  Scene(World& world, std::size_t capacity, int spins)
      : world_(world),
        state_(world.shared<FastRing::State>()),
        memory_(ring_memory(world, (capacity + 1) / 2).first(4 * capacity)),
        spins_(spins),
        putting_(state_, memory_, 4, spins),
        getting_(putting_) {
    world.name(state_.tail, "tail");
    world.name(state_.head, "head");
    world.name(state_.getter_asleep, "getter_asleep");
    world.name(state_.putter_asleep, "putter_asleep");
  }

  bool put(int number, Deadline deadline = Deadline::never()) {
    return put_by(putting_, number, deadline);
  }
  /// @return the number, or 0 if there was none.
  int get(Deadline deadline = Deadline::never()) { return get_by(getting_, deadline); }

  static bool put_by(FastRing& ring, int number, Deadline deadline = Deadline::never()) {
    return ring.put_until(item_of(number), deadline);
  }
  int get_by(FastRing& ring, Deadline deadline = Deadline::never()) {
    std::array<std::byte, 4> item = item_of(kUntouched);
    const bool got = ring.get_until(item, deadline);
    const int number = number_of(item);
    world_.require(got || number == kUntouched,
                   "without an item, the caller's bytes are unchanged");
    return got ? number : 0;
  }

  /// Another process's.
  [[nodiscard]] FastRing handle() const { return {state_, memory_, 4, spins_}; }
  [[nodiscard]] std::uint32_t size() const { return putting_.size(); }

  /// What must be true when everybody is at his end.
  void check_end(std::uint32_t size) {
    world_.require(putting_.size() == size, "what was put and not got is in");
    world_.require(state_.getter_asleep == 0 && state_.putter_asleep == 0,
                   "nobody sleeps, and so no flag is set");
  }

 private:
  static constexpr int kUntouched = 1'000'000;

  World& world_;
  FastRing::State& state_;
  std::span<std::byte> memory_;
  int spins_;
  FastRing putting_;
  FastRing getting_;
};

/// One puts so many items, and one gets them.
void one_and_one(World& world, std::size_t capacity, int spins, int items) {
  Scene scene(world, capacity, spins);
  world.process("putter", [&] {
    for (int i = 1; i <= items; ++i) {
      world.require(scene.put(i), "without a limit, it is put");
    }
  });
  world.process("getter", [&] {
    for (int i = 1; i <= items; ++i) {
      world.require(scene.get() == i, "each comes whole, once, and in order");
    }
  });
  world.run();
  scene.check_end(0);
}

TEST(FastRingExplored, OneAndOne) {
  lesson("Without a lock");
  did("explored every interleaving of one that puts three items and one that gets them, with room "
      "for two");
  expect_explored("each item whole, once, and in order, and nobody asleep for ever",
                  {.preemptions = 2, .faults = 1},
                  [](World& world) { one_and_one(world, 2, 1, 3); });
}

TEST(FastRingExplored, SleepsAtOnce) {
  lesson("Say first, look then");
  did("explored one that puts three items and one that gets them, with room for two, who look once "
      "before they sleep");
  expect_explored("each item whole, once, and in order, and nobody asleep for ever",
                  {.preemptions = 2, .faults = 1},
                  [](World& world) { one_and_one(world, 2, 0, 3); });
}

TEST(FastRingExplored, RoomForOne) {
  lesson("Without a lock");
  for (const int spins : {0, 1}) {
    did("explored one that puts two items and one that gets them, with room for one and " +
        std::to_string(spins) + " looks before they sleep");
    const auto found =
        expect_explored("each item whole, once, and in order, and nobody asleep for ever",
                        {.preemptions = 3, .faults = 1},
                        [spins](World& world) { one_and_one(world, 1, spins, 2); });
    if (found.failed()) {
      return;
    }
  }
}

TEST(FastRingExplored, SeveralRounds) {
  lesson("Say first, look then");
  did("explored one that puts three items and one that gets them, with room for one: each of them "
      "sleeps more than once");
  expect_explored("each item whole, once, and in order, and nobody asleep for ever",
                  {.preemptions = 2, .faults = 0},
                  [](World& world) { one_and_one(world, 1, 0, 3); });
}

// ---- the time

TEST(FastRingExplored, NoItemComes) {
  lesson("Full and Empty");
  for (const int spins : {0, 2}) {
    did("explored a get of 100 ms from an empty queue, with wake-ups that come from nobody");
    const auto found = expect_explored(
        "nothing, at the deadline", {.preemptions = 0, .faults = 3}, [spins](World& world) {
          Scene scene(world, 2, spins);
          world.process("getter", [&] {
            const auto end = world.now() + 100ms;
            const auto limit = world.within(100ms);
            world.require(scene.get(Deadline::after(100ms)) == 0, "there is nothing to get");
            world.require(world.now() >= end, "nobody gives up before his time");
          });
          world.run();
          scene.check_end(0);
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(FastRingExplored, NoRoomComes) {
  lesson("Full and Empty");
  for (const int spins : {0, 2}) {
    did("explored a put of 100 ms into a full queue, with wake-ups that come from nobody");
    const auto found = expect_explored(
        "it not to be put, at the deadline", {.preemptions = 0, .faults = 3},
        [spins](World& world) {
          Scene scene(world, 1, spins);
          world.require(scene.put(1), "the empty queue has room");
          world.process("putter", [&] {
            const auto end = world.now() + 100ms;
            const auto limit = world.within(100ms);
            world.require(!scene.put(2, Deadline::after(100ms)), "a full queue takes no more");
            world.require(world.now() >= end, "nobody gives up before his time");
          });
          world.run();
          scene.check_end(1);
          world.require(scene.get() == 1, "the item that was in is still in");
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(FastRingExplored, GetterGivesUp) {
  lesson("Full and Empty");
  did("explored a get of 100 ms and then one without a limit, beside one that puts an item");
  expect_explored("the item to come once, with the first get or with the second",
                  {.preemptions = 3, .faults = 2}, [](World& world) {
                    Scene scene(world, 2, 0);
                    world.process("putter", [&] { scene.put(1); });
                    world.process("getter", [&] {
                      int item = 0;
                      {
                        const auto limit = world.within(100ms);
                        item = scene.get(Deadline::after(100ms));
                      }
                      item = item == 0 ? scene.get() : item;
                      world.require(item == 1, "the item comes");
                    });
                    world.run();
                    scene.check_end(0);
                  });
}

TEST(FastRingExplored, PutterGivesUp) {
  lesson("Full and Empty");
  did("explored a put of 100 ms into a full queue and then one without a limit, beside one that "
      "gets an item");
  expect_explored("the item to be put once", {.preemptions = 3, .faults = 2}, [](World& world) {
    Scene scene(world, 1, 0);
    scene.put(1);
    world.process("putter", [&] {
      bool is_in = false;
      {
        const auto limit = world.within(100ms);
        is_in = scene.put(2, Deadline::after(100ms));
      }
      world.require(is_in || scene.put(2), "without a limit, it is put");
    });
    world.process("getter", [&] { world.require(scene.get() == 1, "the first one comes first"); });
    world.run();
    scene.check_end(1);
    world.require(scene.get() == 2, "the second one is in");
  });
}

TEST(FastRingExplored, InTime) {
  lesson("Full and Empty");
  did("explored a get and a put of a second, in two queues, which can go on after half of it");
  expect_explored("them to go on at that moment", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    Scene empty(world, 1, 0);
                    Scene full(world, 1, 0);
                    full.put(1);
                    world.process("getter", [&] {
                      const auto limit = world.within(500ms);
                      world.require(empty.get(Deadline::after(1s)) == 1, "an item comes in time");
                    });
                    world.process("putter", [&] {
                      const auto limit = world.within(500ms);
                      world.require(full.put(2, Deadline::after(1s)), "room comes in time");
                    });
                    world.process("other", [&] {
                      std::this_thread::sleep_for(500ms);
                      empty.put(1);
                      full.get();
                    });
                    world.run();
                  });
}

TEST(FastRingExplored, ItemIsThere) {
  lesson("Full and Empty");
  did("explored one that puts an item, and one that gets with a deadline of 10 ms, or one that has "
      "passed");
  for (const auto time : {0ms, 10ms}) {
    const auto found =
        expect_explored("the item, if its put came back before the deadline",
                        {.preemptions = 3, .faults = 0}, [time](World& world) {
                          Scene scene(world, 1, 1);
                          world.process("putter", [&] {
                            scene.put(1);
                            world.record(1);
                          });
                          world.process("getter", [&] {
                            const bool there = !world.recorded().empty();
                            const int item = scene.get(Deadline::after(time));
                            world.require(item == 1 || !there, "an item that is in is got");
                          });
                          world.run();
                        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(FastRingExplored, WakeUpForWhatItHas) {
  lesson("Say first, look then");
  did("explored one that gets two items, the second with a deadline, beside one that puts only "
      "one");
  expect_explored("the first one, and then nothing, at the deadline",
                  {.preemptions = 3, .faults = 1}, [](World& world) {
                    Scene scene(world, 2, 0);
                    world.process("putter", [&] { scene.put(1); });
                    world.process("getter", [&] {
                      world.require(scene.get() == 1, "the item comes");
                      const auto end = world.now() + 100ms;
                      const auto limit = world.within(100ms);
                      world.require(scene.get(Deadline::after(100ms)) == 0, "there is no other");
                      world.require(world.now() >= end, "nobody gives up before his time");
                    });
                    world.run();
                    scene.check_end(0);
                  });
}

TEST(FastRingExplored, WakeUpForRoomItHas) {
  lesson("Say first, look then");
  did("explored one that puts two items into a full queue, the second with a deadline, beside one "
      "that gets only one");
  expect_explored("the first one to be put, and the second not, at the deadline",
                  {.preemptions = 3, .faults = 1}, [](World& world) {
                    Scene scene(world, 1, 0);
                    scene.put(1);
                    world.process("getter", [&] { scene.get(); });
                    world.process("putter", [&] {
                      world.require(scene.put(2), "room comes");
                      const auto end = world.now() + 100ms;
                      const auto limit = world.within(100ms);
                      world.require(!scene.put(3, Deadline::after(100ms)), "there is no other");
                      world.require(world.now() >= end, "nobody gives up before his time");
                    });
                    world.run();
                    scene.check_end(1);
                  });
}

// ---- others

TEST(FastRingExplored, PuttersTakeTurns) {
  lesson("Without a lock");
  did("explored two that put two items each, with a lock, and one that gets them");
  expect_explored("each item once, and those of one process in order",
                  {.preemptions = 1, .faults = 0}, [](World& world) {
                    Scene scene(world, 2, 0);
                    FastRing handles[] = {scene.handle(), scene.handle()};
                    explored::Lock lock(world.shared<explored::Lock::State>());
                    for (const int n : {0, 1}) {
                      world.process("putter" + std::to_string(n + 1), [&, n] {
                        for (int i = 1; i <= 2; ++i) {
                          const std::lock_guard guard(lock);
                          Scene::put_by(handles[n], 10 * n + i);
                        }
                      });
                    }
                    world.process("getter", [&] {
                      int last[2] = {0, 0};
                      for (int i = 0; i < 4; ++i) {
                        const int item = scene.get();
                        const int n = item / 10;
                        world.require((n == 0 || n == 1) && item % 10 == last[n] + 1,
                                      "those of one process come once, and in order");
                        ++last[n];
                      }
                    });
                    world.run();
                    scene.check_end(0);
                  });
}

TEST(FastRingExplored, GettersTakeTurns) {
  lesson("Without a lock");
  did("explored one that puts four items, and two that get two each, with a lock");
  expect_explored("each item once, and in order", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    Scene scene(world, 2, 0);
                    FastRing handles[] = {scene.handle(), scene.handle()};
                    explored::Lock lock(world.shared<explored::Lock::State>());
                    auto& last = world.guarded("last", 0);
                    world.process("putter", [&] {
                      for (int i = 1; i <= 4; ++i) {
                        scene.put(i);
                      }
                    });
                    for (const int n : {0, 1}) {
                      world.process("getter" + std::to_string(n + 1), [&, n] {
                        for (int i = 1; i <= 2; ++i) {
                          const std::lock_guard guard(lock);
                          const int item = scene.get_by(handles[n]);
                          world.require(item == last + 1, "each comes once, and in order");
                          last = item;
                        }
                      });
                    }
                    world.run();
                    scene.check_end(0);
                  });
}

TEST(FastRingExplored, SizeAtOneMoment) {
  lesson("A bound needs counting");
  did("explored a third process that looks at size(), while one puts and one gets, with room for "
      "one");
  expect_explored("a size that there was", {.preemptions = 3, .faults = 1}, [](World& world) {
    Scene scene(world, 1, 0);
    scene.put(1);
    world.process("putter", [&] { scene.put(2, Deadline::after(1ms)); });
    world.process("getter", [&] {
      scene.get(Deadline::after(1ms));
      scene.get(Deadline::after(1ms));
    });
    world.process(
        "third", [&] { world.require(scene.size() <= 1, "there is never more than one item in"); });
    world.run();
  });
}

// ---- killed

TEST(FastRingExplored, PutterDies) {
  lesson("Killed in the middle");
  did("explored one that puts and may be killed anywhere, one that gets with deadlines, and one "
      "that puts afterwards");
  expect_explored("each item to be in, whole, or not at all", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    Scene scene(world, 3, 0);
                    scene.put(1);
                    world
                        .process("putter",
                                 [&] {
                                   scene.put(2);
                                   scene.put(3);
                                 })
                        .may_die();
                    int last = 0;
                    const auto get = [&] {
                      const int item = scene.get(Deadline::after(10ms));
                      world.require(item == 0 || item == last + 1, "each comes once, and in order");
                      last = item == 0 ? last : item;
                    };
                    world.process("getter", [&] {
                      get();
                      get();
                    });
                    world.run();
                    const int in = last + static_cast<int>(scene.size());
                    world.require(in >= 1 && in <= 3, "no more is in than was put");
                    FastRing next = scene.handle();
                    for (int i = in + 1; i <= last + 3; ++i) {
                      world.require(Scene::put_by(next, i, Deadline::after(0s)),
                                    "the next one uses all room");
                    }
                    world.require(!Scene::put_by(next, 99, Deadline::after(0s)), "then it is full");
                    for (int i = 0; i < 3; ++i) {
                      get();
                    }
                    world.require(scene.size() == 0, "then it is empty");
                  });
}

TEST(FastRingExplored, GetterDies) {
  lesson("Killed in the middle");
  did("explored one that gets and may be killed anywhere, one that puts with deadlines, and one "
      "that gets afterwards");
  expect_explored("each item to be in, whole, or not at all", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    Scene scene(world, 2, 0);
                    scene.put(1);
                    scene.put(2);
                    world
                        .process("getter",
                                 [&] {
                                   scene.get();
                                   scene.get();
                                 })
                        .may_die();
                    int in = 2;
                    world.process("putter", [&] {
                      for (int i = 0; i < 2; ++i) {
                        in += scene.put(in + 1, Deadline::after(10ms)) ? 1 : 0;
                      }
                    });
                    world.run();
                    const auto left = static_cast<int>(scene.size());
                    world.require(left <= 2, "no more is in than there is room for");
                    FastRing next = scene.handle();
                    for (int i = 1; i <= left; ++i) {
                      world.require(scene.get_by(next, Deadline::after(0s)) == in - left + i,
                                    "what is in is whole, and in order");
                    }
                    world.require(scene.get_by(next, Deadline::after(0s)) == 0, "then it is empty");
                    world.require(scene.put(8) && scene.put(9), "all of it can be used again");
                  });
}

}  // namespace
