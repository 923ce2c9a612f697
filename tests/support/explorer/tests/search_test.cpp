// The search itself: the simplest example first, the same each time, and again from its schedule.
#include <linux/futex.h>

#include <set>
#include <utility>
#include <vector>

#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::counting;
using testing::explored_within;

void wrong(World& world) {
  counting<explored::SleepsOnWhatItReads>(world, 2, 2);
}
void right(World& world) {
  counting<explored::Mutex>(world, 2, 2);
}

TEST(Search, IsTheSameEachTime) {
  const auto once = explored_within(2, 1, wrong);
  const auto again = explored_within(2, 1, wrong);
  EXPECT_EQ(once.executions, again.executions);
  EXPECT_EQ(once.schedule, again.schedule);
  EXPECT_EQ(once.report(), again.report());
  EXPECT_EQ(explored_within(2, 1, right).steps, explored_within(2, 1, right).steps);
}

TEST(Search, FewestSurprisesFirst) {
  const auto found = explored_within(3, 1, wrong);
  EXPECT_EQ(found.preemptions, 2);
  EXPECT_EQ(found.faults, 0);
  EXPECT_FALSE(explored_within(1, 0, wrong).failed());
}

TEST(Search, BudgetEndsIt) {
  Options options;
  options.executions = 10;
  const auto found = explore(options, right);
  EXPECT_FALSE(found.failed());
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.executions, 10U);
}

TEST(Search, PruningFindsWhatTheWholeTreeHolds) {
  // Everything that the processes have read, with and without pruning: stale values, time-outs and
  // deaths included.
  const auto outcomes = [](bool prune) {
    std::set<std::vector<std::int64_t>> all;
    Options options;
    options.preemptions = 2;
    options.faults = 2;
    options.executions = 2'000'000;
    options.prune = prune;
    const auto found = explore(options, [&](World& world) {
      auto& x = world.shared<std::atomic<std::int32_t>>(0);
      auto& y = world.shared<std::atomic<std::int32_t>>(0);
      std::vector<std::int64_t> read(6, -1);
      constexpr auto kRelaxed = std::memory_order_relaxed;
      world
          .process("P1",
                   [&] {
                     explored::store(x, 1, kRelaxed);
                     explored::fence(std::memory_order_seq_cst);
                     read[0] = explored::load(y, kRelaxed);
                     read[1] = explored::add(x, 2, std::memory_order_release);
                     explored::futex(&y, FUTEX_WAKE, 1);
                   })
          .may_die();
      world.process("P2", [&] {
        explored::store(y, 1, kRelaxed);
        const timespec time{0, 1'000'000};
        read[2] = explored::futex(&y, FUTEX_WAIT, 1, &time);
        read[3] = explored::load(x, std::memory_order_acquire);
        read[4] = explored::load(x, kRelaxed);
      });
      world.process("P3", [&] {
        read[5] = explored::add(y, 4, kRelaxed);
        explored::futex(&y, FUTEX_WAKE, 1);
      });
      world.run();
      all.insert(read);
    });
    EXPECT_FALSE(found.failed()) << found.report();
    EXPECT_TRUE(found.complete);
    return std::pair(all, found.executions);
  };
  const auto [some, few] = outcomes(true);
  const auto [whole, many] = outcomes(false);
  EXPECT_EQ(some, whole);
  EXPECT_LT(few, many);
  RecordProperty("outcomes", static_cast<int>(whole.size()));
  RecordProperty("pruned", static_cast<int>(few));
  RecordProperty("whole", static_cast<int>(many));
}

TEST(Search, PruningLosesNoOutcome) {
  // Two orders in which the same words get the same values are one: but not if somebody saw the
  // difference.
  std::set<std::vector<std::int64_t>> orders;
  const auto found = explored_within(3, 0, [&](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    for (int i = 1; i <= 3; ++i) {
      world.process("P" + std::to_string(i), [&, i] {
        explored::add(word, 1, std::memory_order_seq_cst);
        world.record(i);
      });
    }
    world.run();
    orders.insert(world.recorded());
  });
  EXPECT_FALSE(found.failed());
  EXPECT_EQ(orders.size(), 6U);
}

TEST(Replay, ShowsTheSameFailure) {
  const auto found = explored_within(2, 1, wrong);
  ASSERT_TRUE(found.failed());
  const auto again = replay(found.schedule, wrong);
  EXPECT_EQ(again.verdict, found.verdict);
  EXPECT_EQ(again.sentence(), found.sentence());
  EXPECT_EQ(again.trace.events.size(), found.trace.events.size());
  EXPECT_EQ(again.executions, 1U);
}

TEST(Replay, OfTheMendedCodeIsRight) {
  const auto found = explored_within(2, 1, wrong);
  EXPECT_FALSE(replay(found.schedule, right).failed());
}

TEST(Replay, RefusesWhatIsNoSchedule) {
  EXPECT_EQ(replay("nonsense", right).verdict, Verdict::kRefused);
}

TEST(Search, NoticesWhatItCannotControl) {
  int executions = 0;
  const auto found = explored_within(3, 0, [&](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    const int steps = ++executions % 3;
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&, steps] {
        for (int i = 0; i <= steps; ++i) {
          explored::add(word, 1, std::memory_order_seq_cst);
        }
      });
    }
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kNotReproducible);
}

TEST(Search, OneInsideTheOtherIsNotMixedUp) {
  const auto found = explored_within(0, 0, [](World& world) {
    world.run();
    world.require(!explored_within(1, 0, right).failed(), "the inner one is right");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Livelock, OfTwoThatKeepEachOtherBusy) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto& turn = world.shared<std::atomic<std::int32_t>>(0);
    for (int me = 0; me < 2; ++me) {
      world.process("P" + std::to_string(me + 1), [&, me] {
        for (;;) {
          while (explored::load(turn, std::memory_order_seq_cst) != me) {
            explored::futex(&turn, FUTEX_WAIT, static_cast<std::uint32_t>(1 - me));
          }
          explored::store(turn, 1 - me, std::memory_order_seq_cst);
          explored::futex(&turn, FUTEX_WAKE, 1);
        }
      });
    }
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kLivelock) << found.report();
}

}  // namespace
}  // namespace explorer
