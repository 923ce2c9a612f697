// The model of futex(2), of the clock and of the other calls.
#include <errno.h>
#include <linux/futex.h>

#include <chrono>
#include <climits>
#include <set>

#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using explored::futex;
using testing::explored_within;
using Word = std::atomic<std::int32_t>;
using namespace std::chrono_literals;

timespec in(std::chrono::nanoseconds time) {
  return {time.count() / 1'000'000'000, time.count() % 1'000'000'000};
}

/// Runs one process alone, without faults.
Exploration alone(const std::function<void(World&, Word&)>& body) {
  return explored_within(0, 0, [&](World& world) {
    auto& word = world.shared<Word>(5);
    world.process("P1", [&] { body(world, word); });
    world.run();
  });
}

TEST(Futex, OtherValueIsEagain) {
  const auto found = alone([](World& world, Word& word) {
    world.require(futex(&word, FUTEX_WAIT, 4) == -EAGAIN, "it is EAGAIN");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Futex, NobodySleepsNobodyWakes) {
  const auto found = alone([](World& world, Word& word) {
    world.require(futex(&word, FUTEX_WAKE, INT_MAX) == 0, "it is 0");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Futex, RelativeAndAbsoluteTimes) {
  const auto found = alone([](World& world, Word& word) {
    const auto start = world.now();
    const timespec relative = in(100ms);
    world.require(futex(&word, FUTEX_WAIT, 5, &relative) == -ETIMEDOUT, "it is ETIMEDOUT");
    world.require(world.now() - start == 100ms, "100 ms have passed");
    const timespec absolute = in(world.now() + 50ms);
    world.require(futex(&word, FUTEX_WAIT_BITSET, 5, &absolute, 1) == -ETIMEDOUT,
                  "it is ETIMEDOUT");
    world.require(world.now() - start == 150ms, "150 ms have passed");
    // A time of 100 ms that is taken for a moment was over long ago.
    world.require(futex(&word, FUTEX_WAIT_BITSET, 5, &relative, 1) == -ETIMEDOUT,
                  "it is ETIMEDOUT");
    world.require(world.now() - start == 150ms, "no time has passed");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(Futex, ArgumentsThatTheKernelRefuses) {
  const auto found = alone([](World& world, Word& word) {
    const timespec bad{0, 1'000'000'000};
    world.require(futex(&word, FUTEX_WAIT, 5, &bad) == -EINVAL, "ns of a second or more: EINVAL");
    const timespec negative{-1, 0};
    world.require(futex(&word, FUTEX_WAIT, 5, &negative) == -EINVAL, "a negative time: EINVAL");
    world.require(futex(&word, FUTEX_WAIT_BITSET, 5) == -EINVAL, "no bit in the bitset: EINVAL");
    world.require(futex(&word, FUTEX_WAKE_BITSET, 1) == -EINVAL, "no bit in the bitset: EINVAL");
    auto* const odd = reinterpret_cast<char*>(&word) + 1;
    world.require(futex(odd, FUTEX_WAKE, 1) == -EINVAL, "an odd address: EINVAL");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

/// Three sleep, the fourth wakes some. @return the sets of those who were awake.
std::set<std::vector<std::int64_t>> awake_after(int operation, std::uint32_t count,
                                                std::uint32_t bitset) {
  std::set<std::vector<std::int64_t>> all;
  const auto found = explored_within(1, 0, [&](World& world) {
    auto& word = world.shared<Word>(0);
    for (int i = 0; i < 3; ++i) {
      world.process("P" + std::to_string(i + 1), [&, i] {
        const timespec far = in(world.now() + 1h);
        if (futex(&word, FUTEX_WAIT_BITSET, 0, &far, 1U << i) == 0) {
          world.record(i + 1);
        }
      });
    }
    world.process("P4", [&] { futex(&word, operation, count, nullptr, bitset); });
    world.run();
    std::vector<std::int64_t> awake = world.recorded();
    std::sort(awake.begin(), awake.end());
    all.insert(awake);
  });
  EXPECT_FALSE(found.failed()) << found.report();
  return all;
}

TEST(Futex, AWakeMayTakeAnyOfTheSleepers) {
  const auto all = awake_after(FUTEX_WAKE, 1, 0);
  EXPECT_TRUE(all.contains({1}) && all.contains({2}) && all.contains({3}));
  EXPECT_FALSE(all.contains({1, 2}));
}

TEST(Futex, AWakeOfTwoTakesAnyTwo) {
  const auto all = awake_after(FUTEX_WAKE, 2, 0);
  EXPECT_TRUE(all.contains({1, 2}) && all.contains({2, 3}) && all.contains({1, 3}));
  EXPECT_FALSE(all.contains({1, 2, 3}));
}

TEST(Futex, IntMaxIsAllOfThem) {
  EXPECT_TRUE(awake_after(FUTEX_WAKE, INT_MAX, 0).contains({1, 2, 3}));
}

TEST(Futex, MinusOneIsOneToTheKernel) {
  const auto all = awake_after(FUTEX_WAKE, static_cast<std::uint32_t>(-1), 0);
  EXPECT_TRUE(all.contains({1}));
  EXPECT_FALSE(all.contains({1, 2}));
}

TEST(Futex, BitsetsHaveToMeet) {
  const auto all = awake_after(FUTEX_WAKE_BITSET, INT_MAX, 0b101);
  EXPECT_TRUE(all.contains({1, 3}));
  for (const auto& awake : all) {
    EXPECT_EQ(std::count(awake.begin(), awake.end(), 2), 0);
  }
}

/// What FUTEX_WAIT returns when one fault may happen.
std::set<long> results(const timespec* time) {
  std::set<long> all;
  const auto found = explored_within(0, 1, [&](World& world) {
    auto& word = world.shared<Word>(0);
    world.process("P1", [&] { world.record(futex(&word, FUTEX_WAIT, 0, time)); });
    world.process("P2", [&] {
      explored::store(word, 1, std::memory_order_seq_cst);
      futex(&word, FUTEX_WAKE, 1);
    });
    world.run();
    all.insert(world.recorded().at(0));
  });
  EXPECT_FALSE(found.failed()) << found.report();
  return all;
}

TEST(Futex, FaultsAreSpuriousReturnsSignalsAndEarlyTimeOuts) {
  EXPECT_EQ(results(nullptr), (std::set<long>{0, -EINTR, -EAGAIN}));
  const timespec second{1, 0};
  EXPECT_EQ(results(&second), (std::set<long>{0, -EINTR, -EAGAIN, -ETIMEDOUT}));
}

TEST(Clock, PassesOnlyWhenNobodyHasAnythingToDo) {
  const auto found = explored_within(3, 0, [](World& world) {
    auto& word = world.shared<Word>(0);
    world.process("P1", [&] {
      const auto start = world.now();
      const timespec time = in(1s);
      futex(&word, FUTEX_WAIT, 0, &time);
      world.require(world.now() == start || world.now() == start + 1s,
                    "it is woken at once, or after its time");
    });
    world.process("P2", [&] { futex(&word, FUTEX_WAKE, 1); });
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

// ------------------------------------------------------------------------------ what is refused

struct Refusal {
  const char* name;
  int operation;
};

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, ByItsName) {
  const Refusal refusal = GetParam();
  const auto found =
      alone([&](World&, Word& word) { futex(&word, refusal.operation, 0, nullptr, 1); });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
  EXPECT_NE(found.sentence().find(refusal.name), std::string::npos) << found.sentence();
}

INSTANTIATE_TEST_SUITE_P(Operations, Refused,
                         ::testing::Values(Refusal{"FUTEX_REQUEUE", FUTEX_REQUEUE},
                                           Refusal{"FUTEX_CMP_REQUEUE", FUTEX_CMP_REQUEUE},
                                           Refusal{"FUTEX_WAKE_OP", FUTEX_WAKE_OP},
                                           Refusal{"FUTEX_LOCK_PI", FUTEX_LOCK_PI},
                                           Refusal{"FUTEX_UNLOCK_PI", FUTEX_UNLOCK_PI},
                                           Refusal{"FUTEX_TRYLOCK_PI", FUTEX_TRYLOCK_PI},
                                           Refusal{"FUTEX_CLOCK_REALTIME",
                                                   FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME}));

TEST(Refused, WordThatIsNotShared) {
  const auto found = alone([](World&, Word&) {
    std::uint32_t mine = 0;
    futex(&mine, FUTEX_WAKE, 1);
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
  EXPECT_NE(found.sentence().find("not in shared memory"), std::string::npos);
}

TEST(Refused, HalfOfAWideWord) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto& wide = world.shared<std::atomic<std::uint64_t>>(0U);
    world.process("P1", [&] {
      explored::wide_load(wide);
      futex(&wide, FUTEX_WAKE, 1);
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
  EXPECT_NE(found.sentence().find("8 and with 4 bytes"), std::string::npos) << found.sentence();
}

TEST(PrivateFlag, HasItsOwnSentence) {
  for (const int operation : {FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE}) {
    const auto found = alone([&](World&, Word& word) { futex(&word, operation, 1); });
    EXPECT_EQ(found.verdict, Verdict::kPrivateFutex);
    EXPECT_NE(found.sentence().find("FUTEX_PRIVATE_FLAG"), std::string::npos);
  }
}

TEST(Refused, WaitOfTheLibrary) {
  const auto found = alone([](World&, Word& word) { explored::wait_by_library(word, 5); });
  EXPECT_EQ(found.verdict, Verdict::kRefused) << found.report();
  EXPECT_NE(found.sentence().find("std::atomic::wait"), std::string::npos);
}

}  // namespace
}  // namespace explorer
