#include "05-queue/explored.hpp"

namespace {

using explorer::World;
using namespace mp::test;

TEST(RingExplored, OneWritesOneReads) {
  lesson("One store");
  did("explored every interleaving of a process that writes three records into a ring with room "
      "for two, and of one that reads them");
  expect_explored(
      "each record whole, once, and in order", {.preemptions = 3, .faults = 1}, [](World& world) {
        explored::Ring ring(world.shared<explored::Ring::State>(), ring_memory(world, 4));
        auto& read = world.guarded("read", 0);
        world.process("writer", [&] {
          for (int i = 1; i <= 3; ++i) {
            for (int tries = 0; tries < 3 && !ring.try_push(item_of(i)); ++tries) {
            }
          }
        });
        world.process("reader", [&] {
          int last = 0;
          for (int tries = 0; tries < 4; ++tries) {
            if (const auto record = ring.try_pop()) {
              world.require(number_of(*record) > last, "in order, and whole");
              last = number_of(*record);
              read += 1;
            }
          }
        });
        world.run();
        world.require(ring.size() + static_cast<std::uint32_t>(int{read}) == ring.pushed(),
                      "what was written is read, or still there");
      });
}

}  // namespace
