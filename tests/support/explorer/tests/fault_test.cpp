// Faults beside those of futex(2): signals, compare_exchange_weak, and time.
#include <linux/futex.h>

#include <chrono>
#include <set>

#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::explored_within;
using namespace std::chrono_literals;

#ifndef __clang__
TEST(WeakCompareExchange, MayFailForNoReason) {
  std::set<std::int64_t> outcomes;
  const auto found = explored_within(0, 1, [&](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    world.process("P1", [&] { world.record(explored::exchange_weak(word, 0, 1) ? 1 : 0); });
    world.run();
    outcomes.insert(world.recorded().at(0));
  });
  EXPECT_FALSE(found.failed());
  EXPECT_EQ(outcomes, (std::set<std::int64_t>{0, 1}));
}
#endif

TEST(Signal, HandlerRunsInTheProcessAnywhere) {
  std::set<std::vector<std::int64_t>> outcomes;
  const auto found = explored_within(0, 1, [&](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    world
        .process("P1",
                 [&] {
                   world.record(1);
                   explored::add(word, 1, std::memory_order_seq_cst);
                   world.record(2);
                   explored::add(word, 1, std::memory_order_seq_cst);
                   world.record(3);
                 })
        .on_signal([&] { world.record(9); });
    world.run();
    outcomes.insert(world.recorded());
  });
  EXPECT_FALSE(found.failed());
  EXPECT_TRUE(outcomes.contains({1, 2, 3}));
  EXPECT_TRUE(outcomes.contains({1, 9, 2, 3}));
  EXPECT_TRUE(outcomes.contains({1, 2, 9, 3}));
}

TEST(Signal, SetOfTheEventThatOneWaitsFor) {
  const auto found = explored_within(1, 1, [](World& world) {
    auto& event = world.shared<explored::Event>();
    world.process("P1", [&] { event.wait(); }).on_signal([&] { event.set(); });
    world.process("P2", [&] { event.set(); });
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Within, BackInTimeIsFine) {
  const auto found = explored_within(1, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    world.process("P1", [&] {
      const auto limit = world.within(20ms);
      const timespec time{0, 10'000'000};
      explored::futex(&word, FUTEX_WAIT, 0, &time);
    });
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Within, TooLateIsAnError) {
  const auto found = explored_within(1, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    world.process("P1", [&] {
      const auto limit = world.within(5ms);
      const timespec time{0, 10'000'000};
      explored::futex(&word, FUTEX_WAIT, 0, &time);
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kPastDeadline);
  EXPECT_NE(found.sentence().find("P1 is back 5 ms after it had to be"), std::string::npos)
      << found.sentence();
}

}  // namespace
}  // namespace explorer
