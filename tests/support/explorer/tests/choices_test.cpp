#include "support/explorer/choices.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "support/explorer/vector_clock.hpp"
#include "support/explorer/visited.hpp"

namespace explorer {
namespace {

TEST(Choices, EveryPathIsTakenOnce) {
  Choices choices;
  std::set<std::vector<int>> paths;
  do {
    choices.rewind();
    std::vector<int> path;
    path.push_back(*choices.choose(2));
    path.push_back(*choices.choose(path[0] == 0 ? 3 : 2));
    EXPECT_TRUE(paths.insert(path).second);
  } while (choices.advance());
  EXPECT_EQ(paths.size(), 5U);
}

TEST(Choices, FirstPathIsAllZeros) {
  Choices choices;
  EXPECT_EQ(*choices.choose(4), 0);
  EXPECT_EQ(*choices.choose(2), 0);
}

TEST(Choices, OtherNumberOfAnswersIsNoticed) {
  Choices choices;
  choices.choose(2);
  choices.choose(2);
  ASSERT_TRUE(choices.advance());
  choices.rewind();
  EXPECT_FALSE(choices.choose(3).has_value());
}

TEST(Choices, ScheduleLeadsBack) {
  Choices choices;
  for (int i = 0; i < 5; ++i) {
    choices.rewind();
    for (int level = 0; level < 4; ++level) {
      choices.choose(3);
    }
    choices.advance();
  }
  choices.rewind();
  std::vector<int> taken;
  for (int level = 0; level < 4; ++level) {
    taken.push_back(*choices.choose(3));
  }
  const std::string schedule = choices.schedule({2, 1});
  EXPECT_EQ(schedule, "2p1f-0012");

  Choices again;
  const auto bounds = again.follow(schedule);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_EQ(*bounds, (Bounds{2, 1}));
  for (const int expected : taken) {
    EXPECT_EQ(*again.choose(3), expected);
  }
  EXPECT_EQ(*again.choose(3), 0);  // what is left away is zero
}

TEST(Choices, WhatIsNoScheduleIsRefused) {
  Choices choices;
  for (const char* text : {"", "1p", "1p0f", "xp0f-0", "1p0f-0?1"}) {
    EXPECT_FALSE(choices.follow(text).has_value()) << text;
  }
}

TEST(VectorClock, KnowsWhatItHasJoined) {
  VectorClock a;
  VectorClock b;
  a[0] = 3;
  b[1] = 2;
  EXPECT_FALSE(b.has_seen(0, 1));
  b.join(a);
  EXPECT_TRUE(b.has_seen(0, 3));
  EXPECT_FALSE(b.has_seen(0, 4));
  EXPECT_TRUE(b.has_seen(1, 2));
}

TEST(Visited, CheaperWayIsSearchedAgain) {
  Visited visited;
  EXPECT_FALSE(visited.seen(42, 2));
  EXPECT_TRUE(visited.seen(42, 2));
  EXPECT_TRUE(visited.seen(42, 3));
  EXPECT_FALSE(visited.seen(42, 1));
  EXPECT_TRUE(visited.seen(42, 1));
}

TEST(Visited, KeepsThemAllAsItGrows) {
  Visited visited;
  for (std::uint64_t i = 1; i < 20'000; ++i) {
    EXPECT_FALSE(visited.seen(i << 20, 0));
  }
  for (std::uint64_t i = 1; i < 20'000; ++i) {
    EXPECT_TRUE(visited.seen(i << 20, 0));
  }
  visited.clear();
  EXPECT_FALSE(visited.seen(1 << 20, 0));
}

}  // namespace
}  // namespace explorer
