#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "05-queue/explored.hpp"

#define mp explored
#include "00-syscalls/errors.hpp"
#undef mp

namespace {

using explored::BlockingQueue;
using explored::Deadline;
using explorer::World;
using namespace mp::test;
using namespace std::chrono_literals;

/// What takes so many units of the ring: one is for the length. Its first byte is its number.
std::vector<std::byte> item_with(int number, std::size_t units = 2) {
  std::vector<std::byte> item((units - 1) * explored::Ring::kUnit);
  item.front() = static_cast<std::byte>(number);
  return item;
}

/// A queue with room for so many units and items. Items 1, 2, … are in it already, and take so many
/// units.
class Scene {
 public:
  Scene(World& world, std::size_t units, std::ptrdiff_t most,
        std::initializer_list<std::size_t> inside = {})
      : state_(world.shared<BlockingQueue::State>()),
        memory_(ring_memory(world, units)),
        queue_(state_, memory_, most) {
    world.name(state_.lock.word, "lock");
    world.name(state_.lock.owner, "the lock's owner");
    name(world, state_.getters, "getters");
    name(world, state_.putters, "putters");
    name(world, state_.big_putters, "big putters");
    explored::Ring ring(state_.ring, memory_, 100);
    int number = 0;
    for (const std::size_t size : inside) {
      ring.try_push(item_with(++number, size));
    }
  }

  BlockingQueue& queue() { return queue_; }
  /// The queue's own lock, for one who is in the middle of something.
  explored::Lock lock() { return explored::Lock(state_.lock); }

  bool put(int number, Deadline deadline = Deadline::never(), std::size_t units = 2) {
    return queue_.put_until(item_with(number, units), deadline);
  }
  /// @return its number; 0 for none.
  int get(Deadline deadline = Deadline::never()) {
    const auto item = queue_.get_until(deadline);
    return item ? (item->size() == 0 ? -1 : static_cast<int>(*item->begin())) : 0;
  }

 private:
  static void name(World& world, const BlockingQueue::Waiters& waiters, const std::string& who) {
    world.name(waiters.sequence, who + "' sequence");
    world.name(waiters.asleep, who + " asleep");
  }

  BlockingQueue::State& state_;
  std::span<std::byte> memory_;
  BlockingQueue queue_;
};

/// A look at the queue takes many operations, and many looks are no spinning.
constexpr explorer::Options within_bounds(int preemptions, int faults) {
  return {.preemptions = preemptions, .faults = faults, .executions = 40'000, .spins = 1'000};
}

Deadline passed() {
  return Deadline::after(0s);
}

// ---- nobody sleeps for ever

TEST(BlockingQueueExplored, OneAndOne) {
  lesson("The wake-up that came too early");
  did("explored one that puts two items and one that gets them, with room for one");
  expect_explored(
      "both of them, in their order, and nobody asleep", within_bounds(1, 1), [](World& world) {
        Scene scene(world, 8, 1);
        world.process("put", [&] {
          for (int i = 1; i <= 2; ++i) {
            scene.put(i);
          }
        });
        world.process("get", [&] {
          for (int i = 1; i <= 2; ++i) {
            world.require(scene.get() == i, "the items come in the order of their puts");
          }
        });
        world.run();
      });
}

TEST(BlockingQueueExplored, TwoAndTwo) {
  lesson("Nobody sleeps with the lock");
  did("explored every interleaving of two that put and two that get, with room for one item");
  expect_explored("each item got once, and nobody asleep", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    for (int i = 1; i <= 2; ++i) {
      world.process("put" + std::to_string(i), [&, i] { scene.put(i); });
      world.process("get" + std::to_string(i), [&] { world.record(scene.get()); });
    }
    world.run();
    std::int64_t sum = 0;
    for (const std::int64_t number : world.recorded()) {
      sum += number;
    }
    world.require(sum == 3, "each item is got once");
    world.require(scene.queue().size() == 0, "nothing is left");
  });
}

TEST(BlockingQueueExplored, TwoGettersForTwoItems) {
  lesson("Who can go on");
  did("explored two that get an item each, and a third that puts two in a row");
  expect_explored("both of them to have one", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 2);
    for (int i = 1; i <= 2; ++i) {
      world.process("get" + std::to_string(i),
                    [&] { world.require(scene.get() != 0, "who waits for ever gets an item"); });
    }
    world.process("put", [&] {
      scene.put(1);
      scene.put(2);
    });
    world.run();
    world.require(scene.queue().size() == 0, "nothing is left");
  });
}

TEST(BlockingQueueExplored, TwoPuttersForTwoPlaces) {
  lesson("Who can go on");
  did("explored two that put into a full queue, and a third that gets two items in a row");
  expect_explored("both of them to be through", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 2, {2, 2});
    for (int i = 1; i <= 2; ++i) {
      world.process("put" + std::to_string(i),
                    [&, i] { world.require(scene.put(10 + i), "who waits for ever comes in"); });
    }
    world.process("get", [&] {
      world.require(scene.get() == 1, "the oldest item comes first");
      world.require(scene.get() == 2, "the second item comes second");
    });
    world.run();
    world.require(scene.queue().size() == 2, "two came in where two went out");
  });
}

TEST(BlockingQueueExplored, SomebodyElseIsFaster) {
  lesson("Who can go on");
  did("explored two that get from an empty queue with no time limit, one item, and then another");
  expect_explored("each of them to have an item", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    for (int i = 1; i <= 2; ++i) {
      world.process("get" + std::to_string(i), [&] {
        const int number = scene.get();
        world.require(number != 0, "who waits for ever gets an item");
        if (number == 1) {
          scene.put(2);
        }
      });
    }
    world.process("put", [&] { scene.put(1); });
    world.run();
  });
}

TEST(BlockingQueueExplored, SomebodyElseTakesThePlace) {
  lesson("Who can go on");
  did("explored two that put into a full queue with no time limit, one place, and then another");
  expect_explored("both items to be in", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1, {2});
    for (int i = 1; i <= 2; ++i) {
      world.process("put" + std::to_string(i), [&, i] {
        world.require(scene.put(10 + i), "who waits for ever comes in");
        world.record(i);
        if (world.recorded().size() == 1) {
          world.require(scene.get() == 10 + i, "what is put is in the queue");
        }
      });
    }
    world.process("get", [&] { scene.get(); });
    world.run();
    world.require(scene.queue().size() == 1, "one item is left");
  });
}

// ---- items of different sizes

TEST(BlockingQueueExplored, PlaceForTheSmallOne) {
  lesson("Who can go on");
  did("explored a big item and a small one that wait for a place, and a get that makes one, with "
      "too few bytes for the big one");
  expect_explored("the small one to come in at once", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 2, {2, 2});
    world.process("big", [&] {
      world.require(!scene.put(11, Deadline::after(1s), 5), "the big item finds no room");
    });
    world.process("small", [&] {
      const auto limit = world.within(0ns);
      world.require(scene.put(12), "who waits for ever comes in");
    });
    world.process("get", [&] { scene.get(); });
    world.run();
    world.require(scene.queue().size() == 2, "a place is free, and is taken");
  });
}

TEST(BlockingQueueExplored, BytesOfAFullQueue) {
  lesson("Who can go on");
  did("explored a big item that waits for bytes, while another process takes the last place with a "
      "small one, and then gets the oldest item");
  expect_explored("the big one to come in", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 2, {4});
    world.process("big", [&] { scene.put(11, Deadline::never(), 4); });
    world.process("other", [&] {
      scene.put(12);
      scene.get();
    });
    world.run();
    world.require(scene.queue().size() == 2, "both are in");
  });
}

TEST(BlockingQueueExplored, BytesAndAPlace) {
  lesson("Who can go on");
  did("explored a big item that waits for bytes and a small one that waits for a place, and two "
      "gets in a row");
  expect_explored("both to come in", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 2, {4});
    world.process("big", [&] { scene.put(11, Deadline::never(), 4); });
    world.process("first", [&] { scene.put(12); });
    world.process("second", [&] { scene.put(13); });
    world.process("get", [&] {
      scene.get();
      scene.get();
    });
    world.run();
    world.require(scene.queue().size() == 2, "four were put, and two were got");
  });
}

TEST(BlockingQueueExplored, BytesForTheSmallOne) {
  lesson("Who can go on");
  did("explored a big item and a small one that wait for bytes, and a get that makes room for the "
      "small one");
  expect_explored("the small one to come in at once", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 10, {2, 4});
    world.process("big", [&] {
      world.require(!scene.put(11, Deadline::after(1s), 4), "the big item finds no room");
    });
    world.process("small", [&] {
      const auto limit = world.within(0ns);
      world.require(scene.put(12), "who waits for ever comes in");
    });
    world.process("get", [&] { scene.get(); });
    world.run();
    world.require(scene.queue().size() == 2, "the small item is in");
  });
}

TEST(BlockingQueueExplored, BytesForBoth) {
  lesson("Who can go on");
  did("explored two that wait for bytes, and one get that makes room for both");
  expect_explored("both to come in", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 4, 10, {4});
    for (int i = 1; i <= 2; ++i) {
      world.process("put" + std::to_string(i),
                    [&, i] { world.require(scene.put(10 + i), "who waits for ever comes in"); });
    }
    world.process("get", [&] { scene.get(); });
    world.run();
    world.require(scene.queue().size() == 2, "there is room for both, and both are in");
  });
}

TEST(BlockingQueueExplored, BigOneComesInAtLast) {
  lesson("Who can go on");
  did("explored a big item and a small one that wait while another process gets all there is");
  expect_explored("both items to be got", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 2, {2, 2});
    world.process("big", [&] {
      world.require(scene.put(11, Deadline::never(), 5), "who waits for ever comes in");
    });
    world.process("small", [&] { world.require(scene.put(12), "who waits for ever comes in"); });
    world.process("get", [&] {
      int sum = 0;
      for (int i = 0; i < 4; ++i) {
        sum += scene.get();
      }
      world.require(sum == 1 + 2 + 11 + 12, "each item is got once");
    });
    world.run();
  });
}

// ---- who gives up

/// A whole second is longer than one who has given up waits for the lock, 50 ms are not.
constexpr auto kHolds = {std::chrono::milliseconds(50), std::chrono::milliseconds(1'000)};

/// Somebody is in the middle of an item, for so long.
void hold(Scene& scene, std::chrono::milliseconds time) {
  auto lock = scene.lock();
  lock.acquire();
  std::this_thread::sleep_for(time);
  lock.release();
}

/// Explores a scene with each of the two.
void explore_holds(const std::string& what, std::string_view expected,
                   const std::function<void(World&, std::chrono::milliseconds)>& scene) {
  for (const auto time : kHolds) {
    did("explored " + what + ", and holds the lock for " + std::to_string(time.count()) +
        " ms then");
    const auto found = expect_explored(expected, within_bounds(1, 0),
                                       [&scene, time](World& world) { scene(world, time); });
    if (found.failed()) {
      return;
    }
  }
}

TEST(BlockingQueueExplored, GetterGivesUp) {
  lesson("Who can go on");
  explore_holds(
      "one that gets with a deadline of 10 ms, one without, and a third that puts one item",
      "the one without a deadline to have an item in the end",
      [](World& world, std::chrono::milliseconds time) {
        Scene scene(world, 8, 1);
        world.process("get1", [&] {
          if (scene.get(Deadline::after(10ms)) != 0) {
            scene.put(2);
          }
        });
        world.process("get2", [&] {
          std::this_thread::sleep_for(1ms);
          world.require(scene.get() != 0, "who waits for ever gets an item");
        });
        world.process("put", [&] {
          std::this_thread::sleep_for(2ms);
          scene.put(1);
          hold(scene, time);
        });
        world.run();
      });
}

TEST(BlockingQueueExplored, PutterGivesUp) {
  lesson("Who can go on");
  explore_holds(
      "one that puts with a deadline of 10 ms, one without, and a third that gets one item",
      "the one without a deadline to be through in the end",
      [](World& world, std::chrono::milliseconds time) {
        Scene scene(world, 8, 1, {2});
        world.process("put1", [&] {
          if (scene.put(11, Deadline::after(10ms))) {
            world.require(scene.get() != 0, "what is put is in the queue");
          }
        });
        world.process("put2", [&] {
          std::this_thread::sleep_for(1ms);
          world.require(scene.put(12), "who waits for ever comes in");
        });
        world.process("get", [&] {
          std::this_thread::sleep_for(2ms);
          scene.get();
          hold(scene, time);
        });
        world.run();
      });
}

TEST(BlockingQueueExplored, BigOneGivesUp) {
  lesson("Who can go on");
  explore_holds(
      "a big item with a deadline of 10 ms and a small one without, which wait for a place, and a "
      "third that makes one, with too few bytes for the big one",
      "the small one to come in", [](World& world, std::chrono::milliseconds time) {
        Scene scene(world, 6, 2, {2, 2});
        world.process("big", [&] {
          world.require(!scene.put(11, Deadline::after(10ms), 5), "the big item finds no room");
        });
        world.process("small", [&] {
          std::this_thread::sleep_for(1ms);
          world.require(scene.put(12), "who waits for ever comes in");
        });
        world.process("get", [&] {
          std::this_thread::sleep_for(2ms);
          scene.get();
          hold(scene, time);
        });
        world.run();
        world.require(scene.queue().size() == 2, "a place is free, and is taken");
      });
}

// ---- the time

TEST(BlockingQueueExplored, NoItemComes) {
  lesson("Full and Empty");
  did("explored a get of 100 ms from an empty queue, with wake-ups that come from nobody");
  expect_explored("nothing, at the deadline", within_bounds(0, 3), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("get", [&] {
      const auto end = world.now() + 100ms;
      const auto limit = world.within(100ms);
      world.require(scene.get(Deadline::after(100ms)) == 0, "there is nothing to get");
      world.require(world.now() >= end, "it does not give up before its time");
    });
    world.run();
    world.require(scene.queue().size() == 0, "the queue is as it was");
  });
}

TEST(BlockingQueueExplored, NoPlaceComes) {
  lesson("Full and Empty");
  for (const std::size_t units : {2UL, 4UL}) {
    did(std::string("explored a put of 100 ms into a queue that is full ") +
        (units == 2 ? "by its bytes" : "by its bound") + ", with wake-ups that come from nobody");
    const auto found =
        expect_explored("nothing, at the deadline", within_bounds(0, 3), [units](World& world) {
          Scene scene(world, units, units == 2 ? 9 : 1, {2});
          world.process("put", [&] {
            const auto end = world.now() + 100ms;
            const auto limit = world.within(100ms);
            world.require(!scene.put(2, Deadline::after(100ms)), "a full queue takes no more");
            world.require(world.now() >= end, "it does not give up before its time");
          });
          world.run();
          world.require(scene.queue().size() == 1, "the queue is as it was");
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(BlockingQueueExplored, WakeUpsForNothing) {
  lesson("Full and Empty");
  did("explored a get of 100 ms, while another process puts an item every 60 ms and takes it back");
  expect_explored("an item, or none at the deadline", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("get", [&] {
      const auto end = world.now() + 100ms;
      const auto limit = world.within(100ms);
      world.require(scene.get(Deadline::after(100ms)) != 0 || world.now() >= end,
                    "it does not give up before its time");
    });
    world.process("other", [&] {
      for (int i = 1; i <= 3; ++i) {
        std::this_thread::sleep_for(60ms);
        scene.put(i, passed());
        scene.get(passed());
      }
    });
    world.run();
  });
}

TEST(BlockingQueueExplored, PlacesForNothing) {
  lesson("Full and Empty");
  did("explored a put of 100 ms, while another process gets an item every 60 ms and puts another");
  expect_explored("to be through, or not at the deadline", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1, {2});
    world.process("put", [&] {
      const auto end = world.now() + 100ms;
      const auto limit = world.within(100ms);
      world.require(scene.put(11, Deadline::after(100ms)) || world.now() >= end,
                    "it does not give up before its time");
    });
    world.process("other", [&] {
      for (int i = 1; i <= 3; ++i) {
        std::this_thread::sleep_for(60ms);
        scene.get(passed());
        scene.put(i, passed());
      }
    });
    world.run();
  });
}

TEST(BlockingQueueExplored, InTime) {
  lesson("Full and Empty");
  did("explored a get and a put of an hour, which can go on after half of it");
  expect_explored("them to go on at that moment", within_bounds(1, 0), [](World& world) {
    Scene empty(world, 8, 1);
    Scene full(world, 8, 1, {2});
    world.process("get", [&] {
      const auto limit = world.within(30min);
      world.require(empty.get(Deadline::after(1h)) == 1, "an item comes in time");
    });
    world.process("put", [&] {
      const auto limit = world.within(30min);
      world.require(full.put(2, Deadline::after(1h)), "a place comes in time");
    });
    world.process("other", [&] {
      std::this_thread::sleep_for(30min);
      empty.put(1);
      full.get();
    });
    world.run();
  });
}

TEST(BlockingQueueExplored, HeldForGood) {
  lesson("Full and Empty");
  did("explored a put and a get while another process holds the lock for good");
  for (const auto time : {0ms, 50ms, 300ms}) {
    const auto found = expect_explored(
        "both to give up, at the latest kGrace after their deadline of " +
            std::to_string(time.count()) + " ms",
        within_bounds(1, 0), [time](World& world) {
          Scene scene(world, 8, 2, {2});
          world.process("holder", [&] { scene.lock().acquire(); });
          const auto waiting = [&](const auto& action) {
            if (!scene.lock().locked()) {
              return;
            }
            const auto end = world.now() + time;
            const auto limit = world.within(time + BlockingQueue::kGrace);
            world.require(!action(Deadline::after(time)), "without the lock nothing is changed");
            world.require(world.now() >= end, "it does not give up before its time");
          };
          world.process(
              "get", [&] { waiting([&](Deadline deadline) { return scene.get(deadline) != 0; }); });
          world.process(
              "put", [&] { waiting([&](Deadline deadline) { return scene.put(2, deadline); }); });
          world.run();
        });
    if (found.failed()) {
      return;
    }
  }
}

TEST(BlockingQueueExplored, HeldForAMoment) {
  lesson("Full and Empty");
  did("explored a put and a get with a deadline that has passed, while another process holds the "
      "lock for 99 ms");
  expect_explored(
      "the item to be got, and the other one to be in", within_bounds(1, 0), [](World& world) {
        Scene scene(world, 8, 2, {2});
        world.process("holder", [&] { hold(scene, BlockingQueue::kGrace - 1ms); });
        world.process("get", [&] {
          world.require(scene.get(passed()) == 1, "there is an item all the time");
        });
        world.process(
            "put", [&] { world.require(scene.put(2, passed()), "there is a place all the time"); });
        world.run();
      });
}

TEST(BlockingQueueExplored, ItemForEachWhoTries) {
  lesson("Full and Empty");
  did("explored two that get without waiting, with two items in the queue, beside one that puts");
  expect_explored("an item for each, at once", within_bounds(2, 0), [](World& world) {
    Scene scene(world, 8, 3, {2, 2});
    for (int i = 1; i <= 2; ++i) {
      world.process("get" + std::to_string(i), [&] {
        const auto limit = world.within(0ns);
        const int number = scene.get(passed());
        world.require(number == 1 || number == 2, "there is an item for each");
        world.record(number);
      });
    }
    world.process("put", [&] {
      const auto limit = world.within(0ns);
      world.require(scene.put(3, passed()), "there is a place all the time");
    });
    world.run();
    world.require(world.recorded()[0] != world.recorded()[1], "each item is got once");
    world.require(scene.get(passed()) == 3 && scene.get(passed()) == 0,
                  "and the third one is left");
  });
}

TEST(BlockingQueueExplored, OneTooMany) {
  lesson("A bound needs counting");
  did("explored two that put without waiting, with one place in the queue");
  expect_explored("one to be in, and the other one not", within_bounds(3, 0), [](World& world) {
    Scene scene(world, 8, 2, {2});
    for (int i = 1; i <= 2; ++i) {
      world.process("put" + std::to_string(i), [&, i] {
        const auto limit = world.within(0ns);
        if (scene.put(10 + i, passed())) {
          world.record(10 + i);
        }
      });
    }
    world.run();
    world.require(scene.queue().size() == 2, "the queue is full, and not more");
    world.require(world.recorded().size() == 1, "one of them was told so");
    world.require(scene.get(passed()) == 1, "what was in before is the first");
    world.require(scene.get(passed()) == world.recorded()[0],
                  "the item of the one who was told that it is in comes next");
  });
}

TEST(BlockingQueueExplored, TooLargeWhileTheLockIsHeld) {
  lesson("Too large for ever");
  did("explored a put of an item that is too large, while another process holds the lock for good");
  expect_explored("a ValueError, at once", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 4, 1, {2});
    world.process("holder", [&] { scene.lock().acquire(); });
    world.process("put", [&] {
      const auto limit = world.within(0ns);
      bool refused = false;
      try {
        scene.put(2, Deadline::after(1h), 5);
      } catch (const explored::ValueError&) {
        refused = true;
      }
      world.require(refused, "what never fits is refused");
    });
    world.run();
    world.require(scene.queue().size() == 1, "the queue is as it was");
  });
}

}  // namespace
