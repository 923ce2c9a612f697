#include "04-lock/explored.hpp"

namespace {

using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;

void counting(World& world, int processes, int rounds) {
  explored::Lock lock(world.shared<explored::Lock::State>());
  auto& counter = world.guarded("counter", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    world.process("P" + std::to_string(i), [&, rounds] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        {
          const auto inside = section.enter();
          counter += 1;
        }
        lock.release();
      }
    });
  }
  world.run();
  world.require(counter == processes * rounds, "every increment is there");
}

TEST(LockExplored, TwoProcessesTwice) {
  lesson("Three states");
  did("explored every interleaving of two processes that take the lock twice each");
  expect_explored("one at a time, and nobody sleeps for ever", {.preemptions = 3, .faults = 1},
                  [](World& world) { counting(world, 2, 2); });
}

}  // namespace
