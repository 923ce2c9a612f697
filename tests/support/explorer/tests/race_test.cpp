// Plain data that nothing orders.
#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::explored_within;

TEST(Race, TwoWritesThatNothingOrders) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto& data = world.guarded("data", 0);
    world.process("P1", [&] { data = 1; });
    world.process("P2", [&] { data = 2; });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
  EXPECT_EQ(found.sentence(),
            "data race: P1 writes data and P2 writes it, and nothing orders one before the other");
}

TEST(Race, ReadsMayBeAtOnce) {
  const auto found = explored_within(2, 0, [](World& world) {
    auto& data = world.guarded("data", 7);
    world.process("P1", [&] { world.require(data == 7, "it is 7"); });
    world.process("P2", [&] { world.require(data.read() == 7, "it is 7"); });
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Race, SetUpAndEndAreOrdered) {
  const auto found = explored_within(1, 0, [](World& world) {
    auto& data = world.guarded("data", 1);
    data = 2;
    world.process("P1", [&] { data += 1; });
    world.run();
    world.require(data == 3, "the increment is there");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Race, AccessesOfTheInstrumentedCodeCount) {
  const auto found = explored_within(0, 0, [](World& world) {
    int& number = world.shared<int>(0);
    world.name(number, "number");
    world.process("P1", [&] { explored::plain_increment(number); });
    world.process("P2", [&] { explored::plain_increment(number); });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
  EXPECT_NE(found.sentence().find("number"), std::string::npos) << found.sentence();
  EXPECT_NE(found.report().find("samples.cpp:"), std::string::npos) << found.report();
}

TEST(Race, PartOfWhatAnotherTouchesIsEnough) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto* const bytes = static_cast<char*>(world.allocate(16, 8, "buffer"));
    world.process("P1", [=] { explored::clear(bytes, 16); });
    world.process("P2", [=] { explored::clear(bytes + 12, 1); });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
}

TEST(Race, CopyingIsAnAccess) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto* const bytes = static_cast<char*>(world.allocate(64, 8, "buffer"));
    world.process("P1", [=] {
      const char mine[32] = "mine";
      explored::copy(bytes, mine, sizeof mine);
    });
    world.process("P2", [=] {
      char mine[32];
      explored::copy(mine, bytes, sizeof mine);
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
}

TEST(Race, PlainAndAtomicAccess) {
  const auto found = explored_within(1, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    world.process("P1", [&] { explored::store(word, 1, std::memory_order_seq_cst); });
    world.process("P2", [&] { explored::clear(&word, sizeof word); });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
}

TEST(Race, FlagWithReleaseAndAcquireOrders) {
  const auto passing = [](std::memory_order release, std::memory_order acquire) {
    return explored_within(2, 1, [=](World& world) {
      auto& data = world.guarded("data", 0);
      auto& flag = world.shared<std::atomic<std::int32_t>>(0);
      world.process("P1", [&, release] {
        data = 42;
        explored::store(flag, 1, release);
      });
      world.process("P2", [&, acquire] {
        if (explored::load(flag, acquire) == 1) {
          world.require(data == 42, "the flag comes after the data");
        }
      });
      world.run();
    });
  };
  constexpr auto kRelaxed = std::memory_order_relaxed;
  constexpr auto kAcquire = std::memory_order_acquire;
  constexpr auto kRelease = std::memory_order_release;
  EXPECT_EQ(passing(kRelease, kAcquire).verdict, Verdict::kRight);
  EXPECT_EQ(passing(kRelaxed, kAcquire).verdict, Verdict::kDataRace);
  EXPECT_EQ(passing(kRelease, kRelaxed).verdict, Verdict::kDataRace);
}

TEST(Race, IsFoundThoughTheAccessesNeverMeet) {
  // Without a single preemption: P1 is at its end before P2 begins.
  const auto found = explored_within(
      0, 0, [](World& world) { testing::counting<explored::RelaxedRelease>(world, 2, 1); });
  EXPECT_EQ(found.verdict, Verdict::kDataRace);
  EXPECT_EQ(found.preemptions, 0);
}

}  // namespace
}  // namespace explorer
