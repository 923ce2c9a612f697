// The report is the lesson.
#include "support/explorer/report.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "support/explorer/memory_model.hpp"
#include "support/explorer/tests/explored.hpp"

namespace explorer {
namespace {

using testing::counting;
using testing::explored_within;

Exploration lost() {
  return explored_within(
      2, 0, [](World& world) { counting<explored::SleepsOnWhatItReads>(world, 2, 1); });
}

TEST(GuessName, OfTheWordThatALineWorksOn) {
  EXPECT_EQ(guess_name("if (state_.compare_exchange_strong(c, 1)) return;"), "state_");
  EXPECT_EQ(guess_name("c = lock->word.exchange(2, std::memory_order_acquire);"), "word");
  EXPECT_EQ(guess_name("slots[tail % 4].store(1);"), "slots[tail % 4]");
  EXPECT_EQ(guess_name("syscall(SYS_futex, &state, FUTEX_WAIT, 2, nullptr);"), "state");
  EXPECT_EQ(guess_name("futex_wake(this->value_, 1);"), "value_");
  EXPECT_EQ(guess_name("x = y + 1;"), "");
}

TEST(GuessName, OfWhatALineAssignsTo) {
  EXPECT_EQ(guess_assigned("node->next = head().list.next;"), "next");
  EXPECT_EQ(guess_assigned("count_ += 1;"), "count_");
  EXPECT_EQ(guess_assigned("return a == b;"), "");
}

TEST(Number, OfARobustLockIsItsOwnerAndItsMarks) {
  EXPECT_EQ(number(0x80000000U + 4001), "4001+WAITERS");
  EXPECT_EQ(number(0xC0000000U), "0+WAITERS+DIED");
  EXPECT_EQ(number(99'999), "99999");
  EXPECT_EQ(number(0x7fff'0000'1000), "(a pointer)");
  EXPECT_EQ(number(0xFFFFFFFFU), "0xffffffff");
}

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("unbreakable", 5), (std::vector<std::string>{"unbre", "akabl", "e"}));
  EXPECT_EQ(wrapped("", 5), (std::vector<std::string>{""}));
}

TEST(Report, SaysWhatHappenedAndWhere) {
  const std::string report = lost().report();
  for (const char* part :
       {"lost wake-up: P2 sleeps for ever on state", "| P1", "| P2", "state 0 -> 2 exchange",
        "samples.cpp:", "while (state.exchange(2) != 0) {", "counter = 0 read",
        "counter 0 -> 1 write", "2 preemptions", "To see it again: replay(\"2p0f-"}) {
    EXPECT_NE(report.find(part), std::string::npos) << part << "\n" << report;
  }
}

TEST(Report, OfWhatIsRightSaysHowMuchWasSearched) {
  const auto found =
      explored_within(1, 0, [](World& world) { counting<explored::Mutex>(world, 2, 1); });
  EXPECT_EQ(found.report(), "no error found in " + std::to_string(found.executions) +
                                " interleavings, all that there are within the bounds\n");
}

TEST(Report, LongOnesAreCut) {
  const auto found =
      explored_within(0, 0, [](World& world) { counting<explored::BusyMutex>(world, 2, 1); });
  const auto busy =
      explored_within(1, 0, [](World& world) { counting<explored::BusyMutex>(world, 2, 1); });
  EXPECT_FALSE(found.failed());
  ASSERT_TRUE(busy.failed());
  EXPECT_NE(busy.report().find("more steps of this kind"), std::string::npos);
  const std::string text = busy.report();
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 80);
}

TEST(Figure, FollowsTheRulesForFigures) {
  const std::string svg = lost().svg();
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_NE(svg.find("<title>lost wake-up: P2"), std::string::npos);
  EXPECT_NE(svg.find("class=\"failed\""), std::string::npos);
  EXPECT_NE(svg.find("state 0 -&gt; 2 exchange"), std::string::npos);
  if (system("python3 -c 'import sys' 2>/dev/null") != 0) {
    GTEST_SKIP() << "without Python docs/svg.py cannot judge it";
  }
  const std::string file = ::testing::TempDir() + "/explorer_" + std::to_string(getpid()) + ".svg";
  std::ofstream(file) << svg;
  const std::string command =
      "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH='" EXPLORER_SOURCE
      "/docs' python3 -c 'import svg, sys; "
      "found = svg.check_svg(open(sys.argv[1]).read()); print(found); sys.exit(len(found))' " +
      file;
  EXPECT_EQ(system(command.c_str()), 0);
  unlink(file.c_str());
}

}  // namespace
}  // namespace explorer
