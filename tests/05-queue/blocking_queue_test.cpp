#include "05-queue/blocking_queue.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "04-lock/waiters.hpp"
#include "support/becomes.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"
#include "support/sanitizer.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string text_of(const Bytes& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += static_cast<char>(byte);
  }
  return text;
}

Deadline passed() {
  return Deadline::after(0s);
}

/// What put_until() does, in words.
std::string puts(BlockingQueue& queue, std::string_view text, Deadline deadline = passed()) {
  return queue.put_until(bytes_of(text), deadline) ? "put" : "full";
}
/// What get_until() gives, in words.
std::string gets(BlockingQueue& queue, Deadline deadline = passed()) {
  const auto item = queue.get_until(deadline);
  return item ? text_of(*item) : "empty";
}

/// All that is in, got without waiting.
std::string drained(BlockingQueue& queue) {
  std::string all;
  for (int i = 0; i < 20; ++i) {
    const std::string item = gets(queue);
    if (item == "empty") {
      return all;
    }
    all += (all.empty() ? "" : " ") + item;
  }
  return all + " ...";
}

/// What a child says that does it. It is ended after 2 s: no hang of the queue hangs the test.
std::string in_a_child(const std::function<std::string()>& body) {
  return Asked(body).answer();
}

/// A queue whose shared words the test can see.
struct Scene {
  /// @param memory  in bytes, at most as many as there are here.
  explicit Scene(std::ptrdiff_t maxsize, std::size_t bytes = 1024)
      : queue(*state, std::span(*memory).first(bytes), maxsize) {}

  Shared<BlockingQueue::State> state;
  Shared<std::array<std::byte, 4096>> memory;
  BlockingQueue queue;
};

/// As many children that get an item and say it, and wait as long as it takes.
Waiters getters(BlockingQueue& queue, int count) {
  return {count, [&queue] { return gets(queue, Deadline::never()); }};
}
/// As many children that put an item.
Waiters putters(BlockingQueue& queue, int count, const std::string& text = "new") {
  return {count, [&queue, text] { return puts(queue, text, Deadline::never()); }};
}

/// How many sleepers the kernel was told to wake. Whoever waits for the queue's lock is none.
long told_to_go_on(const Faults& faults, const Scene& scene) {
  long sum = 0;
  for (const Call& call : faults.calls("futex")) {
    const long operation = call.args[1] & FUTEX_CMD_MASK;
    if ((operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET) &&
        pointer<FutexWord>(call.args[0]) != &scene.state->lock.word) {
      sum += std::min(static_cast<long>(static_cast<int>(call.args[2])), 1'000L);
    }
  }
  return sum;
}

/// Expects one long sleep, and no short ones to look again and again.
void expect_one_sleep(const Asked& child) {
  using Clock = std::chrono::steady_clock;
  const long before = sleeps_of(child.pid());
  const auto end = Clock::now() + 60ms;
  becomes_true([end] { return Clock::now() > end; });
  const long naps = sleeps_of(child.pid()) - before;
  expect(naps <= 2, "one long sleep",
         std::to_string(naps) + " short ones in 60 ms, to look again and again");
}

/// Expects that a put and a get that nobody waits for call futex(2) no more.
void expect_quiet(BlockingQueue& queue) {
  puts(queue, "quiet");  // the lock may have been marked by one who waited for it
  gets(queue);
  Faults faults;
  for (int i = 0; i < 3; ++i) {
    expect_eq("a put into the empty queue", puts(queue, "quiet"), "put");
    expect_eq("a get", gets(queue), "quiet");
  }
  expect_eq("how often futex(2) was called for them", faults.count("futex"), 0);
}

// ---- one process

TEST(BlockingQueue, FirstInFirstOut) {
  lesson("A ring in memory");
  did("put four items of different lengths, and got them");
  Scene scene(9);
  BlockingQueue& queue = scene.queue;
  const std::string longest(300, 'x');
  std::uint32_t in = 0;
  for (const std::string& text :
       {std::string("one"), std::string(), longest, std::string("four")}) {
    expect_eq("put_until()", puts(queue, text, Deadline::never()), "put");
    expect_eq("size()", queue.size(), ++in);
  }
  for (const std::string& text :
       {std::string("one"), std::string(), longest, std::string("four")}) {
    expect_eq("the next item", gets(queue, Deadline::never()), text);
    expect_eq("size()", queue.size(), --in);
  }
  expect_eq("pushed()", queue.pushed(), 4U);
  expect_eq("get_until() with a deadline that has passed", gets(queue), "empty");
}

TEST(BlockingQueue, OneMoreThanTheBound) {
  lesson("A bound needs counting");
  for (const std::uint32_t bound : {1U, 2U, 9U}) {
    did("put one item more than its bound into a queue of " + std::to_string(bound) +
        ", with deadlines that have passed");
    Scene scene(static_cast<std::ptrdiff_t>(bound));
    BlockingQueue& queue = scene.queue;
    std::string all;
    for (std::uint32_t i = 1; i <= bound; ++i) {
      all += (i == 1 ? "" : " ") + std::to_string(i);
      expect_eq("put " + std::to_string(i), puts(queue, std::to_string(i)), "put");
    }
    expect_eq("one put more", puts(queue, "more"), "full");
    expect_eq("size() then", queue.size(), bound);
    expect_eq("pushed() then", queue.pushed(), bound);
    expect_eq("maxsize()", queue.maxsize(), bound);
    did("got all that was in");
    expect_eq("the items", drained(queue), all);
    did("put into the same queue again, until it was full");
    for (std::uint32_t i = 1; i <= bound; ++i) {
      expect_eq("put " + std::to_string(i), puts(queue, std::to_string(i)), "put");
    }
    expect_eq("one put more", puts(queue, "more"), "full");
    gets(queue);
    expect_eq("a put after a get", puts(queue, "last"), "put");
  }
}

TEST(BlockingQueue, NoBound) {
  lesson("A bound needs counting");
  using Limits = std::numeric_limits<std::ptrdiff_t>;
  for (const std::ptrdiff_t maxsize :
       {std::ptrdiff_t{0}, std::ptrdiff_t{-5}, Limits::min(), Limits::max(),
        std::ptrdiff_t{Ring::kMost} + 1, std::ptrdiff_t{Ring::kMost}}) {
    did("put 64 items into a queue with room for their bytes, with maxsize " +
        std::to_string(maxsize));
    BlockingQueue queue(maxsize, 1024);
    expect_eq("maxsize()", queue.maxsize(), Ring::kMost);
    for (int i = 0; i < 64; ++i) {
      if (!expect_eq("put " + std::to_string(i), puts(queue, "eight by"), "put")) {
        return;
      }
    }
    expect_eq("one put more", puts(queue, ""), "full");
    expect_eq("size()", queue.size(), 64U);
  }
}

TEST(BlockingQueue, BytesAreABound) {
  lesson("A bound needs counting");
  did("put items of 8 bytes into a queue of 9 bytes");
  BlockingQueue small(9, 9);  // and so of 16
  expect_eq("the first put", puts(small, "eight by"), "put");
  expect_eq("the second put", puts(small, "eight by"), "full");
  expect_eq("size()", small.size(), 1U);
  expect_eq("the item", gets(small), "eight by");
  expect_eq("a put after the get", puts(small, "eight by"), "put");
  did("put empty items into a queue of 1 byte");
  BlockingQueue smallest(9, 1);  // and so of 8
  expect_eq("the first put", puts(smallest, ""), "put");
  expect_eq("the second put", puts(smallest, ""), "full");
  did("made a queue of no bytes");
  expect_throw<ValueError>("ValueError", [] { const BlockingQueue queue(9, 0); });
}

TEST(BlockingQueue, NoMoreMemoryThanItSays) {
  lesson("A ring in memory");
  did("made a queue of 100,000 bytes, put an item and got it, and looked at the memory it maps");
  Faults faults;
  BlockingQueue queue(9, 100'000);
  puts(queue, "item");
  expect_eq("the item", gets(queue), "item");
  long sum = 0;
  for (const Call& call : faults.calls("mmap")) {
    sum += call.args[1];
  }
  expect(sum >= 100'000 && sum <= 100'000 + 4096, "its bytes, and a page at most",
         std::to_string(sum) + " bytes");
}

TEST(BlockingQueue, TooLargeForEver) {
  lesson("Too large for ever");
  Scene scene(2, 64);
  BlockingQueue& queue = scene.queue;
  const auto thrown_for = [&queue](std::size_t size, Deadline deadline) {
    return in_a_child([&queue, size, deadline]() -> std::string {
      const std::string text(size, 'x');
      try {
        return puts(queue, text, deadline);
      } catch (const ValueError&) {
        return "ValueError";
      }
    });
  };
  const auto in_all_states = [&](const std::string& state, std::uint32_t size) {
    for (const std::size_t bytes : {57, 64, 5'000}) {
      did("put an item of " + std::to_string(bytes) + " bytes into a queue of 64, which is " +
          state + ", with no deadline");
      if (!expect_eq("what comes of it", thrown_for(bytes, Deadline::never()), "ValueError")) {
        return false;
      }
      did("did the same with a deadline that has passed");
      expect_eq("what comes of it", thrown_for(bytes, passed()), "ValueError");
      if (!expect_eq("size()", queue.size(), size)) {
        return false;
      }
    }
    return true;
  };
  if (!in_all_states("empty", 0)) {
    return;
  }
  did("put an item of 56 bytes into it, which fits");
  expect_eq("what comes of it", thrown_for(56, passed()), "put");
  if (!in_all_states("full", 1)) {
    return;
  }
  gets(queue);
  puts(queue, "one");
  puts(queue, "two");
  if (!in_all_states("full by its bound", 2)) {
    return;
  }
  did("got what is in, put into it, and got again");
  expect_eq("the items", drained(queue), "one two");
  expect_eq("a put", puts(queue, "three"), "put");
  expect_eq("the item", gets(queue), "three");
}

TEST(BlockingQueue, AsADequeWould) {
  lesson("A bound needs counting");
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::minstd_rand random(seed);
    const auto up_to = [&random](std::size_t most) { return random() % (most + 1); };
    const std::size_t bytes = 8 * (4 + up_to(20));
    const std::size_t bound = 1 + up_to(6);
    did("put and got at random (seed " + std::to_string(seed) + ") in a queue of " +
        std::to_string(bound) + " items and " + std::to_string(bytes) + " bytes");
    Scene scene(static_cast<std::ptrdiff_t>(bound), bytes);
    std::deque<std::string> model;
    std::size_t used = 0;
    std::uint32_t pushed = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string step = " in step " + std::to_string(i);
      if (up_to(9) < 6) {
        const std::string text(up_to(bytes - 8), static_cast<char>('a' + i % 26));
        const std::size_t needs = Ring::bytes_for(text.size());
        const bool room = model.size() < bound && needs <= bytes - used;
        if (!expect_eq("a put of " + std::to_string(text.size()) + " bytes" + step,
                       puts(scene.queue, text), room ? "put" : "full")) {
          return;
        }
        if (room) {
          model.push_back(text);
          used += needs;
          ++pushed;
        }
      } else {
        const std::string next = model.empty() ? "empty" : model.front();
        if (!expect_eq("a get" + step, gets(scene.queue), next)) {
          return;
        }
        if (!model.empty()) {
          used -= Ring::bytes_for(next.size());
          model.pop_front();
        }
      }
      if (!expect_eq("size()" + step, scene.queue.size(), model.size()) ||
          !expect_eq("pushed()" + step, scene.queue.pushed(), pushed)) {
        return;
      }
    }
  }
}

TEST(BlockingQueue, NoSystemCallWhenNobodyWaits) {
  lesson("Who can go on");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("put and got 500 items in one process, and recorded the system calls");
  Scene scene(2, 64);
  puts(scene.queue, "item");  // here too, so that a stub says so
  gets(scene.queue);
  const Recording recording = record([&scene] {
    for (int i = 0; i < 500; ++i) {
      puts(scene.queue, "item", Deadline::never());
      puts(scene.queue, "item");
      puts(scene.queue, "one too many");
      gets(scene.queue, Deadline::never());
      gets(scene.queue);
      gets(scene.queue);
    }
  });
  expect_eq("how the recorded process ended", recording.exitcode, 0);
  // A few for what is done once in a process, such as asking for its number.
  expect(recording.calls.size() < 20, "a handful of system calls at most",
         std::to_string(recording.calls.size()) + " of them, which begin:\n" +
             recording.to_string().substr(0, 200));
}

// ---- waiting

TEST(BlockingQueue, GetWaitsForAnItem) {
  lesson("Nobody sleeps with the lock");
  did("let a child get from an empty queue, and put an item when it was asleep");
  Scene scene(9);
  const auto all = getters(scene.queue, 1);
  if (!all.all_asleep()) {
    return;
  }
  expect_one_sleep(all[0]);
  if (!expect_eq("a put", in_a_child([&] { return puts(scene.queue, "item"); }), "put")) {
    return;
  }
  expect_eq("what the child got", all[0].answer(), "item");
  expect_eq("size()", scene.queue.size(), 0U);
}

TEST(BlockingQueue, PutWaitsForRoom) {
  lesson("Nobody sleeps with the lock");
  for (const bool by_bytes : {false, true}) {
    did(std::string("let a child put into a queue that is full by its ") +
        (by_bytes ? "bytes" : "bound") + ", and got an item when it was asleep");
    Scene scene(by_bytes ? 9 : 1, by_bytes ? 16 : 1024);
    puts(scene.queue, "old");
    const auto all = putters(scene.queue, 1);
    if (!all.all_asleep()) {
      return;
    }
    expect_eq("size() while it sleeps", scene.queue.size(), 1U);
    expect_one_sleep(all[0]);
    if (!expect_eq("a get", in_a_child([&] { return gets(scene.queue); }), "old")) {
      return;
    }
    expect_eq("what the child says", all[0].answer(), "put");
    expect_eq("what is in", drained(scene.queue), "new");
  }
}

TEST(BlockingQueue, NobodySleepsWithTheLock) {
  lesson("Nobody sleeps with the lock");
  did("let two children get from an empty queue, and tried to get as well when they were asleep");
  Scene scene(1);
  {
    const auto all = getters(scene.queue, 2);
    if (!all.all_asleep()) {
      return;
    }
    if (!expect_eq("locked() of the queue's lock", Lock(scene.state->lock).locked(), false)) {
      return;
    }
    if (!expect_eq("a get that does not wait", in_a_child([&] { return gets(scene.queue); }),
                   "empty")) {
      return;
    }
    did("put an item for each of them");
    const auto put_two = [&] {
      puts(scene.queue, "item", Deadline::after(1s));
      return puts(scene.queue, "item", Deadline::after(1s));
    };
    if (!expect_eq("the second put, of a second at most,", in_a_child(put_two), "put")) {
      return;
    }
    all.expect_all("what a child got", "item");
  }
  did("let two children put into a full queue, and tried to put as well when they were asleep");
  puts(scene.queue, "old");
  const auto all = putters(scene.queue, 2);
  if (!all.all_asleep()) {
    return;
  }
  if (!expect_eq("locked() of the queue's lock", Lock(scene.state->lock).locked(), false)) {
    return;
  }
  if (!expect_eq("a put that does not wait", in_a_child([&] { return puts(scene.queue, "more"); }),
                 "full")) {
    return;
  }
  did("got an item for each of them");
  const auto get_two = [&] {
    gets(scene.queue, Deadline::after(1s));
    return gets(scene.queue, Deadline::after(1s));
  };
  if (!expect_eq("the second get, of a second at most,", in_a_child(get_two), "new")) {
    return;
  }
  all.expect_all("what a child says", "put");
}

TEST(BlockingQueue, OneItemForOneGetter) {
  lesson("Who can go on");
  did("let three children get from an empty queue, and put an item");
  Scene scene(9);
  const auto all = getters(scene.queue, 3);
  if (!all.all_asleep()) {
    return;
  }
  {
    Faults faults;
    expect_eq("the put", puts(scene.queue, "item"), "put");
    if (!expect_eq("how many the kernel is told to wake", told_to_go_on(faults, scene), 1)) {
      return;
    }
  }
  if (!expect(all.becomes(2), "one of them to get it",
              std::to_string(3 - all.busy()) + " who came to an end")) {
    return;
  }
  if (!expect_eq("how many still wait", all.busy(), 2)) {
    return;
  }
  did("put one more item for each");
  puts(scene.queue, "item");
  puts(scene.queue, "item");
  all.expect_all("what a child got", "item");
  expect_quiet(scene.queue);
}

TEST(BlockingQueue, OnePlaceForOnePutter) {
  lesson("Who can go on");
  did("let three children put into a full queue, and got an item");
  Scene scene(1);
  puts(scene.queue, "old");
  const auto all = putters(scene.queue, 3);
  if (!all.all_asleep()) {
    return;
  }
  {
    Faults faults;
    expect_eq("the get", gets(scene.queue), "old");
    if (!expect_eq("how many the kernel is told to wake", told_to_go_on(faults, scene), 1)) {
      return;
    }
  }
  if (!expect(all.becomes(2), "one of them to be through",
              std::to_string(3 - all.busy()) + " who came to an end")) {
    return;
  }
  if (!expect_eq("how many still wait", all.busy(), 2)) {
    return;
  }
  did("got one more item for each");
  for (int i = 0; i < 3; ++i) {
    if (!expect_eq("the item", in_a_child([&] { return gets(scene.queue, Deadline::after(1s)); }),
                   "new")) {
      return;
    }
  }
  all.expect_all("what a child says", "put");
  expect_quiet(scene.queue);
}

TEST(BlockingQueue, BytesForSeveral) {
  lesson("Who can go on");
  did("let three children wait for bytes, and got an item that is as large as theirs together");
  Scene scene(9, 48);
  expect_eq("the put of the large item", puts(scene.queue, std::string(40, 'x')), "put");
  const auto all = putters(scene.queue, 3);
  if (!all.all_asleep()) {
    return;
  }
  expect_eq("the length of the large item", gets(scene.queue).size(), 40U);
  all.expect_all("what a child says", "put");
  expect_eq("what is in", drained(scene.queue), "new new new");
  expect_quiet(scene.queue);
}

TEST(BlockingQueue, NobodyIsWokenForNothing) {
  lesson("Who can go on");
  did("let a child wait for room and another one for an item, in two queues, and tried what does "
      "not help them");
  Scene full(1);
  puts(full.queue, "old");
  const auto putter = putters(full.queue, 1);
  Scene empty(1);
  const auto getter = getters(empty.queue, 1);
  if (!putter.all_asleep() || !getter.all_asleep()) {
    return;
  }
  Faults faults;
  expect_eq("a put into the full queue", puts(full.queue, "more"), "full");
  expect_eq("a get from the empty queue", gets(empty.queue), "empty");
  expect_eq("how many the kernel is told to wake",
            told_to_go_on(faults, full) + told_to_go_on(faults, empty), 0);
  gets(full.queue);
  puts(empty.queue, "item");
  expect_eq("what the first child says in the end", putter[0].answer(), "put");
  expect_eq("what the other child got in the end", getter[0].answer(), "item");
}

// ---- the time

TEST(BlockingQueue, GivesUpAtItsDeadline) {
  lesson("Full and Empty");
  const auto in_time = [](const std::string& what, Deadline deadline) {
    return what + (deadline.remaining() == 0ns ? ", in time" : ", too early");
  };
  did("let a child get from an empty queue, for 40 ms at most");
  Scene empty(1);
  if (!expect_eq("what it says", in_a_child([&] {
                   const auto deadline = Deadline::after(40ms);
                   return in_time(gets(empty.queue, deadline), deadline);
                 }),
                 "empty, in time")) {
    return;
  }
  expect_quiet(empty.queue);
  for (const bool by_bytes : {false, true}) {
    did(std::string("let a child put into a queue that is full by its ") +
        (by_bytes ? "bytes" : "bound") + ", for 40 ms at most");
    Scene full(by_bytes ? 9 : 1, by_bytes ? 16 : 1024);
    puts(full.queue, "old");
    if (!expect_eq("what it says", in_a_child([&] {
                     const auto deadline = Deadline::after(40ms);
                     return in_time(puts(full.queue, "new", deadline), deadline);
                   }),
                   "full, in time")) {
      return;
    }
    expect_eq("what is in", drained(full.queue), "old");
    expect_quiet(full.queue);
  }
}

TEST(BlockingQueue, LastMomentIsEnough) {
  lesson("Full and Empty");
  for (const auto& [words, time] : {std::pair("zero", 0s), {"less than zero", -5s}}) {
    did(std::string("put and got with a time limit of ") + words + ", and nothing to wait for");
    Scene scene(1);
    const Deadline deadline = Deadline::after(time);
    expect_eq("the put", puts(scene.queue, "item", deadline), "put");
    expect_eq("the get", gets(scene.queue, deadline), "item");
  }
}

TEST(BlockingQueue, SignalsDoNotEndTheWait) {
  lesson("Full and Empty");
  Scene empty(1);
  Scene full(1);
  puts(full.queue, "old");
  const Shared<std::atomic<int>> handled;
  did("sent three signals that have a handler to a child that gets, and put an item then");
  {
    const Waiters getter(1, [&] {
      count_sigusr1(*handled);
      return gets(empty.queue, Deadline::after(1h));
    });
    if (!getter.all_asleep() || !sleeps_on_after_signals(getter[0], *handled)) {
      return;
    }
    puts(empty.queue, "item");
    expect_eq("what the child got", getter[0].answer(), "item");
  }
  did("sent three signals that have a handler to a child that puts, and got an item then");
  const Waiters putter(1, [&] {
    count_sigusr1(*handled);
    return puts(full.queue, "new", Deadline::never());
  });
  if (!putter.all_asleep() || !sleeps_on_after_signals(putter[0], *handled)) {
    return;
  }
  gets(full.queue);
  expect_eq("what the child says", putter[0].answer(), "put");
}

TEST(BlockingQueue, StoppedWithTheLock) {
  lesson("Full and Empty");
  Scene scene(2);
  puts(scene.queue, "item");
  did("stopped a child (SIGSTOP) that holds the queue's lock");
  const Shared<std::atomic<bool>> there;
  const Asked holder(
      [&] {
        Lock lock(scene.state->lock);
        lock.acquire();
        *there = true;
        raise(SIGSTOP);
        lock.release();
        return "released";
      },
      4);
  becomes_true([&] { return bool{*there}; });
  for (const auto time : {0ms, 30ms}) {
    const auto says = [&](const std::function<std::string(Deadline)>& action) {
      return in_a_child([&action, time]() -> std::string {
        const auto start = std::chrono::steady_clock::now();
        const std::string result = action(Deadline::after(time));
        const bool soon = std::chrono::steady_clock::now() - start < 1s;
        return result + (soon ? ", soon" : ", late");
      });
    };
    const std::string words = " with a time limit of " + std::to_string(time.count()) + " ms";
    did("let another child get" + words);
    if (!expect_eq("what it says", says([&](Deadline end) { return gets(scene.queue, end); }),
                   "empty, soon")) {
      return;
    }
    did("let another child put" + words);
    if (!expect_eq("what it says",
                   says([&](Deadline end) { return puts(scene.queue, "more", end); }),
                   "full, soon")) {
      return;
    }
  }
  did("let the child go on, and got what is in");
  holder.kid().signal(SIGCONT);
  expect_eq("what it says", holder.answer(), "released");
  expect_eq("the items", in_a_child([&] { return drained(scene.queue); }), "item");
}

// ---- what goes wrong

TEST(BlockingQueue, ErrorsLeaveNothingBehind) {
  lesson("Who can go on");
  const auto broken = [](const std::function<std::string()>& action) {
    return in_a_child([&action] {
      Faults faults;
      faults.fail("futex", ENOSYS, 5);
      return errno_of([&action] { action(); });
    });
  };
  Scene scene(1);
  did("made futex(2) fail with ENOSYS for a child that gets from an empty queue");
  if (!expect_eq("what get_until() threw",
                 broken([&] { return gets(scene.queue, Deadline::after(1h)); }), "ENOSYS")) {
    return;
  }
  did("put and got after that");
  expect_quiet(scene.queue);
  puts(scene.queue, "old");
  did("made futex(2) fail with ENOSYS for a child that puts into a full queue");
  if (!expect_eq("what put_until() threw",
                 broken([&] { return puts(scene.queue, "new", Deadline::after(1h)); }), "ENOSYS")) {
    return;
  }
  did("put and got after that");
  expect_eq("what is in", drained(scene.queue), "old");
  expect_quiet(scene.queue);
}

/// Lets this process have a little more memory than it has now, and no more.
void no_more_memory() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t limit = pages * 4096 + (2UL << 20U);
  const rlimit limits{limit, limit};
  must(setrlimit(RLIMIT_AS, &limits), "setrlimit");
}

TEST(BlockingQueue, NoMemoryForTheItem) {
  lesson("One store");
  if (kAddressSanitizer) {
    GTEST_SKIP() << "the address sanitizer needs all the addresses there are";
  }
  constexpr std::size_t kSize = 8UL << 20U;
  BlockingQueue queue(2, kSize + 64);
  const auto rich = [&queue]() -> std::string {
    try {
      const auto item = queue.get_until(Deadline::never());
      return item && item->size() == kSize ? "the item" : "something else";
    } catch (const std::bad_alloc&) {
      return "bad_alloc";
    }
  };
  const auto poor = [&rich] {
    no_more_memory();
    return rich();
  };
  const std::string large(kSize, 'x');
  did("put an item of 8 MiB, and let a child get it that has no memory for it");
  expect_eq("the put", puts(queue, large), "put");
  expect_eq("what came of it", in_a_child(poor), "bad_alloc");
  expect_eq("size()", queue.size(), 1U);
  if (!expect_eq("what the next child got", in_a_child(rich), "the item")) {
    return;
  }
  lesson("Who can go on");
  did("let two children wait for an item, the first one without memory for it, and put it");
  const Waiters first(1, poor);
  const Waiters second(1, rich);
  if (first.all_asleep() && second.all_asleep()) {
    expect_eq("the put", puts(queue, large), "put");
    second.expect_all("what the second one got", "the item");
  }
}

TEST(BlockingQueue, KilledWhileItWaits) {
  lesson("Nobody sleeps with the lock");
  Scene scene(1);
  did("killed a child that waits for an item, beside another one, and put an item");
  {
    const auto all = getters(scene.queue, 2);
    if (!all.all_asleep()) {
      return;
    }
    all.kill(0);
    if (!expect_eq("the put", in_a_child([&] { return puts(scene.queue, "item"); }), "put")) {
      return;
    }
    expect_eq("what the other one got", all[1].answer(), "item");
  }
  did("killed a child that waits for a place, beside another one, and got an item");
  puts(scene.queue, "old");
  {
    const auto all = putters(scene.queue, 2);
    if (!all.all_asleep()) {
      return;
    }
    all.kill(0);
    if (!expect_eq("the get", in_a_child([&] { return gets(scene.queue); }), "old")) {
      return;
    }
    expect_eq("what the other one says", all[1].answer(), "put");
  }
  expect_eq("what is in", in_a_child([&] { return drained(scene.queue); }), "new");
}

// ---- several processes

TEST(BlockingQueue, ForkDoublesNothing) {
  lesson("A ring in memory");
  did("put two items, forked a child that gets one, puts one and ends, and got the rest");
  BlockingQueue queue(9, 1024);
  puts(queue, "one");
  puts(queue, "two");
  expect_eq("what the child got", in_a_child([&] {
              std::string item = gets(queue);
              puts(queue, "three");
              return item;
            }),
            "one");
  expect_eq("size()", queue.size(), 2U);
  expect_eq("the items", drained(queue), "two three");
  did("put an item in a child that is killed then");
  const Shared<std::atomic<bool>> is_in;
  const Asked child([&] {
    puts(queue, "four");
    *is_in = true;
    return waits_for_ever()() == 0 ? "ended" : "";
  });
  becomes_true([&] { return *is_in || !child.is_busy(); });
  child.kid().signal(SIGKILL);
  child.kid().wait_for_end();
  expect_eq("what is in", drained(queue), "four");
}

TEST(BlockingQueue, TwoAddresses) {
  lesson("A ring in memory");
  struct Memory {
    BlockingQueue::State state;
    std::array<std::byte, 64> bytes;
  };
  did("put into a queue that a child has at another address");
  const TwoViews<Memory> views;  // zeros, and no constructor has run
  BlockingQueue here(views.here().state, views.here().bytes, 2);
  expect_eq("the put", puts(here, "item"), "put");
  BlockingQueue there(views.there().state, views.there().bytes, 2);
  expect_eq("what the child got", in_a_child([&] { return gets(there); }), "item");
  did("let the child wait for an item there, and put one here");
  const auto getter = getters(there, 1);
  puts(here, "next");
  expect_eq("what the child got", getter[0].answer(), "next");
  did("let the child wait for a place there, and got an item here");
  puts(here, "one");
  puts(here, "two");
  const auto putter = putters(there, 1, "three");
  expect_eq("the item", gets(here), "one");
  expect_eq("what the child says", putter[0].answer(), "put");
  expect_eq("what is in", drained(here), "two three");
}

TEST(BlockingQueue, TwoAndTwo) {
  lesson("Nobody sleeps with the lock");
  constexpr int kItems = 1'500;
  did("let two children put 1,500 items each, and two children get them, with room for three");
  Scene scene(3, 128);
  const Shared<std::array<std::atomic<int>, 2 * kItems>> seen;
  std::vector<std::unique_ptr<Asked>> producers;
  std::vector<std::unique_ptr<Asked>> consumers;
  for (int p = 0; p < 2; ++p) {
    producers.push_back(std::make_unique<Asked>(
        [&, p]() -> std::string {
          for (int i = 0; i < kItems; ++i) {
            const std::string item = std::to_string(p * kItems + i);
            const std::string padding(static_cast<std::size_t>(i % 40), ' ');
            if (puts(scene.queue, item + padding, Deadline::after(3s)) != "put") {
              return "no room for 3 s";
            }
          }
          return "all put";
        },
        4));
    consumers.push_back(std::make_unique<Asked>(
        [&]() -> std::string {
          std::array<int, 2> last{-1, -1};
          for (;;) {
            const std::string item = gets(scene.queue, Deadline::after(3s));
            if (item == "end") {
              return "in order";
            }
            if (item == "empty") {
              return "no item for 3 s";
            }
            const int number = std::stoi(item);
            ++(*seen)[static_cast<std::size_t>(number)];
            int& before = last[static_cast<std::size_t>(number / kItems)];
            if (number <= before) {
              return "item " + item + " after item " + std::to_string(before);
            }
            before = number;
          }
        },
        4));
  }
  for (const auto& one : producers) {
    if (!expect_eq("what a child says that puts", one->answer(), "all put")) {
      return;
    }
  }
  for (int p = 0; p < 2; ++p) {
    in_a_child([&] { return puts(scene.queue, "end", Deadline::after(1s)); });
  }
  for (const auto& one : consumers) {
    expect_eq("what a child says that gets", one->answer(), "in order");
  }
  const auto times = [&](int n) {
    return std::count_if(seen->begin(), seen->end(), [n](const auto& count) { return count == n; });
  };
  expect_eq("how many items were got just once", times(1), 2L * kItems);
  expect_eq("size()", scene.queue.size(), 0U);
}

}  // namespace
}  // namespace mp::test
