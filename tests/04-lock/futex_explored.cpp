#include "04-lock/explored.hpp"

// This file is not instrumented. What changes a word in it tells the explorer so itself, by the
// functions that an instrumented file calls.
extern "C" {
std::uint32_t explored_load(const volatile void* word, int order) __asm__("__tsan_atomic32_load");
void explored_store(volatile void* word, std::uint32_t value,
                    int order) __asm__("__tsan_atomic32_store");
}

namespace {

using explored::Deadline;
using explored::futex_wait;
using explored::futex_wake;
using explored::FutexWord;
using explored::Wake;
using explorer::World;
using mp::test::did;
using mp::test::expect_explored;
using mp::test::lesson;
using namespace std::chrono_literals;

[[gnu::always_inline]] inline std::uint32_t value_of(const FutexWord& word) {
  return explored_load(&word, __ATOMIC_SEQ_CST);
}
[[gnu::always_inline]] inline void set(FutexWord& word, std::uint32_t value) {
  explored_store(&word, value, __ATOMIC_SEQ_CST);
}

/// A word that the report calls "word".
FutexWord& word_of(World& world) {
  auto& word = world.shared<FutexWord>(0U);
  world.name(word, "word");
  return word;
}

TEST(FutexExplored, ChangedAndWoken) {
  lesson("The check and the sleep are one step");
  did("explored a process that sleeps while the word is 0, and one that makes it 1 and wakes it");
  expect_explored("nobody to sleep for ever", {.preemptions = 4, .faults = 2}, [](World& world) {
    auto& word = word_of(world);
    world.process("P1", [&] {
      while (value_of(word) == 0) {
        futex_wait(word, 0, Deadline::never());
      }
    });
    world.process("P2", [&] {
      set(word, 1);
      futex_wake(word, 1);
    });
    world.run();
  });
}

TEST(FutexExplored, ThereAndBack) {
  lesson("The check and the sleep are one step");
  did("explored two processes that take turns: one makes the word 1, the other one 0 again");
  expect_explored("each turn to come", {.preemptions = 3, .faults = 1}, [](World& world) {
    auto& word = word_of(world);
    for (const std::uint32_t mine : {0U, 1U}) {
      world.process("P" + std::to_string(mine + 1), [&, mine] {
        for (int turn = 0; turn < 2; ++turn) {
          for (std::uint32_t seen = value_of(word); seen != mine; seen = value_of(word)) {
            futex_wait(word, seen, Deadline::never());
          }
          set(word, 1 - mine);
          futex_wake(word, 1);
        }
      });
    }
    world.run();
  });
}

TEST(FutexExplored, NobodyIsForgotten) {
  lesson("From spinning to sleeping");
  did("explored three processes that sleep while the word is 0, and a fourth that wakes them all");
  expect_explored("all of them to be awake", {.preemptions = 2, .faults = 0}, [](World& world) {
    auto& word = word_of(world);
    for (const char* name : {"P1", "P2", "P3"}) {
      world.process(name, [&] {
        while (value_of(word) == 0) {
          futex_wait(word, 0, Deadline::never());
        }
      });
    }
    world.process("P4", [&] {
      set(word, 1);
      futex_wake(word, INT_MAX);
    });
    world.run();
  });
}

TEST(FutexExplored, WhoWasWoken) {
  lesson("From spinning to sleeping");
  did("explored two processes that sleep, and a third that wakes one of them");
  expect_explored("as many to be woken as futex_wake() says", {.preemptions = 3, .faults = 0},
                  [](World& world) {
                    auto& word = word_of(world);
                    for (const char* name : {"P1", "P2"}) {
                      world.process(name, [&] {
                        if (futex_wait(word, 0, Deadline::after(1s)) == Wake::kWoken) {
                          world.record(0);
                        }
                      });
                    }
                    world.process("P3", [&] {
                      const int woken = futex_wake(word, 1);
                      world.require(woken == 0 || woken == 1, "one at most is woken");
                      world.record(woken);
                    });
                    world.run();
                    std::int64_t said = 0;
                    std::int64_t awake = -1;  // P3's own entry
                    for (const std::int64_t entry : world.recorded()) {
                      said += entry;
                      ++awake;
                    }
                    world.require(awake == said, "as many were woken as futex_wake() said");
                  });
}

TEST(FutexExplored, BackInTime) {
  lesson("A moment, not a duration");
  did("explored a wait of 100 ms that nobody ends, with signals and wake-ups for no reason");
  expect_explored("the end of the wait at its deadline", {.preemptions = 1, .faults = 3},
                  [](World& world) {
                    auto& word = word_of(world);
                    world.process("P1", [&] {
                      const auto end = world.now() + 100ms;
                      const auto limit = world.within(100ms);
                      const auto deadline = Deadline::after(100ms);
                      Wake result = Wake::kWoken;
                      while (result == Wake::kWoken) {
                        result = futex_wait(word, 0, deadline);
                      }
                      world.require(result == Wake::kTimedOut, "the result is kTimedOut");
                      world.require(world.now() >= end, "it is not back before its deadline");
                    });
                    world.run();
                  });
}

TEST(FutexExplored, PassedDeadline) {
  lesson("A moment, not a duration");
  did("explored waits whose deadline has passed, while another process changes the word");
  expect_explored("no sleep, and the word looked at", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    auto& word = word_of(world);
                    world.process("P1", [&] {
                      const auto limit = world.within(0ns);
                      const bool before = value_of(word) == 1;
                      const Wake result = futex_wait(word, 0, Deadline::after(0s));
                      const bool after = value_of(word) == 1;
                      world.require(result != Wake::kTimedOut || !before,
                                    "a word that has changed is kChanged, whatever the time");
                      world.require(result != Wake::kChanged || after,
                                    "kChanged means that the word has changed");
                    });
                    world.process("P2", [&] { set(word, 1); });
                    world.run();
                  });
}

}  // namespace
