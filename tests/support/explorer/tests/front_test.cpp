// How instrumented code meets the explorer: what belongs to one process, what is refused, what must
// not be mixed up.
#include <stdlib.h>
#include <unistd.h>

#include <set>

#include "support/explorer/front.hpp"
#include "support/explorer/tests/explored.hpp"

// The same samples, compiled plainly.
namespace mp {
int catch_something(void (*between)());
int count_calls();
std::int32_t by_operators(std::atomic<std::int32_t>& word, std::atomic<bool>& flag);
}  // namespace mp

namespace explorer {
namespace {

using testing::explored_within;

TEST(Statics, EachProcessHasItsOwn) {
  const int before = explored::count_calls();
  const auto found = explored_within(2, 0, [=](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&, before] {
        for (int call = 1; call <= 3; ++call) {
          world.require(explored::count_calls() == before + call, "its static is its own");
          world.require(explored::count_thread_calls() == call, "its thread_local is its own");
          explored::add(word, 1, std::memory_order_relaxed);
        }
      });
    }
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_EQ(explored::count_calls(), before + 1);  // as if nothing had been
}

TEST(Statics, ProcessesInheritThemFromTheSetUp) {
  const int before = explored::count_calls();
  const auto found = explored_within(1, 0, [=](World& world) {
    world.require(explored::count_calls() == before + 1, "each execution starts from the same");
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&, before] {
        world.require(explored::count_calls() == before + 2, "it is inherited");
      });
    }
    world.run();
    world.require(explored::count_calls() == before + 2, "a child's writes are not its parent's");
  });
  EXPECT_FALSE(found.failed()) << found.report();
}

TEST(ProcessNumbers, AreTheProcesses) {
  std::set<int> pids;
  const auto found = explored_within(1, 0, [&](World& world) {
    pids.insert(getpid());
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] {
        world.require(getpid() == world.pid(), "getpid() is the process's own");
        pids.insert(getpid());
      });
    }
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_EQ(pids.size(), 3U);
}

TEST(Exceptions, AreEachProcesssOwn) {
  static std::atomic<std::int32_t>* word = nullptr;
  const auto found = explored_within(3, 0, [](World& world) {
    word = &world.shared<std::atomic<std::int32_t>>(0);
    for (const char* name : {"P1", "P2"}) {
      world.process(name, [&] {
        const int differs =
            explored::catch_something([] { explored::add(*word, 1, std::memory_order_relaxed); });
        world.require(differs == 0, "it catches the exception that it threw");
      });
    }
    world.run();
  });
  EXPECT_FALSE(found.failed()) << found.report();
  EXPECT_EQ(mp::catch_something([] {}), 0);
}

TEST(Exceptions, ThatNobodyCatchesAreAnError) {
  const auto found = explored_within(0, 0, [](World& world) {
    world.process("P1", [] { explored::throw_something(); });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kException);
  EXPECT_EQ(found.sentence(),
            "an exception that nobody caught: P1 let an exception escape: std::runtime_error, "
            "\"something\"");
}

TEST(Exceptions, OfTheSetUpAsWell) {
  const auto found = explored_within(0, 0, [](World&) { explored::throw_something(); });
  EXPECT_EQ(found.verdict, Verdict::kException);
}

TEST(Refused, CallThatIsNotModelled) {
  const auto found = explored_within(0, 0, [](World& world) {
    world.process("P1", [] { static_cast<void>(getppid()); });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
  EXPECT_NE(found.sentence().find("getppid()"), std::string::npos);
}

TEST(Refused, WriteThatTheExplorerCannotSee) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    int& number = world.shared<int>(0);
    world.name(number, "number");
    world.process("P1", [&] {
      number = 1;  // this file is not instrumented
      explored::add(word, 1, std::memory_order_relaxed);
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
  EXPECT_NE(found.sentence().find("(number)"), std::string::npos) << found.sentence();
}

#if defined(__x86_64__)
TEST(Refused, InlineAssembly) {
  const auto found = explored_within(0, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    int& number = world.shared<int>(0);
    world.process("P1", [&] {
      explored::write_by_assembly(number);
      explored::add(word, 1, std::memory_order_relaxed);
    });
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
}
#endif

TEST(Refused, SetUpThatDoesNotRun) {
  EXPECT_EQ(explored_within(0, 0, [](World&) {}).verdict, Verdict::kRefused);
}

TEST(Refused, TooManyProcesses) {
  const auto found = explored_within(0, 0, [](World& world) {
    for (int i = 0; i < 7; ++i) {
      world.process("P", [] {});
    }
    world.run();
  });
  EXPECT_EQ(found.verdict, Verdict::kRefused);
}

TEST(Running, OnlyWhileItExplores) {
  EXPECT_FALSE(running());
  explored_within(0, 0, [](World& world) {
    EXPECT_TRUE(running());
    world.run();
  });
  EXPECT_FALSE(running());
}

TEST(Separate, EveryMemberOfAtomicIsSeen) {
  std::atomic<std::int32_t> plain{0};
  std::atomic<bool> flag{false};
  EXPECT_EQ(mp::by_operators(plain, flag), 2);  // the plain copy is in the program as well
  const auto found = explored_within(0, 0, [](World& world) {
    auto& word = world.shared<std::atomic<std::int32_t>>(0);
    auto& raised = world.shared<std::atomic<bool>>(false);
    world.process("P1", [&] {
      world.require(explored::by_operators(word, raised) == 2, "it is 2");
      world.require(false, "this is reached");  // for its trace
    });
    world.run();
  });
  ASSERT_EQ(found.verdict, Verdict::kProperty) << found.report();
  // Two stores, a read-modify-write, three loads, and where it ends.
  EXPECT_EQ(found.trace.events.size(), 7U) << found.report();
}

TEST(Separate, NothingInTheInstrumentedObjectIsSharedWithThePlainOne) {
  // Both objects have std::atomic's members and std::runtime_error's helpers under one name. Had
  // the linker merged them, the explored code would make no calls, and every test here would pass.
  const std::string command = std::string("nm --defined-only --format=posix ") + EXPLORED_OBJECT +
                              " | awk '$2 ~ /^[WVu]$/ && $1 !~ /[.]explored$/' | wc -l";
  FILE* const pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char text[32] = "";
  ASSERT_NE(fgets(text, sizeof text, pipe), nullptr);
  pclose(pipe);
  EXPECT_EQ(std::string(text), "0\n") << command;
}

}  // namespace
}  // namespace explorer
