#include "05-queue/crash_safe.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"
#include "04-lock/asked.hpp"
#include "04-lock/waiters.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"
#include "support/sanitizer.hpp"
#include "support/stepped.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A queue at a place that the test knows.
template <std::size_t Size>
struct Memory {
  CrashSafeQueue::State state;
  alignas(Ring::kUnit) std::array<std::byte, Size> bytes;
};

template <std::size_t Size = 4096>
struct Scene {
  explicit Scene(std::ptrdiff_t most = 0) : queue(memory->state, memory->bytes, most) {}
  Shared<Memory<Size>> memory;
  CrashSafeQueue queue;
};

Deadline now() {
  return Deadline::after(0s);
}

bool put(CrashSafeQueue& queue, std::string_view text, Deadline deadline = now()) {
  return queue.put_until(std::as_bytes(std::span(text.data(), text.size())), deadline);
}
/// What is got, as text.
std::string in_words(const std::optional<Bytes>& item) {
  return item ? std::string(reinterpret_cast<const char*>(item->data()), item->size())
              : "(nothing)";
}
std::string get(CrashSafeQueue& queue, Deadline deadline = now()) {
  return in_words(queue.get_until(deadline));
}
std::string get_or_eof(CrashSafeQueue& queue, Deadline deadline = now()) {
  try {
    return in_words(queue.get_or_eof_until(deadline));
  } catch (const EOFError&) {
    return "(EOFError)";
  }
}

/// A text that says its number, and is as long as the number makes it.
std::string text_of(std::uint32_t number) {
  std::string text(8 + number * 7 % 60, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = static_cast<char>(number * 31 + i);
  }
  std::memcpy(text.data(), &number, sizeof number);
  return text;
}
/// Its number. @return none if it is torn.
std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  if (text.size() < sizeof number) {
    return std::nullopt;
  }
  std::memcpy(&number, text.data(), sizeof number);
  return text == text_of(number) ? std::optional(number) : std::nullopt;
}

// ---- one process

TEST(CrashSafe, FirstInFirstOut) {
  lesson("One lock for each end");
  did("put three items of different sizes into a new queue, and got them");
  CrashSafeQueue queue(0, 4096);
  expect_eq("maxsize()", queue.maxsize(), Ring::kMost);
  expect_eq("what a get without waiting says before", get(queue), "(nothing)");
  for (const char* text : {"one", "", "the third one, which is longer"}) {
    expect_eq("put_until()", put(queue, text), true);
  }
  expect_eq("size()", queue.size(), 3U);
  expect_eq("pushed()", queue.pushed(), 3U);
  expect_eq("the first", get(queue), "one");
  expect_eq("the second", get(queue, Deadline::never()), "");
  expect_eq("the third", get(queue, Deadline::after(1h)), "the third one, which is longer");
  expect_eq("what comes then", get(queue), "(nothing)");
  expect_eq("size()", queue.size(), 0U);
  expect_eq("pushed()", queue.pushed(), 3U);
}

TEST(CrashSafe, LikeADeque) {
  lesson("One lock for each end");
  did("put and got at random 20,000 times, in a queue of 480 bytes and 9 items at most, and did "
      "the same with a std::deque");
  Scene<480> scene(9);
  std::deque<std::string> model;
  std::minstd_rand random(5);  // NOLINT: the same each time
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0) {
      const std::string text = text_of(i).substr(0, random() % 90);
      const std::size_t needed = Ring::bytes_for(text.size());
      const bool fits = model.size() < 9 && bytes + needed <= 480;
      if (!expect_eq("put_until()", put(scene.queue, text), fits)) {
        return;
      }
      if (fits) {
        model.push_back(text);
        bytes += needed;
      }
    } else {
      const std::string wanted = model.empty() ? "(nothing)" : model.front();
      if (!expect(get(scene.queue) == wanted, "the item that the deque has in front", "another")) {
        return;
      }
      if (!model.empty()) {
        bytes -= Ring::bytes_for(model.front().size());
        model.pop_front();
      }
    }
    if (!expect_eq("size()", std::size_t{scene.queue.size()}, model.size())) {
      return;
    }
  }
}

TEST(CrashSafe, FullAndEmpty) {
  lesson("Full and Empty");
  did("put one item more than a queue takes, with and without a limit");
  Scene<64> scene(2);
  put(scene.queue, "one");
  put(scene.queue, "two");
  for (const auto limit : {-5ms, 0ms, 30ms}) {
    const auto start = monotonic_now();
    expect_eq("put_until()", put(scene.queue, "three", Deadline::after(limit)), false);
    expect(monotonic_now() - start >= limit, "it to wait for all its time", "an end before");
  }
  expect_eq("size()", scene.queue.size(), 2U);
  expect_eq("pushed()", scene.queue.pushed(), 2U);
  expect_eq("the first", get(scene.queue), "one");
  expect_eq("the second", get(scene.queue), "two");
  did("got one item more than there are, with and without a limit");
  for (const auto limit : {-5ms, 0ms, 30ms}) {
    const auto start = monotonic_now();
    expect_eq("get_until()", get(scene.queue, Deadline::after(limit)), "(nothing)");
    expect(monotonic_now() - start >= limit, "it to wait for all its time", "an end before");
  }
  expect_eq("put_until() afterwards", put(scene.queue, "three"), true);
}

TEST(CrashSafe, TooLarge) {
  lesson("Too large for ever");
  Scene<64> scene(2);
  put(scene.queue, "one");
  put(scene.queue, "two");
  did("put an item of 57 bytes into a queue of 64 bytes, which is full, with no limit");
  const std::string large(57, 'x');
  const Asked child([&]() -> std::string {
    try {
      return yes_or_no(put(scene.queue, large, Deadline::never()));
    } catch (const ValueError&) {
      return "ValueError";
    }
  });
  expect_eq("what comes of it", child.answer(), "ValueError");
  expect_eq("the first", get(scene.queue), "one");
  expect_eq("the second", get(scene.queue), "two");
  did("put an item of 56 bytes into it when it was empty");
  expect_eq("put_until()", put(scene.queue, large.substr(1)), true);
  expect_eq("what is got", get(scene.queue), large.substr(1));
}

TEST(CrashSafe, LostWithoutMemory) {
  lesson("Killed in the middle");
  if (kAddressSanitizer) {
    GTEST_SKIP() << "AddressSanitizer needs addresses without end";
  }
  did("got an item of 12 MB in a child that gets no more memory (setrlimit(2), RLIMIT_AS)");
  const auto scene = std::make_unique<Scene<16'000'000>>(9);
  put(scene->queue, std::string(12'000'000, 'x'));  // NOLINT: it is large
  const Asked child([&]() -> std::string {
    rlimit narrow{};
    must(getrlimit(RLIMIT_AS, &narrow), "getrlimit");
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    narrow.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + 4'000'000;
    must(setrlimit(RLIMIT_AS, &narrow), "setrlimit");
    try {
      return scene->queue.get_until(now()) ? "an item" : "nothing";
    } catch (const std::bad_alloc&) {
      return scene->memory->state.getting.word == 0 ? "std::bad_alloc"
                                                    : "std::bad_alloc, and locked";
    }
  });
  expect_eq("what comes of it", child.answer(), "std::bad_alloc");
  expect_eq("size()", scene->queue.size(), 1U);
  const auto item = scene->queue.get_until(now());
  expect_eq("the bytes of what this process gets", item ? item->size() : 0,
            std::size_t{12'000'000});
}

TEST(CrashSafe, NoSystemCallWhereNobodyWaits) {
  lesson("Say first, look then");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("put and got a hundred items, after a first one, with nobody else there");
  Scene scene;
  const auto one = [&] {
    put(scene.queue, "an item", Deadline::never());
    get(scene.queue, Deadline::never());
    put(scene.queue, "an item", Deadline::after(1h));
    get(scene.queue, Deadline::after(1h));
  };
  one();  // here too, so that a stub says so
  const Recording recording = record([&] {
    one();
    (void)syscall(SYS_getppid);  // from here on they count
    for (int i = 0; i < 50; ++i) {
      one();
    }
  });
  const auto begin =
      std::find_if(recording.calls.begin(), recording.calls.end(),
                   [](const RecordedCall& call) { return call.number == SYS_getppid; });
  expect(begin != recording.calls.end(), "the body to come so far",
         recording.threw.empty() ? "its end before" : recording.threw);
  expect(begin == recording.calls.end() || begin + 1 == recording.calls.end(), "no system call",
         recording.to_string());
}

// ---- several processes

TEST(CrashSafe, GoesOnWhenThereIsAnItem) {
  lesson("Who can go on");
  did("let two children sleep in get_until(), and put one item, and then another one");
  Scene scene;
  get(scene.queue);  // a stub says so here
  const Waiters waiters(2, [&] { return get(scene.queue, Deadline::never()); });
  if (!waiters.all_asleep()) {
    return;
  }
  long told = 0;
  {
    const Faults faults;
    put(scene.queue, "item");
    told = told_to_wake(faults);
  }
  expect_eq("how many the kernel is told to wake for one item", told, 1L);
  expect_eq("one at most is still at it", waiters.becomes(1), true);
  put(scene.queue, "item");
  waiters.expect_all("what each of them gets", "item");
}

TEST(CrashSafe, GoesOnWhenThereIsAPlace) {
  lesson("Who can go on");
  did("let two children sleep in put_until(), and got one item, and then another one");
  Scene scene(2);
  put(scene.queue, "one");
  put(scene.queue, "two");
  const Waiters waiters(2, [&] { return yes_or_no(put(scene.queue, "more", Deadline::never())); });
  if (!waiters.all_asleep()) {
    return;
  }
  long told = 0;
  {
    const Faults faults;
    get(scene.queue);
    told = told_to_wake(faults);
  }
  expect_eq("how many the kernel is told to wake for one place", told, 1L);
  expect_eq("one at most is still at it", waiters.becomes(1), true);
  get(scene.queue);
  waiters.expect_all("what each of them gets from put_until()", "true");
  expect_eq("size()", scene.queue.size(), 2U);
}

TEST(CrashSafe, SignalsDoNotEndTheWait) {
  lesson("Full and Empty");
  did("sent signals that have a handler to a child that sleeps in get_until(), and put an item "
      "then");
  Scene scene;
  get(scene.queue);  // a stub says so here
  const Shared<std::atomic<int>> handled;
  const Asked child([&] {
    count_sigusr1(*handled);
    return get(scene.queue, Deadline::never());
  });
  if (expect(falls_asleep_in_futex(child.pid()), "it to sleep", "it does not") &&
      sleeps_on_after_signals(child, *handled)) {
    put(scene.queue, "item");
    expect_eq("what it gets", child.answer(), "item");
  }
}

TEST(CrashSafe, QuietAfterADeath) {
  lesson("Killed in the middle");
  did("killed a child that slept in get_until(), and counted the calls of futex(2) of what was put "
      "later");
  Scene scene;
  get(scene.queue);  // a stub says so here
  const Waiters waiters(1, [&] { return get(scene.queue, Deadline::never()); });
  waiters.kill(0);
  for (int i = 0; i < 3; ++i) {  // the first ones may look for it
    put(scene.queue, "item");
  }
  const Faults faults;
  for (int i = 0; i < 10; ++i) {
    put(scene.queue, "item");
  }
  expect_eq("how often futex(2) is called for ten items that nobody waits for",
            faults.count("futex"), 0);
}

TEST(CrashSafe, LooksUpAfterANap) {
  lesson("Killed in the middle");
  did("waited 10 h for an item, and looked at what the kernel is told");
  Scene scene;
  Faults faults;
  std::vector<double> naps;
  std::chrono::nanoseconds passed{0};
  faults.before("futex", [&](const Call& call) {
    const auto command = static_cast<int>(call.args[1]) & FUTEX_CMD_MASK;
    if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) {
      return;
    }
    const auto* const time = pointer<timespec>(call.args[3]);
    double left = 1e9;
    if (time != nullptr) {
      left = static_cast<double>(time->tv_sec) + static_cast<double>(time->tv_nsec) / 1e9;
      if (command == FUTEX_WAIT_BITSET) {
        left -= std::chrono::duration<double>(monotonic_now() + passed).count();
      }
    }
    naps.push_back(left);
    if (naps.size() == 3) {
      put(scene.queue, "item");  // by somebody who dies before the wake-up
    }
    const auto by = naps.size() > 20 ? 10h : 51ms;  // enough is enough
    passed += by;
    faults.advance_clock(by);
  });
  faults.fail("futex", ETIMEDOUT, 1000);
  expect_eq("what is got, which was put at the third nap without a wake-up,",
            get(scene.queue, Deadline::after(10h)), "item");
  const double longest = naps.empty() ? 0 : *std::max_element(naps.begin(), naps.end());
  const double shortest = naps.empty() ? 0 : *std::min_element(naps.begin(), naps.end());
  expect(longest < 0.0501 && shortest > 0.01, "naps of kNap, 50 ms",
         "from " + std::to_string(shortest) + " s to " + std::to_string(longest) + " s");
}

TEST(CrashSafe, TwoAddresses) {
  lesson("One lock for each end");
  did("put items at one address, and got them in a child that has the queue at another one");
  const TwoViews<Memory<4096>> views;  // zeros, and no constructor has run
  CrashSafeQueue here(views.here().state, views.here().bytes, 9);
  CrashSafeQueue there(views.there().state, views.there().bytes, 9);
  put(here, "one");
  expect_eq("what a child gets", Asked([&] { return get(there); }).answer(), "one");
  const Waiters waiters(1, [&] { return get(there, Deadline::never()); });
  put(here, "two");
  waiters.expect_all("what a child gets that slept", "two");
}

TEST(CrashSafe, TwoAndTwo) {
  lesson("One lock for each end");
  did("let two children put 1,000 items each, and two get them, with room for three");
  constexpr std::uint32_t kItems = 1'000;
  Scene<240> scene(3);
  put(scene.queue, "here too, so that a stub says so");
  get(scene.queue);
  std::vector<std::unique_ptr<Asked>> all;
  const Shared<std::array<std::atomic<int>, 2 * kItems>> seen;
  for (std::uint32_t p = 0; p < 2; ++p) {
    all.push_back(std::make_unique<Asked>(
        [&, p]() -> std::string {
          for (std::uint32_t i = 0; i < kItems; ++i) {
            put(scene.queue, text_of(p * kItems + i), Deadline::never());
          }
          return "done";
        },
        4));
    all.push_back(std::make_unique<Asked>(
        [&]() -> std::string {
          std::array<std::uint32_t, 2> next{};
          for (std::uint32_t i = 0; i < kItems; ++i) {
            const auto number = number_in(get(scene.queue, Deadline::never()));
            if (!number || *number >= 2 * kItems) {
              return "a torn item";
            }
            if (*number % kItems < next[*number / kItems]) {
              return "an item behind a later one";
            }
            next[*number / kItems] = *number % kItems + 1;
            ++(*seen)[*number];
          }
          return "done";
        },
        4));
  }
  for (const auto& one : all) {
    if (!expect_eq("what a child says", one->answer(), "done")) {
      return;
    }
  }
  expect(std::all_of(seen->begin(), seen->end(), [](const auto& count) { return count == 1; }),
         "each item got once", "one that is not");
}

// ---- when others stop, or are killed

TEST(CrashSafe, StoppedInTheMiddle) {
  lesson("Full and Empty");
  did("stopped a child (SIGSTOP) that was in the middle of a put and of a get, and put and got "
      "with a limit of 20 ms");
  Scene scene;
  put(scene.queue, "item");
  const Kid other([&] {
    RobustLock putting(scene.memory->state.putting);
    RobustLock getting(scene.memory->state.getting);
    (void)putting.acquire();
    (void)getting.acquire();
    raise(SIGSTOP);
    return 0;
  });
  other.wait_until_stopped();
  const auto in_time = [&](const std::function<std::string()>& action) {
    return Asked([&] {
             const auto start = monotonic_now();
             const std::string said = action();
             return said + (monotonic_now() - start < CrashSafeQueue::kGrace + 1s ? ", in time"
                                                                                  : ", too late");
           })
        .answer();
  };
  expect_eq("what put_until() says",
            in_time([&] { return yes_or_no(put(scene.queue, "more", Deadline::after(20ms))); }),
            "false, in time");
  expect_eq("what get_until() says, though there is an item,",
            in_time([&] { return get(scene.queue, Deadline::after(20ms)); }), "(nothing), in time");
  expect_eq("what get_or_eof_until() says",
            in_time([&] { return get_or_eof(scene.queue, Deadline::after(20ms)); }),
            "(nothing), in time");
  did("killed that child");
  other.signal(SIGKILL);
  other.wait_for_end();
  expect_eq("put_until()", put(scene.queue, "more"), true);
  expect_eq("the first", get(scene.queue), "item");
  expect_eq("the second", get(scene.queue), "more");
}

/// Kills a child after 1, 2, 3 … instructions of `action`, while another one sleeps.
/// @param prepare  comes first. @param check  is told the number, and asks the other one.
void kill_at_each_instruction(const std::function<void()>& prepare,
                              const std::function<void()>& action,
                              const std::function<std::string()>& sleeper,
                              const std::function<bool(int, const Asked&)>& check) {
  const std::vector<int> counts = moments_of(prepare, action, 100);
  const auto enough = monotonic_now() + 1s;  // on a slow machine, they are fewer
  for (const int count : counts) {
    if (monotonic_now() > enough) {
      break;
    }
    prepare();
    const Asked other(sleeper);
    while (other.is_busy() && !is_asleep_in_futex(other.pid())) {
      sched_yield();
    }
    Stepped child([] {}, action);
    (void)child.step(count);
    child.kill();
    if (!check(count, other)) {
      break;
    }
  }
}

TEST(CrashSafe, KilledAtEachInstructionOfPut) {
  lesson("Killed in the middle");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("killed a child after each instruction of put_until(), or each second or third …, while "
      "another one slept in get_until(); and put one more item then");
  Scene<400> scene;
  const auto empty = [&] {
    while (get(scene.queue) != "(nothing)") {
    }
  };
  put(scene.queue, "here too, so that a stub says so");
  kill_at_each_instruction(
      empty, [&] { put(scene.queue, text_of(1), Deadline::never()); },
      [&] {
        const auto number = number_in(get(scene.queue, Deadline::never()));
        return number ? std::to_string(*number) : "a torn item";
      },
      [&](int count, const Asked& other) {
        const std::string when = ", after a death at instruction " + std::to_string(count);
        if (!expect_eq("put_until()" + when, put(scene.queue, text_of(2)), true)) {
          return false;
        }
        const std::string said = other.answer();
        const std::string left = get(scene.queue);
        const bool right = said == "1" ? number_in(left) == 2U : said == "2" && left == "(nothing)";
        return expect(right, "each item whole and once" + when,
                      "the one who slept got: " + said + "; and " +
                          (left == "(nothing)" ? "nothing" : "something") + " is left");
      });
}

TEST(CrashSafe, KilledAtEachInstructionOfGet) {
  lesson("Killed in the middle");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("killed a child after each instruction of get_until(), or each second or third …, while "
      "another one slept in put_until(); and got an item then");
  Scene<400> scene(1);
  const auto one_in = [&] {
    while (get(scene.queue) != "(nothing)") {
    }
    put(scene.queue, text_of(1));
  };
  put(scene.queue, "here too, so that a stub says so");
  kill_at_each_instruction(
      one_in, [&] { get(scene.queue, Deadline::never()); },
      [&] { return yes_or_no(put(scene.queue, text_of(2), Deadline::never())); },
      [&](int count, const Asked& other) {
        const std::string when = ", after a death at instruction " + std::to_string(count);
        auto number = number_in(get(scene.queue, Deadline::after(1s)));
        if (number == 1U) {  // the dead one did not take it
          number = number_in(get(scene.queue, Deadline::after(1s)));
        }
        return expect_eq("what the one who slept gets from put_until()" + when, other.answer(),
                         "true") &&
               expect(number == 2U, "its item to be got" + when, "another one, or none");
      });
}

/// Lets some time pass, without sleeping: so many looks at the clock.
void look_at_the_clock(int times) {
  for (int i = 0; i < times; ++i) {
    (void)monotonic_now();
  }
}

/// What the processes of a sweep share beside the queue.
struct Sweep {
  Memory<480> memory;
  std::atomic<std::uint32_t> acknowledged{0};  ///< how many items of the victim are put, or got
  std::atomic<bool> started{false};
};

constexpr std::uint32_t kOthers = 1'000'000;  ///< the numbers of those who live begin there

TEST(CrashSafe, SweepOfPutters) {
  lesson("Killed in the middle");
  did("killed up to 400 processes that put, one after the other, while another one put and this "
      "one got");
  const Shared<Sweep> shared;
  Sweep& sweep = *shared;
  CrashSafeQueue queue(sweep.memory.state, sweep.memory.bytes, 5);
  put(queue, "here too, so that a stub says so");
  get(queue);
  const Kid other(
      [&] {
        for (std::uint32_t i = kOthers;; ++i) {
          put(queue, text_of(i), Deadline::never());
        }
        return 0;
      },
      4);
  std::uint32_t of_the_other = kOthers;
  const auto enough = monotonic_now() + 1200ms;  // on a slow machine, they are fewer
  for (int turn = 1; turn <= 400 && monotonic_now() < enough; ++turn) {
    sweep.acknowledged = 0;
    const Kid victim([&] {
      for (std::uint32_t i = 1;; ++i) {
        put(queue, text_of(i), Deadline::never());
        sweep.acknowledged = i;
      }
      return 0;
    });
    std::uint32_t of_the_victim = 0;
    const auto get_one = [&](Deadline deadline) -> std::string {
      const std::string text = get(queue, deadline);
      if (text == "(nothing)") {
        return "nothing, though there is somebody who puts";
      }
      const auto number = number_in(text);
      if (!number) {
        return "a torn item";
      }
      std::uint32_t& last = *number < kOthers ? of_the_victim : of_the_other;
      const bool next = *number == last + (last == kOthers && *number == kOthers ? 0U : 1U);
      last = *number;
      return next ? "" : "an item twice, or not in its place";
    };
    std::string wrong;
    const int meanwhile = 1 + turn % 13;
    for (int i = 0; i < meanwhile && wrong.empty(); ++i) {
      wrong = get_one(Deadline::after(1s));
    }
    look_at_the_clock(turn * 7 % 61);
    victim.signal(SIGKILL);
    victim.wait_for_end();
    for (std::uint32_t i = 0; i < 8 && wrong.empty(); ++i) {  // what was in, and more
      wrong = get_one(Deadline::after(1s));
    }
    const std::uint32_t acknowledged = sweep.acknowledged;
    if (!expect(wrong.empty(), "each item once, whole and in order, after each kill",
                wrong + ", after kill number " + std::to_string(turn)) ||
        !expect(of_the_victim == acknowledged || of_the_victim == acknowledged + 1,
                "each item whose put had returned, and one more at most",
                std::to_string(of_the_victim) + " items of " + std::to_string(acknowledged))) {
      return;
    }
  }
}

TEST(CrashSafe, SweepOfGetters) {
  lesson("Killed in the middle");
  did("killed up to 400 processes that got, one after the other, while another one put and this "
      "one got");
  const Shared<Sweep> shared;
  Sweep& sweep = *shared;
  CrashSafeQueue queue(sweep.memory.state, sweep.memory.bytes, 5);
  put(queue, "here too, so that a stub says so");
  get(queue);
  const Kid other(
      [&] {
        for (std::uint32_t i = 1;; ++i) {
          put(queue, text_of(i), Deadline::never());
        }
        return 0;
      },
      4);
  std::uint32_t got = 0;   // by this process, and by those who were killed
  std::uint32_t last = 0;  // the greatest number
  std::uint32_t turns = 0;
  const auto enough = monotonic_now() + 1200ms;  // on a slow machine, they are fewer
  for (std::uint32_t turn = 1; turn <= 400 && monotonic_now() < enough; ++turn, ++turns) {
    sweep.acknowledged = 0;
    const Kid victim([&] {
      std::uint32_t before = 0;
      for (;;) {
        const auto number = number_in(get(queue, Deadline::never()));
        if (!number || *number <= before) {
          return 1;
        }
        before = *number;
        ++sweep.acknowledged;
      }
    });
    std::string wrong;
    const auto get_one = [&] {
      const std::string text = get(queue, Deadline::after(1s));
      const auto number = number_in(text);
      if (!number || *number <= last) {
        wrong = text == "(nothing)" ? "nothing, though there is somebody who puts"
                : !number           ? "a torn item"
                                    : "an item twice, or not in its place";
      } else {
        last = *number;
        ++got;
      }
    };
    for (std::uint32_t i = 0; i < turn % 5 && wrong.empty(); ++i) {
      get_one();
    }
    look_at_the_clock(static_cast<int>(turn * 37 % 997));
    const bool alive = victim.is_running();
    victim.signal(SIGKILL);
    victim.wait_for_end();
    got += sweep.acknowledged;
    for (int i = 0; i < 6 && wrong.empty(); ++i) {
      get_one();
    }
    if (!expect(wrong.empty(), "each item once, whole and in order, after each kill",
                wrong + ", after kill number " + std::to_string(turn)) ||
        !expect(alive, "the same in the process that is killed", "an item that is not") ||
        !expect(last - got <= turn, "one item at most gone with each that is killed",
                std::to_string(last - got) + " of them, after " + std::to_string(turn))) {
      return;
    }
  }
}

// ---- when no producer is left

TEST(CrashSafe, TheLastProducerIsKilled) {
  lesson("When no producer is left");
  did("let a child register as a producer and put an item, and another one get until the end; and "
      "killed the first one when the other one slept");
  Scene scene;
  expect_eq("what a get says before any producer has come", get_or_eof(scene.queue), "(nothing)");
  const Kid producer([&] {
    const auto place = scene.queue.register_producer();
    put(scene.queue, "item");
    pause();
    return 0;
  });
  const Asked child([&] {
    const std::string first = get_or_eof(scene.queue, Deadline::never());
    return first + ", " + get_or_eof(scene.queue, Deadline::never());
  });
  becomes_true([&] { return scene.queue.pushed() == 1 && scene.queue.size() == 0; });
  falls_asleep_in_futex(child.pid());
  expect_eq("whether the other one waits while the producer is there", child.is_busy(), true);
  producer.signal(SIGKILL);
  expect_eq("what it gets", child.answer(), "item, (EOFError)");
}

TEST(CrashSafe, ProducersThatEnd) {
  lesson("When no producer is left");
  did("registered twice in one process, put an item, and gave both registrations up");
  Scene scene;
  {
    const auto one = scene.queue.register_producer();
    {
      const auto other = scene.queue.register_producer();
      put(scene.queue, "item");
    }
    expect_eq("what is got", get_or_eof(scene.queue), "item");
    expect_eq("what is got when one is left", get_or_eof(scene.queue), "(nothing)");
    put(scene.queue, "last");
  }
  expect_eq("what is got when none is left", get_or_eof(scene.queue), "last");
  expect_eq("what comes then", get_or_eof(scene.queue, Deadline::after(1h)), "(EOFError)");
  expect_eq("what get_until() says", get(scene.queue), "(nothing)");
  did("registered once more");
  const auto again = scene.queue.register_producer();
  expect_eq("what is got", get_or_eof(scene.queue), "(nothing)");
}

TEST(CrashSafe, PutsWithoutARegistration) {
  lesson("When no producer is left");
  did("let the last producer end, and put an item without a registration");
  Scene scene;
  { const auto place = scene.queue.register_producer(); }
  put(scene.queue, "item");
  expect_eq("what is got", get_or_eof(scene.queue), "item");
  expect_eq("what comes then", get_or_eof(scene.queue), "(EOFError)");
}

/// A registration in memory of its own, where it can be given up early.
struct Registration {
  explicit Registration(CrashSafeQueue& queue) : place(queue.register_producer()) {}
  Producers::Place place;
};

TEST(CrashSafe, RegistrationOfAParent) {
  lesson("When no producer is left");
  did("registered, and let a forked child give up its copy, which means nothing");
  Scene scene;
  get(scene.queue);  // a stub says so here
  auto mine = std::make_unique<Registration>(scene.queue);
  const Gate gate;
  const Asked child([&]() -> std::string {
    auto copy = std::move(mine);
    copy.reset();
    return "given up";
  });
  (void)child.answer();
  expect_eq("what is got while the parent is there", get_or_eof(scene.queue), "(nothing)");
  did("gave it up, while a forked child had its copy");
  const Asked other([&]() -> std::string {
    auto copy = std::move(mine);
    gate.pass();
    const Registration own(scene.queue);
    copy.reset();
    return get_or_eof(scene.queue);
  });
  mine.reset();
  expect_eq("what is got", get_or_eof(scene.queue), "(EOFError)");
  did("let that child register, and give up its copy then");
  gate.open();
  expect_eq("what the child gets while it is registered", other.answer(), "(nothing)");
}

TEST(CrashSafe, TooManyProducers) {
  lesson("When no producer is left");
  did("registered 33 times");
  Scene scene;
  get(scene.queue);  // a stub says so here
  std::vector<std::unique_ptr<Registration>> all;
  for (std::size_t i = 0; i < Producers::kMost; ++i) {
    all.push_back(std::make_unique<Registration>(scene.queue));
  }
  expect_throw<ValueError>("ValueError", [&] { (void)scene.queue.register_producer(); });
  all.erase(all.begin() + 7);
  did("registered once more when one had given up");
  all.push_back(std::make_unique<Registration>(scene.queue));
  expect_eq("what is got", get_or_eof(scene.queue), "(nothing)");
  all.clear();
  expect_eq("what is got when all are gone", get_or_eof(scene.queue), "(EOFError)");
}

}  // namespace
}  // namespace mp::test
