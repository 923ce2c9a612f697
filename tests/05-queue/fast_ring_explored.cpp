#include "05-queue/explored.hpp"

namespace {

using explored::Deadline;
using explorer::World;
using namespace mp::test;

TEST(FastRingExplored, OneAndOne) {
  lesson("Without a lock");
  did("explored every interleaving of one that puts three items and one that gets them, with room "
      "for two");
  expect_explored("each item whole, once, and in order, and nobody asleep for ever",
                  {.preemptions = 3, .faults = 1}, [](World& world) {
                    auto& state = world.shared<explored::FastRing::State>();
                    explored::FastRing putting(state, ring_memory(world, 1), 4, 1);
                    explored::FastRing getting = putting;
                    world.process("putter", [&] {
                      for (int i = 1; i <= 3; ++i) {
                        world.require(putting.put_until(item_of(i), Deadline::never()),
                                      "without a limit, it is put");
                      }
                    });
                    world.process("getter", [&] {
                      for (int i = 1; i <= 3; ++i) {
                        std::array<std::byte, 4> item{};
                        world.require(
                            getting.get_until(item, Deadline::never()) && number_of(item) == i,
                            "whole, once, and in order");
                      }
                    });
                    world.run();
                  });
}

}  // namespace
