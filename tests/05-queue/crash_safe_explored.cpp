#include "05-queue/explored.hpp"

namespace {

using explored::Deadline;
using explorer::World;
using namespace mp::test;

TEST(CrashSafeExplored, OneAndOne) {
  lesson("Say first, look then");
  did("explored every interleaving of one that puts two items and one that gets them, with room "
      "for one");
  expect_explored("each item got once, in order, and nobody asleep for long",
                  {.preemptions = 2, .faults = 0, .spins = 200}, [](World& world) {
                    auto& state = world.shared<explored::CrashSafeQueue::State>();
                    explored::CrashSafeQueue queue(state, ring_memory(world, 8), 1);
                    const auto start = world.now();
                    world.process("putter", [&] {
                      for (int i = 1; i <= 2; ++i) {
                        world.require(queue.put_until(item_of(i), Deadline::never()), "it is put");
                      }
                    });
                    world.process("getter", [&] {
                      for (int i = 1; i <= 2; ++i) {
                        const auto item = queue.get_until(Deadline::never());
                        world.require(item && number_of(*item) == i, "in order");
                      }
                    });
                    world.run();
                    world.require(world.now() == start, "nobody sleeps when it can go on");
                  });
}

TEST(CrashSafeExplored, TwoAndTwo) {
  lesson("Say first, look then");
  did("explored every interleaving of two that put and two that get, with room for one item");
  expect_explored("each item got once, and nobody asleep for long",
                  {.preemptions = 1, .faults = 0, .spins = 200}, [](World& world) {
                    auto& state = world.shared<explored::CrashSafeQueue::State>();
                    explored::CrashSafeQueue queue(state, ring_memory(world, 8), 1);
                    const auto start = world.now();
                    for (int i = 1; i <= 2; ++i) {
                      world.process("P" + std::to_string(i),
                                    [&, i] { queue.put_until(item_of(i), Deadline::never()); });
                      world.process("G" + std::to_string(i), [&] {
                        const auto item = queue.get_until(Deadline::never());
                        world.record(number_of(*item));
                      });
                    }
                    world.run();
                    int all = 0;
                    for (const auto number : world.recorded()) {
                      all += static_cast<int>(number);
                    }
                    world.require(all == 3, "each item is got once");
                    world.require(world.now() == start, "nobody sleeps when it can go on");
                  });
}

TEST(CrashSafeExplored, APutterDies) {
  lesson("Killed in the middle");
  did("explored every interleaving of two that put and one that gets, one of which may be killed "
      "anywhere");
  expect_explored(
      "what was put is got, whole and once", {.preemptions = 1, .faults = 1, .spins = 200},
      [](World& world) {
        auto& state = world.shared<explored::CrashSafeQueue::State>();
        explored::CrashSafeQueue queue(state, ring_memory(world, 8), 2);
        world.process("P1", [&] { queue.put_until(item_of(1), Deadline::never()); }).may_die();
        world.process("P2", [&] { queue.put_until(item_of(2), Deadline::never()); });
        world.process("G", [&] {
          for (;;) {
            const auto item = queue.get_until(Deadline::never());
            world.require(item && number_of(*item) >= 1 && number_of(*item) <= 2,
                          "no item is torn");
            world.record(number_of(*item));
            if (number_of(*item) == 2) {
              break;
            }
          }
        });
        world.run();
      });
}

}  // namespace
