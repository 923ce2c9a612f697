#include "05-queue/explored.hpp"

namespace {

using explorer::World;
using namespace mp::test;
using explored::Deadline;

TEST(BlockingQueueExplored, TwoAndTwo) {
  lesson("Nobody sleeps with the lock");
  did("explored every interleaving of two that put and two that get, with room for one item");
  expect_explored("each item got once, and nobody asleep", {.preemptions = 1, .faults = 0},
                  [](World& world) {
                    auto& state = world.shared<explored::BlockingQueue::State>();
                    explored::BlockingQueue queue(state, ring_memory(world, 8), 1);
                    auto& sum = world.guarded("sum", 0);
                    for (int i = 1; i <= 2; ++i) {
                      world.process("P" + std::to_string(i),
                                    [&, i] { queue.put_until(item_of(i), Deadline::never()); });
                      world.process("G" + std::to_string(i), [&] {
                        const auto item = queue.get_until(Deadline::never());
                        world.record(number_of(*item));
                      });
                    }
                    world.run();
                    (void)sum;
                    int all = 0;
                    for (auto v : world.recorded())
                      all += static_cast<int>(v);
                    world.require(all == 3, "each item is got once");
                  });
}

}  // namespace
