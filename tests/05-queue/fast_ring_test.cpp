#include "05-queue/fast_ring.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/bytes.hpp"
#include "04-lock/waiters.hpp"
#include "05-queue/size_among.hpp"
#include "support/becomes.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"
#include "support/stepped.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();

Deadline passed() {
  return Deadline::after(0s);
}

/// So many bytes, which look different for each item.
std::string text(std::size_t size, std::size_t number = 0) {
  std::string bytes(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>('a' + (i * 7 + number * 11 + number / 26 + i / 26) % 26);
  }
  return bytes;
}

/// Text for a message: long ones are cut.
std::string shown(const std::string& text) {
  return text.size() <= 40
             ? words(text)
             : std::to_string(text.size()) + " bytes, " + words(text.substr(0, 16)) + " and so on";
}

/// What put_until() does, in words.
std::string puts(FastRing& ring, std::string_view item, Deadline deadline = passed()) {
  return ring.put_until(bytes_of(item), deadline) ? "put" : "full";
}

/// What get_until() gives, in words.
std::string gets(FastRing& ring, std::size_t item_size, Deadline deadline = passed()) {
  std::string item(item_size, '?');
  const bool got = ring.get_until(std::as_writable_bytes(std::span(item)), deadline);
  if (got) {
    return item;
  }
  return item == std::string(item_size, '?') ? "empty" : "empty, but the caller's bytes changed";
}

/// What a child says that does it. It is ended after 2 s: no hang of the queue hangs the test.
std::string in_a_child(const std::function<std::string()>& body) {
  return Asked(body).answer();
}

/// A stub says so at once.
void ask_whether_it_is_written() {
  alignas(8) std::array<std::byte, 64> memory{};
  FastRing::State state;
  FastRing ring(state, memory, 8);
  (void)puts(ring, "8 bytes ");
  (void)gets(ring, 8);
}

/// A queue in shared memory full of rubbish, with a margin on both sides.
class Scene {
 public:
  static constexpr std::size_t kMargin = 64;
  static constexpr std::size_t kMost = 1'000;
  static constexpr std::byte kRubbish{0xee};

  /// @param begin  so many items have gone by already. @param spare  bytes for no whole item.
  explicit Scene(std::size_t capacity, std::size_t item_size = 8, int spins = kSpins,
                 std::uint32_t begin = 0, std::size_t spare = 0)
      : item_size_(item_size),
        size_(capacity * item_size + spare),
        spins_(spins),
        ring((prepare(begin), handle())) {}

  [[nodiscard]] FastRing::State& state() const { return all_->state; }
  [[nodiscard]] std::span<std::byte> memory() const {
    return std::span(all_->bytes).subspan(kMargin, size_);
  }
  /// As another process makes it.
  [[nodiscard]] FastRing handle() const { return {state(), memory(), item_size_, spins_}; }

  /// Item i, as all of them are called here.
  [[nodiscard]] std::string item(std::size_t i) const { return text(item_size_, i); }
  std::string put(std::size_t i, Deadline deadline = passed()) {
    return puts(ring, item(i), deadline);
  }
  std::string get(Deadline deadline = passed()) { return gets(ring, item_size_, deadline); }

  /// Whether nobody has written outside of the memory.
  [[nodiscard]] bool margins_are_clean() const {
    const auto clean = [](std::span<const std::byte> bytes) {
      return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == kRubbish; });
    };
    const std::span<const std::byte> bytes(all_->bytes);
    return clean(bytes.first(kMargin)) && clean(bytes.subspan(kMargin + size_));
  }
  /// All that the processes share, and the same at another place.
  [[nodiscard]] std::string all_bytes() const {
    return {reinterpret_cast<const char*>(&*all_), sizeof(All)};
  }
  void becomes(const std::string& bytes) const {
    std::memcpy(static_cast<void*>(&*all_), bytes.data(), sizeof(All));
  }

 private:
  struct All {
    FastRing::State state;
    std::array<std::byte, kMost + 2 * kMargin> bytes;
  };
  void prepare(std::uint32_t begin) const {
    ask_whether_it_is_written();
    all_->bytes.fill(kRubbish);
    state().head = state().tail = Ring::Position{begin, 0};
  }

  Shared<All> all_;
  std::size_t item_size_;
  std::size_t size_;
  int spins_;

 public:
  FastRing ring;
};

/// Expects that the next one that comes is this one.
bool expect_got(Scene& scene, std::size_t i, const std::string& what = "the item") {
  const std::string seen = scene.get();
  return expect(seen == scene.item(i), what + " to be " + shown(scene.item(i)),
                seen == "empty" ? "nothing: get_until() is false" : shown(seen));
}

/// A child that gets an item and says it, and waits as long as it takes.
Waiters getter(FastRing& ring, std::size_t item_size = 8) {
  return {1, [&ring, item_size] { return gets(ring, item_size, Deadline::never()); }};
}
/// A child that puts an item.
Waiters putter(FastRing& ring, const std::string& item) {
  return {1, [&ring, item] { return puts(ring, item, Deadline::never()); }};
}

/// Expects that a child that waits does nothing else.
void expect_asleep(const Asked& child) {
  using Clock = std::chrono::steady_clock;
  const auto before = processor_time(child.pid());
  const long slept = sleeps_of(child.pid());
  const auto start = Clock::now();
  becomes_true([start] { return Clock::now() - start > 60ms; });
  const auto used = processor_time(child.pid()) - before;
  const long naps = sleeps_of(child.pid()) - slept;
  const auto time = Clock::now() - start;
  expect(used < time / 5, "next to no processor time: who waits sleeps",
         std::to_string(used / 1ms) + " ms of it in " + std::to_string(time / 1ms) + " ms");
  expect(naps <= 3, "one long sleep",
         std::to_string(naps) + " short ones in 60 ms, to look again and again");
}

/// Expects that a put and a get that nobody waits for call futex(2) no more.
void expect_quiet(Scene& scene) {
  Faults faults;
  for (std::size_t i = 0; i < 3; ++i) {
    expect_eq("a put into the empty queue", scene.put(i), "put");
    expect_got(scene, i);
  }
  expect_eq("how often futex(2) was called for them", faults.count("futex"), 0);
}

// ---- items

TEST(FastRing, FirstInFirstOut) {
  lesson("A ring in memory");
  did("put three items, and got them");
  Scene scene(5);
  for (std::uint32_t i = 1; i <= 3; ++i) {
    expect_eq("put_until()", scene.put(i, Deadline::never()), "put");
    expect_eq("size()", scene.ring.size(), i);
  }
  for (std::uint32_t i = 1; i <= 3; ++i) {
    expect_eq("the next item", scene.get(Deadline::never()), scene.item(i));
    expect_eq("size()", scene.ring.size(), 3 - i);
  }
}

TEST(FastRing, AsManyAsFit) {
  lesson("Full and Empty");
  for (const auto& [bytes, item_size, capacity] :
       {std::tuple(std::size_t{64}, std::size_t{64}, std::size_t{1}),
        {64, 33, 1},
        {64, 32, 2},
        {64, 21, 3},
        {63, 8, 7},
        {64, 8, 8},
        {65, 8, 8},
        {64, 1, 64},
        {3, 1, 3},
        {999, 111, 9}}) {
    did("put items of " + std::to_string(item_size) + " bytes into a queue of " +
        std::to_string(bytes) + ", until it was full, and got them");
    Scene scene(capacity, item_size, kSpins, 0, bytes - capacity * item_size);
    expect_eq("capacity()", std::size_t{scene.ring.capacity()}, capacity);
    for (std::size_t round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < capacity; ++i) {
        if (!expect_eq("put " + std::to_string(i + 1), scene.put(round + i), "put")) {
          return;
        }
      }
      if (!expect_eq("one put more", scene.put(99), "full") ||
          !expect_eq("size()", std::size_t{scene.ring.size()}, capacity)) {
        return;
      }
      for (std::size_t i = 0; i < capacity; ++i) {
        if (!expect_got(scene, round + i, "item " + std::to_string(i + 1))) {
          return;
        }
      }
      if (!expect_eq("one get more", scene.get(), "empty") ||
          !expect_eq("size()", scene.ring.size(), 0U)) {
        return;
      }
      // So that the next round begins at another place.
      (void)scene.put(7);
      (void)scene.get();
    }
    if (!expect(scene.margins_are_clean(), "nothing to be changed beside the memory",
                "bytes that were written outside of it")) {
      return;
    }
  }
}

TEST(FastRing, FullIsNotEmpty) {
  lesson("Full and Empty");
  for (const std::size_t capacity : {1U, 2U, 3U, 5U}) {
    did("filled a queue for " + std::to_string(capacity) +
        ", and got one item and put one, ten times");
    Scene scene(capacity);
    for (std::size_t i = 0; i < capacity; ++i) {
      (void)scene.put(i);
    }
    for (std::size_t i = 0; i < 10; ++i) {
      if (!expect_eq("a put into the full queue", scene.put(99), "full") || !expect_got(scene, i) ||
          !expect_eq("a put into the place of what was got", scene.put(i + capacity), "put")) {
        return;
      }
    }
  }
}

TEST(FastRing, WhatMakesNoQueue) {
  lesson("A ring in memory");
  static std::array<std::byte, 64> memory{};
  static FastRing::State state;
  const auto refused = [](const std::string& words, std::span<std::byte> bytes,
                          std::size_t item_size) {
    did("made a queue of " + words);
    expect_throw<ValueError>("ValueError", [&] { const FastRing ring(state, bytes, item_size); });
  };
  refused("items of 0 bytes", memory, 0);
  refused("items of 0 bytes, and no memory", {}, 0);
  refused("no memory", {}, 8);
  refused("7 bytes for items of 8", std::span(memory).first(7), 8);
  refused("64 bytes for items of 65", memory, 65);
  refused("64 bytes for items of 18,446,744,073,709,551,615", memory,
          std::numeric_limits<std::size_t>::max());
  for (const std::size_t items : {std::size_t{Ring::kMost} + 1, std::size_t{1} << 32U,
                                  (std::size_t{1} << 32U) + 1, std::size_t{1} << 40U}) {
    refused("memory for " + std::to_string(items) + " items", {memory.data(), items * 3}, 3);
  }
}

TEST(FastRing, MostThatItTakes) {
  lesson("A ring in memory");
  did("made a queue of memory for 2,147,483,647 items");
  ask_whether_it_is_written();
  static std::array<std::byte, 64> memory{};
  static FastRing::State state;
  FastRing ring(state, {memory.data(), std::size_t{Ring::kMost} * 3 + 2}, 3);  // not looked at
  expect_eq("capacity()", ring.capacity(), Ring::kMost);
  expect_eq("size()", ring.size(), 0U);
  expect_eq("a get", gets(ring, 3), "empty");
  expect_eq("a put", puts(ring, "one"), "put");
  expect_eq("a get", gets(ring, 3), "one");
}

TEST(FastRing, ItemOfAnotherSize) {
  lesson("A ring in memory");
  Scene scene(2);
  const auto refused = [&](const std::string& state) {
    for (const std::size_t size : {0U, 1U, 7U, 9U, 16U, 200U}) {
      did("put an item of " + std::to_string(size) +
          " bytes into a queue of items of 8, which is " + state + ", and got one");
      for (const bool putting : {true, false}) {
        const std::string said = in_a_child([&] {
          try {
            return putting ? puts(scene.ring, text(size), Deadline::never())
                           : gets(scene.ring, size, Deadline::never());
          } catch (const ValueError&) {
            return std::string("ValueError");
          }
        });
        if (!expect_eq(putting ? "what comes of the put" : "what comes of the get", said,
                       "ValueError")) {
          return false;
        }
      }
    }
    return true;
  };
  if (!refused("empty")) {
    return;
  }
  expect_eq("size()", scene.ring.size(), 0U);
  scene.put(1);
  if (!refused("neither full nor empty")) {
    return;
  }
  scene.put(2);
  if (!refused("full")) {
    return;
  }
  expect_eq("size()", scene.ring.size(), 2U);
  expect_got(scene, 1, "the first one in");
  expect_got(scene, 2, "the second one");
}

TEST(FastRing, NothingChanges) {
  lesson("Full and Empty");
  did("put into a full queue, with a deadline that has passed");
  Scene scene(3);
  for (std::size_t i = 1; i <= 3; ++i) {
    (void)scene.put(i);
  }
  for (std::size_t i = 1; i <= 4; ++i) {
    expect_eq("the put", scene.put(99), "full");
    expect_eq("size()", scene.ring.size(), 3U);
  }
  for (std::size_t i = 1; i <= 3; ++i) {
    expect_got(scene, i, "what is in");
  }
  did("got from an empty queue, with a deadline that has passed");
  for (std::size_t i = 1; i <= 4; ++i) {
    expect_eq("the get", scene.get(), "empty");
    expect_eq("size()", scene.ring.size(), 0U);
  }
  expect_eq("a put then", scene.put(4), "put");
  expect_got(scene, 4);
}

// ---- the numbers

TEST(FastRing, NumbersBeginAgain) {
  lesson("A bound needs counting");
  for (const std::size_t capacity : {1U, 2U, 3U, 5U, 7U}) {
    for (const std::uint32_t before : {1U, 2U, 3U, 6U}) {
      const std::uint32_t begin = kLast - before + 1;
      did("filled and emptied a queue for " + std::to_string(capacity) + " when " +
          std::to_string(begin) + " items had gone by: their number begins again at 0");
      Scene scene(capacity, 8, kSpins, begin);
      for (std::size_t round = 0; round < 4; ++round) {
        for (std::size_t i = 0; i < capacity; ++i) {
          if (!expect_eq("size()", std::size_t{scene.ring.size()}, i) ||
              !expect_eq("put " + std::to_string(i + 1), scene.put(round + i), "put")) {
            return;
          }
        }
        if (!expect_eq("size() then", std::size_t{scene.ring.size()}, capacity) ||
            !expect_eq("one put more", scene.put(99), "full")) {
          return;
        }
        for (std::size_t i = 0; i < capacity; ++i) {
          if (!expect_got(scene, round + i, "item " + std::to_string(i + 1))) {
            return;
          }
        }
        if (!expect_eq("one get more", scene.get(), "empty")) {
          return;
        }
      }
    }
  }
}

TEST(FastRing, SizeAmongManyChanges) {
  lesson("A bound needs counting");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("looked at size() of a queue with one item in, in a child that is stopped after each "
      "instruction; an item is put and another one got then");
  Scene scene(3);
  (void)scene.put(1);
  const auto changes = [&scene] {
    (void)scene.put(2);
    (void)scene.get();
  };
  expect_eq("size()", size_among([&scene] { return scene.ring.size(); }, changes), "1");
}

TEST(FastRing, NewHandle) {
  lesson("Two cache lines");
  for (const std::uint32_t begin : {0U, 5U, kLast - 3, kLast - 2, kLast - 1, kLast}) {
    for (std::size_t in = 0; in <= 3; ++in) {
      did("put " + std::to_string(in) + " items into a queue for three, when " +
          std::to_string(begin) + " had gone by, and went on with a new object");
      Scene scene(3, 8, kSpins, begin);
      for (std::size_t i = 0; i < in; ++i) {
        (void)scene.put(i);
      }
      FastRing get_with = scene.handle();
      FastRing put_with = scene.handle();
      std::size_t next = 0;
      if (!expect_eq("its size()", std::size_t{put_with.size()}, in) ||
          !expect_eq("a put", puts(put_with, scene.item(in)), in < 3 ? "put" : "full")) {
        return;
      }
      for (const std::size_t all = in < 3 ? in + 1 : 3; next < all; ++next) {
        if (!expect_eq("what a get gives", gets(get_with, 8), scene.item(next))) {
          return;
        }
      }
      if (!expect_eq("what a get from the empty queue gives", gets(get_with, 8), "empty") ||
          !expect_eq(
              "what yet another one gets",
              [&scene] {
                FastRing another = scene.handle();
                return gets(another, 8);
              }(),
              "empty")) {
        return;
      }
    }
  }
}

TEST(FastRing, AnotherGets) {
  lesson("Two cache lines");
  did("put three items and got one, let a child get two and put one, and got again");
  Scene scene(5);
  for (std::size_t i = 1; i <= 3; ++i) {
    (void)scene.put(i);
  }
  expect_got(scene, 1, "the first item");
  expect_eq("what the child got", in_a_child([&scene] {
              std::string items = scene.get() + " ";
              items += scene.get();
              return items;
            }),
            scene.item(2) + " " + scene.item(3));
  expect_eq("a get from the empty queue", scene.get(), "empty");
  expect_eq("what the child says that puts", in_a_child([&scene] { return scene.put(4); }), "put");
  expect_got(scene, 4, "the last item");
  expect_eq("one get more", scene.get(), "empty");
}

TEST(FastRing, AnotherPuts) {
  lesson("Two cache lines");
  did("put one item into a queue for three, let a child put two, and put again");
  Scene scene(3);
  (void)scene.put(1);
  expect_eq("what the child says", in_a_child([&scene] {
              const std::string first = scene.put(2);
              return first + " " + scene.put(3);
            }),
            "put put");
  expect_eq("a put into the full queue", scene.put(4), "full");
  expect_eq("size()", scene.ring.size(), 3U);
  did("let the child get two of them and put two others, and put again");
  expect_eq("what the child says", in_a_child([&scene] {
              std::string said = scene.get();
              said += " " + scene.get();
              said += " " + scene.put(4);
              return said + " " + scene.put(5);
            }),
            scene.item(1) + " " + scene.item(2) + " put put");
  expect_eq("a put into the full queue", scene.put(6), "full");
  for (std::size_t i = 3; i <= 5; ++i) {
    expect_got(scene, i, "what is in");
  }
}

// ---- waiting

TEST(FastRing, GetterWaits) {
  lesson("Say first, look then");
  for (const int spins : {0, kSpins}) {
    did("let a child get from an empty queue, with spins " + std::to_string(spins) +
        ", and put an item when it was asleep");
    Scene scene(2, 8, spins);
    for (std::size_t i = 1; i <= 3; ++i) {
      const Waiters child = getter(scene.ring);
      expect_eq("the put", scene.put(i, Deadline::never()), "put");
      if (!expect_eq("what the child got", child[0].answer(), scene.item(i))) {
        return;
      }
    }
    expect_eq("size()", scene.ring.size(), 0U);
    expect_quiet(scene);
  }
}

TEST(FastRing, NewHandleWhileOneSleeps) {
  lesson("A while awake, then asleep");
  did("let a child sleep in a get, and put an item with a new object");
  Scene scene(1, 8);
  {
    const Waiters child = getter(scene.ring);
    FastRing fresh = scene.handle();
    expect_eq("the put", puts(fresh, scene.item(1)), "put");
    if (!expect_eq("what the child got", child[0].answer(), scene.item(1))) {
      return;
    }
  }
  did("let a child sleep in a put, and got an item with a new object");
  (void)scene.put(2);
  const Waiters child = putter(scene.ring, scene.item(3));
  FastRing fresh = scene.handle();
  expect_eq("the get", gets(fresh, 8), scene.item(2));
  expect_eq("what the child says", child[0].answer(), "put");
}

TEST(FastRing, PutterWaits) {
  lesson("Say first, look then");
  for (const int spins : {0, kSpins}) {
    did("let a child put into a full queue, with spins " + std::to_string(spins) +
        ", and got an item when it was asleep");
    Scene scene(2, 8, spins);
    (void)scene.put(1);
    (void)scene.put(2);
    for (std::size_t i = 1; i <= 3; ++i) {
      const Waiters child = putter(scene.ring, scene.item(i + 2));
      expect_eq("the get", scene.get(Deadline::never()), scene.item(i));
      if (!expect_eq("what the child says", child[0].answer(), "put")) {
        return;
      }
    }
    expect_eq("size()", scene.ring.size(), 2U);
    expect_got(scene, 4, "the next item");
    expect_got(scene, 5, "the last item");
    expect_quiet(scene);
  }
}

TEST(FastRing, WaitingIsSleeping) {
  lesson("A while awake, then asleep");
  did("let a child get from an empty queue, and looked at its processor time for 60 ms");
  Scene scene(1);
  {
    const Waiters child = getter(scene.ring);
    expect_asleep(child[0]);
    (void)scene.put(1);
    expect_eq("what it got", child[0].answer(), scene.item(1));
  }
  did("let a child put into a full queue, and looked at its processor time for 60 ms");
  (void)scene.put(2);
  const Waiters child = putter(scene.ring, scene.item(3));
  expect_asleep(child[0]);
  (void)scene.get();
  expect_eq("what it says", child[0].answer(), "put");
}

TEST(FastRing, NoSystemCallWhenNobodyWaits) {
  lesson("A while awake, then asleep");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("filled and emptied a queue for seven a hundred times, and recorded the system calls");
  Scene scene(7);
  const std::string item = scene.item(1);
  std::array<std::byte, 8> to{};
  const Recording recording = record([&] {
    for (int round = 0; round < 100; ++round) {
      for (int i = 0; i < 7; ++i) {
        (void)scene.ring.put_until(bytes_of(item), Deadline::never());
      }
      (void)scene.ring.size();
      for (int i = 0; i < 7; ++i) {
        (void)scene.ring.get_until(to, Deadline::never());
      }
    }
  });
  expect_eq("how the recorded process ended", recording.exitcode, 0);
  expect(recording.calls.empty(), "none at all",
         std::to_string(recording.calls.size()) + " of them, which begin:\n" +
             recording.to_string().substr(0, 200));
}

TEST(FastRing, KilledWhileItWaits) {
  lesson("Killed in the middle");
  did("killed a child that waits for an item, put one, and got it");
  Scene scene(1);
  {
    const Waiters child = getter(scene.ring);
    child.kill(0);
  }
  expect_eq("what a child says that puts", in_a_child([&scene] { return scene.put(1); }), "put");
  did("killed a child that waits for room, got the item that was in, and put another one");
  {
    const Waiters child = putter(scene.ring, scene.item(9));
    child.kill(0);
  }
  expect_eq("what a child got", in_a_child([&scene] { return scene.get(); }), scene.item(1));
  expect_eq("size()", scene.ring.size(), 0U);
  did("let another child wait for an item, and put one");
  const Waiters child = getter(scene.ring);
  expect_eq("the put", scene.put(2), "put");
  expect_eq("what it got", child[0].answer(), scene.item(2));
}

// ---- the time

TEST(FastRing, PassedDeadlineIsEnough) {
  lesson("Full and Empty");
  for (const auto& [words, time] : {std::pair("zero", 0s), {"less than zero", -5s}}) {
    did(std::string("put and got with a time limit of ") + words + ", and nothing to wait for");
    Scene scene(1);
    const Deadline deadline = Deadline::after(time);
    for (std::size_t i = 1; i <= 3; ++i) {
      expect_eq("the put", scene.put(i, deadline), "put");
      // By another process, so that this one has not seen it yet.
      expect_eq("what a child got", in_a_child([&] { return scene.get(deadline); }), scene.item(i));
    }
  }
}

TEST(FastRing, GivesUpAtItsDeadline) {
  lesson("Full and Empty");
  const auto in_time = [](const std::string& what, Deadline deadline) {
    return what + (deadline.remaining() == 0ns ? ", in time" : ", too early");
  };
  did("let a child get from an empty queue, for 40 ms at most");
  Scene scene(1);
  if (!expect_eq("what it says", in_a_child([&] {
                   const auto deadline = Deadline::after(40ms);
                   return in_time(scene.get(deadline), deadline);
                 }),
                 "empty, in time")) {
    return;
  }
  did("put and got when the child had given up, and counted the calls of futex(2)");
  expect_quiet(scene);
  did("let a child put into a full queue, for 40 ms at most");
  (void)scene.put(1);
  if (!expect_eq("what it says", in_a_child([&] {
                   const auto deadline = Deadline::after(40ms);
                   return in_time(scene.put(2, deadline), deadline);
                 }),
                 "full, in time")) {
    return;
  }
  did("got and put when the child had given up, and counted the calls of futex(2)");
  expect_eq("size()", scene.ring.size(), 1U);
  {
    const Faults faults;
    expect_got(scene, 1);
    expect_eq("how often futex(2) was called for the get", faults.count("futex"), 0);
  }
  expect_quiet(scene);
}

TEST(FastRing, DeadlineWhileAwake) {
  lesson("A while awake, then asleep");
  did("let a child get from an empty queue for 40 ms at most, that looks 2,147,483,647 times "
      "before it sleeps");
  Scene scene(1, 8, std::numeric_limits<int>::max());
  if (!expect_eq("what it says", in_a_child([&] { return scene.get(Deadline::after(40ms)); }),
                 "empty")) {
    return;
  }
  (void)scene.put(1);
  did("let a child put into a full queue in the same way");
  expect_eq("what it says", in_a_child([&] { return scene.put(2, Deadline::after(40ms)); }),
            "full");
}

TEST(FastRing, InTheLastMoment) {
  lesson("Full and Empty");
  const auto waits = [](const Call& call) {
    const long command = call.args[1] & FUTEX_CMD_MASK;
    return command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
  };
  did("put an item just before the time of a get has passed, in the kernel");
  Scene scene(1, 8, 0);
  FastRing other = scene.handle();
  expect_eq("what comes of the get", in_a_child([&] {
              Faults faults;
              bool is_in = false;
              faults.before("futex", [&](const Call& call) {
                if (waits(call) && !is_in) {
                  is_in = true;
                  (void)puts(other, scene.item(1));
                }
              });
              faults.fail("futex", ETIMEDOUT);
              return scene.get(Deadline::after(1h));
            }),
            scene.item(1));
  did("got an item just before the time of a put has passed, in the kernel");
  Scene full(1, 8, 0);
  FastRing another = full.handle();
  (void)full.put(1);
  expect_eq("what comes of the put", in_a_child([&] {
              Faults faults;
              bool is_out = false;
              faults.before("futex", [&](const Call& call) {
                if (waits(call) && !is_out) {
                  is_out = true;
                  (void)gets(another, 8);
                }
              });
              faults.fail("futex", ETIMEDOUT);
              return full.put(2, Deadline::after(1h));
            }),
            "put");
}

TEST(FastRing, SignalsDoNotEndTheWait) {
  lesson("Full and Empty");
  const Shared<std::atomic<int>> handled;
  Scene scene(1);
  did("sent three signals that have a handler to a child that gets, and put an item then");
  {
    const Waiters child(1, [&] {
      count_sigusr1(*handled);
      return scene.get(Deadline::after(1h));
    });
    if (!child.all_asleep() || !sleeps_on_after_signals(child[0], *handled)) {
      return;
    }
    (void)scene.put(1);
    expect_eq("what the child got", child[0].answer(), scene.item(1));
  }
  did("sent three signals that have a handler to a child that puts, and got an item then");
  (void)scene.put(2);
  const Waiters child(1, [&] {
    count_sigusr1(*handled);
    return scene.put(3, Deadline::never());
  });
  if (!child.all_asleep() || !sleeps_on_after_signals(child[0], *handled)) {
    return;
  }
  (void)scene.get();
  expect_eq("what the child says", child[0].answer(), "put");
}

TEST(FastRing, ErrorsAreThrown) {
  lesson("A while awake, then asleep");
  for (const int error : {ENOSYS, EFAULT}) {
    const std::string name = strerrorname_np(error);
    did("made futex(2) fail with " + name + " for one that waits for an item");
    Scene scene(1);
    const auto thrown = [error](const std::function<void()>& action) {
      return in_a_child([error, &action] {
        Faults faults;
        faults.fail("futex", error, 5);
        return errno_of(action);
      });
    };
    expect_eq("what get_until() threw", thrown([&] { (void)scene.get(Deadline::never()); }), name);
    did("made futex(2) fail with " + name + " for one that waits for room, an hour at most");
    (void)scene.put(1);
    expect_eq("what put_until() threw", thrown([&] { (void)scene.put(2, Deadline::after(1h)); }),
              name);
    expect_eq("size()", scene.ring.size(), 1U);
    expect_got(scene, 1, "what is in");
  }
}

// ---- several processes

TEST(FastRing, TwoAddresses) {
  lesson("A ring in memory");
  struct Both {
    FastRing::State state;
    std::array<std::byte, 16> memory;
  };
  ask_whether_it_is_written();
  did("put into a queue that a child has at another address");
  const TwoViews<Both> views;  // zeros, and no constructor has run
  FastRing here(views.here().state, views.here().memory, 8);
  FastRing there(views.there().state, views.there().memory, 8);
  expect_eq("the put", puts(here, "1st item"), "put");
  const auto gets_there = [&] {
    // The first view is gone here: other memory is at its place.
    must(::mmap(&views.here(), sizeof(Both), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
             ? -1
             : 0,
         "mmap");
    return gets(there, 8, Deadline::never());
  };
  expect_eq("what the child got", in_a_child(gets_there), "1st item");
  did("let the child wait for an item there, and put one here");
  const Waiters getter(1, gets_there);
  (void)puts(here, "2nd item");
  expect_eq("what it got", getter[0].answer(), "2nd item");
  did("let the child wait for room there, and got an item here");
  (void)puts(here, "3rd item");
  (void)puts(here, "4th item");
  const Waiters child = putter(there, "5th item");
  expect_eq("the item", gets(here, 8), "3rd item");
  expect_eq("what the child says", child[0].answer(), "put");
  expect_eq("the next item", gets(here, 8), "4th item");
  expect_eq("the last item", gets(here, 8), "5th item");
}

/// How far a random run goes, and what is different from a std::deque, if anything.
std::string runs_like_a_deque(std::size_t capacity, std::size_t item_size, unsigned seed) {
  Scene scene(capacity, item_size, 0, seed % 2 == 0 ? kLast - 60 : 0, seed % item_size);
  std::array<FastRing, 3> rings{scene.ring, scene.handle(), scene.handle()};
  std::deque<std::string> model;
  std::minstd_rand random(seed);  // NOLINT: the same each time
  for (std::size_t step = 0; step < 400; ++step) {
    const std::string where =
        "step " + std::to_string(step) + " with " + std::to_string(model.size()) + " items in: ";
    // Now and then it is filled, and now and then it is emptied.
    const bool putting = random() % 100 < (step / 40 % 2 == 0 ? 70U : 30U);
    FastRing& ring = rings.at(random() % rings.size());
    if (putting) {
      const std::string item = text(item_size, step);
      const std::string right = model.size() < capacity ? "put" : "full";
      if (puts(ring, item) != right) {
        return where +
               (right == "put" ? "a put finds no room" : "a put into the full queue is true");
      }
      if (right == "put") {
        model.push_back(item);
      }
    } else {
      const std::string right = model.empty() ? "empty" : model.front();
      if (const std::string got = gets(ring, item_size); got != right) {
        return where + "a get gives " + shown(got) + ", and not " + shown(right);
      }
      if (!model.empty()) {
        model.pop_front();
      }
    }
    if (ring.size() != model.size()) {
      return where + "size() is " + std::to_string(ring.size()) + " then";
    }
    if (!scene.margins_are_clean()) {
      return where + "it writes outside of its memory";
    }
  }
  return "no difference";
}

TEST(FastRing, LikeADeque) {
  lesson("A ring in memory");
  for (const std::size_t capacity : {1U, 2U, 3U, 8U, 13U}) {
    for (const std::size_t item_size : {1U, 3U, 8U, 50U}) {
      for (const unsigned seed : {1U, 2U, 3U}) {
        did("put and got at random, with three objects, in a queue for " +
            std::to_string(capacity) + " items of " + std::to_string(item_size) + " bytes (seed " +
            std::to_string(seed) + "), and compared it with a std::deque");
        if (!expect_eq("what is different", runs_like_a_deque(capacity, item_size, seed),
                       "no difference")) {
          return;
        }
      }
    }
  }
}

// ---- at the same time

/// The processors that this process may use, two at most.
std::vector<int> processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  must(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
  std::vector<int> all;
  for (int cpu = 0; cpu < CPU_SETSIZE && all.size() < 2; ++cpu) {
    if (CPU_ISSET(cpu, &set)) {
      all.push_back(cpu);
    }
  }
  return all;
}

void stay_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  must(sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

/// One puts for some time, and one gets, each on its processor. @return whether all was right.
bool one_and_one(std::size_t capacity, int spins, int putter_on, int getter_on) {
  constexpr std::size_t kSize = 24;
  const std::string end(kSize, '.');
  Scene scene(capacity, kSize, spins, kLast - 50);
  const Asked putter(
      [&]() -> std::string {
        stay_on(putter_on);
        const auto stop = std::chrono::steady_clock::now() + 80ms;
        for (std::size_t i = 0; std::chrono::steady_clock::now() < stop; ++i) {
          if (puts(scene.ring, text(kSize, i), Deadline::after(2s)) != "put") {
            return "no room for item " + std::to_string(i) + " for 2 s";
          }
        }
        return puts(scene.ring, end, Deadline::after(2s)) == "put" ? "all are in"
                                                                   : "no room for the end for 2 s";
      },
      4);
  const Asked getter(
      [&]() -> std::string {
        stay_on(getter_on);
        for (std::size_t i = 0;; ++i) {
          const std::string item = gets(scene.ring, kSize, Deadline::after(2s));
          if (item == end) {
            return "each was right";
          }
          if (item != text(kSize, i)) {
            return item == "empty" ? "no item " + std::to_string(i) + " for 2 s"
                                   : "item " + std::to_string(i) + " is " + shown(item);
          }
        }
      },
      4);
  // Both are asked, so that both are at their end.
  const std::string puts_say = putter.answer();
  return expect_eq("what the one that gets says", getter.answer(), "each was right") &&
         expect_eq("what the one that puts says", puts_say, "all are in");
}

TEST(FastRing, OneAndOneOnTwoProcessors) {
  lesson("A while awake, then asleep");
  const std::vector<int> all = processors();
  if (all.size() < 2) {
    GTEST_SKIP() << "there is one processor only";
  }
  for (const std::size_t capacity : {1U, 2U}) {
    for (const int spins : {0, kSpins}) {
      did("let one child put items and another one get them, on two processors, with room for " +
          std::to_string(capacity) + " and spins " + std::to_string(spins));
      if (!one_and_one(capacity, spins, all[0], all[1])) {
        return;
      }
    }
  }
}

TEST(FastRing, OneAndOneOnOneProcessor) {
  lesson("A while awake, then asleep");
  const int processor = processors().front();
  for (const int spins : {0, kSpins}) {
    did("let one child put items and another one get them, on one processor, with room for two "
        "and spins " +
        std::to_string(spins));
    if (!one_and_one(2, spins, processor, processor)) {
      return;
    }
  }
}

// ---- killed

/// Stops a child after each instruction of `action`, with two items in, and looks at a copy of what
/// all share: if it were killed there, that is what would be left.
void kill_at_each_instruction(const std::function<void(FastRing&)>& action,
                              const std::vector<std::string>& right) {
  constexpr std::size_t kSize = 6;
  Scene scene(4, kSize);
  const Scene left(4, kSize);
  for (const char* item : {"first ", "gone  ", "gone  ", "first ", "second"}) {
    (void)puts(scene.ring, item);
    if (scene.ring.size() > 2) {
      (void)gets(scene.ring, kSize);
    }
  }
  Stepped child([] {}, [&] { action(scene.ring); });
  const auto enough = std::chrono::steady_clock::now() + 2s;
  std::string last;
  for (int count = 0; std::chrono::steady_clock::now() < enough; ++count) {
    if (std::string now = scene.all_bytes(); now != last) {
      last = std::move(now);
      left.becomes(last);
      const std::string after = in_a_child([&left] {
        FastRing ring = left.handle();
        std::string all = puts(ring, "next  ") == "put" ? "" : "no room, ";
        all += std::to_string(ring.size()) + " in:";
        for (int i = 0; i < 5; ++i) {
          const std::string item = gets(ring, kSize);
          if (item == "empty") {
            break;
          }
          all += " " + item;
        }
        return all;
      });
      if (!expect(std::find(right.begin(), right.end(), after) != right.end(),
                  words(right.front()) + ", or " + words(right.back()),
                  words(after) + ", after a death at instruction " + std::to_string(count))) {
        break;
      }
    }
    if (!child.step(1)) {
      break;
    }
  }
}

TEST(FastRing, KilledAtEachInstructionOfPut) {
  lesson("Killed in the middle");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("stopped a child after each instruction of put_until(), with two items in, looked at what "
      "would be left if it were killed there, and let another child go on");
  kill_at_each_instruction([](FastRing& ring) { (void)puts(ring, "last  "); },
                           {"3 in: first  second next  ", "4 in: first  second last   next  "});
}

TEST(FastRing, KilledAtEachInstructionOfGet) {
  lesson("Killed in the middle");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("stopped a child after each instruction of get_until(), with two items in, looked at what "
      "would be left if it were killed there, and let another child go on");
  kill_at_each_instruction([](FastRing& ring) { (void)gets(ring, 6); },
                           {"3 in: first  second next  ", "2 in: second next  "});
}

}  // namespace
}  // namespace mp::test
