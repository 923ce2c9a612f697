// Processes that are killed, and the kernel's robust list.
#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::explored_within;

/// Under the lock two numbers are changed one after the other; P1 may be killed anywhere.
template <class Lock>
void taking_over(World& world, int processes) {
  auto& lock = world.shared<Lock>();
  auto& a = world.guarded("a", 0);
  auto& b = world.guarded("b", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    Added added = world.process("P" + std::to_string(i), [&] {
      const bool died = lock.acquire();
      {
        const auto inside = section.enter();
        if (died) {
          b = a.read();
        }
        world.require(a == b, "an owner that died half-way is told of");
        a += 1;
        b += 1;
      }
      lock.release();
    });
    if (i == 1) {
      added.may_die();
    }
  }
  world.run();
}

TEST(Death, IsFollowedByADeadlockWithoutARobustLock) {
  const auto found = explored_within(1, 1, [](World& world) {
    auto& lock = world.shared<explored::Mutex>();
    world
        .process("P1",
                 [&] {
                   lock.acquire();
                   lock.release();
                 })
        .may_die();
    world.process("P2", [&] {
      lock.acquire();
      lock.release();
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDeadlock) << found.report();
  EXPECT_NE(found.report().find("KILLED"), std::string::npos) << found.report();
}

TEST(Death, OnlyOfThoseWhoMayDie) {
  const auto found =
      explored_within(2, 1, [](World& world) { testing::counting<explored::Mutex>(world, 2, 1); });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Death, LeavesTheCriticalSection) {
  const auto found = explored_within(1, 1, [](World& world) {
    auto& section = world.section();
    world.process("P1", [&] { const auto inside = section.enter(); }).may_die();
    world.run();
    world.process("P2", [] {});
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);  // only that no process is added after run()
}

TEST(RobustList, HandsTheLockOn) {
  const auto found =
      explored_within(3, 1, [](World& w) { taking_over<explored::RobustMutex>(w, 2); });
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_TRUE(found.complete);
}

TEST(RobustList, HandsTheLockOnAmongThree) {
  const auto found =
      explored_within(2, 1, [](World& w) { taking_over<explored::RobustMutex>(w, 3); });
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_TRUE(found.complete);
}

TEST(RobustList, ExitWithTheLockIsLikeADeath) {
  const auto found = explored_within(1, 0, [](World& world) {
    auto& lock = world.shared<explored::RobustMutex>();
    auto& died = world.guarded("died", 0);
    world.process("P1", [&] { lock.acquire(); });
    world.process("P2", [&] {
      if (lock.acquire()) {
        died = 1;
      }
      lock.release();
    });
    world.run();
    world.record(died.read());
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

template <class Lock>
Exploration broken(int processes) {
  return explored_within(3, 1, [=](World& w) { taking_over<Lock>(w, processes); });
}

TEST(RobustList, WithoutThePendingMarkTheLockIsLost) {
  const auto found = broken<explored::NoPending>(2);
  EXPECT_EQ(found.verdict, Verdict::kDeadlock) << found.report();
}

TEST(RobustList, PendingMarkGoesAfterTheLinkComes) {
  const auto found = broken<explored::LinksTooLate>(2);
  EXPECT_EQ(found.verdict, Verdict::kDeadlock) << found.report();
}

TEST(RobustList, TakingOverKeepsTheWaiters) {
  const auto found = broken<explored::DropsTheWaiters>(3);
  EXPECT_EQ(found.verdict, Verdict::kLostWakeup) << found.report();
}

TEST(RobustList, KilledBetweenFreeAndWakeWhileAThirdComesIn) {
  // The kernel wakes only if the word is in no hands when whoever was to wake dies: with a third
  // process in between it is not.
  EXPECT_FALSE(broken<explored::FreesAndThenWakes>(2).failed());
  const auto found = broken<explored::FreesAndThenWakes>(3);
  EXPECT_EQ(found.verdict, Verdict::kLostWakeup) << found.report();
}

TEST(RobustList, PendingMarkStaysUntilTheWakeUp) {
  const auto found = broken<explored::FreesBeforeItsTime>(2);
  EXPECT_EQ(found.verdict, Verdict::kLostWakeup) << found.report();
}

}  // namespace
}  // namespace explorer
