#include "05-queue/ring.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/bytes.hpp"
#include "04-lock/asked.hpp"
#include "05-queue/size_among.hpp"
#include "support/child.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"
#include "support/sanitizer.hpp"
#include "support/stepped.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kUnit = Ring::kUnit;
constexpr std::size_t kMargin = 64;

/// A ring in shared memory full of rubbish, with a margin on both sides.
class Scene {
 public:
  static constexpr std::size_t kMostUnits = 256;
  static constexpr std::byte kRubbish{0xee};

  explicit Scene(std::size_t units, std::uint32_t most = Ring::kMost)
      : size_(units * kUnit), ring((all_->bytes.fill(kRubbish), all_->state), memory(), most) {}

  [[nodiscard]] Ring::State& state() const { return all_->state; }
  [[nodiscard]] std::span<std::byte> memory() const {
    return std::span(all_->bytes).subspan(kMargin, size_);
  }
  /// Whether nobody has written outside of the memory.
  [[nodiscard]] bool margins_are_clean() const {
    const auto clean = [](std::span<const std::byte> bytes) {
      return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == kRubbish; });
    };
    const std::span<const std::byte> bytes(all_->bytes);
    return clean(bytes.first(kMargin)) && clean(bytes.subspan(kMargin + size_));
  }
  /// Pretends that so many more records have gone by. Only for an empty ring.
  void let_pass(std::uint32_t records) const {
    const Ring::Position at = state().tail;
    set_all({at.records + records, at.unit});
  }
  /// An empty ring again, as in the beginning.
  void clear() const { set_all({0, 0}); }
  /// All that the processes share, and the same at another place.
  [[nodiscard]] std::string all_bytes() const {
    return {reinterpret_cast<const char*>(&*all_), sizeof(All)};
  }
  void becomes(const std::string& bytes) const {
    std::memcpy(static_cast<void*>(&*all_), bytes.data(), sizeof(All));
  }

 private:
  struct All {
    Ring::State state;
    alignas(kUnit) std::array<std::byte, kMostUnits * kUnit + 2 * kMargin> bytes;
  };
  void set_all(Ring::Position at) const {
    state().head = state().seen_tail = state().tail = state().seen_head = at;
  }

  Shared<All> all_;
  std::size_t size_;

 public:
  Ring ring;
};

/// So many bytes, which look different for each record.
std::string text(std::size_t size, std::size_t number = 0) {
  std::string bytes(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<char>('a' + (i * 7 + number * 11 + i / 26) % 26);
  }
  return bytes;
}

/// Text for a message: long ones are cut.
std::string shown(const std::string& text) {
  return text.size() <= 24
             ? words(text)
             : std::to_string(text.size()) + " bytes, " + words(text.substr(0, 16)) + " and so on";
}

/// What try_pop() returns, in words that compare.
std::string popped(Ring& ring) {
  const std::optional<Bytes> record = ring.try_pop();
  return record ? std::string(text_of(*record)) : "(none)";
}

bool pushed(Ring& ring, const std::string& record) {
  return ring.try_push(bytes_of(record));
}

/// Expects that try_pop() returns this record.
bool expect_popped(Ring& ring, const std::string& record, const std::string& what) {
  const std::string seen = popped(ring);
  return expect(seen == record, what + " to be " + shown(record),
                seen == "(none)" ? "nothing: the ring says that it is empty" : shown(seen));
}

/// The place where the next record begins, moved on from the start of the memory of an empty ring.
void go_to(Scene& scene, std::size_t unit) {
  for (std::size_t i = 0; i < unit; ++i) {
    (void)pushed(scene.ring, "");
    (void)scene.ring.try_pop();
  }
}

std::string bytes_in_words(std::size_t size) {
  return size == 1 ? "1 byte" : std::to_string(size) + " bytes";
}

// ---- records

TEST(Ring, FirstInFirstOut) {
  lesson("A ring in memory");
  did("pushed three records of different lengths, and popped them");
  Scene scene(64);
  for (const char* record : {"one", "a second record, which is longer", "3"}) {
    expect_eq("try_push()", pushed(scene.ring, record), true);
  }
  expect_popped(scene.ring, "one", "the first one");
  expect_popped(scene.ring, "a second record, which is longer", "the second one");
  expect_popped(scene.ring, "3", "the third one");
  expect_eq("try_pop() then", popped(scene.ring), "(none)");
}

TEST(Ring, EmptyInTheBeginning) {
  lesson("A ring in memory");
  did("looked at a new ring: all zeros, and rubbish where the records are to be");
  Scene scene(8, 5);
  expect_eq("try_pop()", popped(scene.ring), "(none)");
  expect_eq("size()", scene.ring.size(), 0U);
  expect_eq("most()", scene.ring.most(), 5U);
  expect_eq("pushed()", scene.ring.pushed(), 0U);
  expect_eq("has_room() for 56 bytes", scene.ring.has_room(56), true);
}

TEST(Ring, RecordOfNoBytes) {
  lesson("A ring in memory");
  did("pushed a record of 0 bytes, one of 1 byte, and another one of 0 bytes");
  Scene scene(8);
  for (const char* record : {"", "x", ""}) {
    expect_eq("try_push()", pushed(scene.ring, record), true);
  }
  expect_eq("size()", scene.ring.size(), 3U);
  for (const char* record : {"", "x", ""}) {
    expect_eq("try_pop()", popped(scene.ring), record);
  }
  expect_eq("try_pop() then", popped(scene.ring), "(none)");
  did("pushed no bytes from nowhere: a span whose pointer is null");
  expect_eq("try_push()", scene.ring.try_push({}), true);
  expect_eq("try_pop()", popped(scene.ring), "");
}

TEST(Ring, GoesOnAtTheBeginning) {
  lesson("A ring in memory");
  constexpr std::size_t kUnits = 8;
  for (std::size_t unit = 0; unit < kUnits; ++unit) {
    for (std::size_t size = 0; size <= 40; ++size) {
      did("pushed a record of " + bytes_in_words(size) + " at unit " + std::to_string(unit) +
          " of " + std::to_string(kUnits));
      Scene scene(kUnits);
      go_to(scene, unit);
      const std::string record = text(size);
      if (!expect_eq("try_push()", pushed(scene.ring, record), true) ||
          !expect_eq("try_push() of one more, of no bytes", pushed(scene.ring, ""), true) ||
          !expect_popped(scene.ring, record, "what comes out") ||
          !expect_popped(scene.ring, "", "the next one")) {
        return;
      }
    }
  }
}

TEST(Ring, InsideItsMemory) {
  lesson("A ring in memory");
  constexpr std::size_t kUnits = 5;
  for (std::size_t unit = 0; unit < kUnits; ++unit) {
    for (std::size_t size = 0; size <= 32; ++size) {
      did("pushed and popped a record of " + bytes_in_words(size) + " at unit " +
          std::to_string(unit) + " of " + std::to_string(kUnits) +
          ", and looked at what is beside the ring's memory");
      Scene scene(kUnits);
      go_to(scene, unit);
      (void)pushed(scene.ring, text(size));
      (void)scene.ring.try_pop();
      if (!expect(scene.margins_are_clean(), "nothing to be changed there",
                  "bytes that were written outside of the memory")) {
        return;
      }
    }
  }
}

// ---- full and empty

TEST(Ring, UsableToItsLastByte) {
  lesson("A ring in memory");
  constexpr std::size_t kUnits = 8;
  for (std::size_t unit = 0; unit < kUnits; ++unit) {
    for (std::size_t first = 1; first < kUnits; ++first) {
      did("filled a ring of 64 bytes with two records that take " + std::to_string(8 * first) +
          " and " + std::to_string(8 * (kUnits - first)) + " bytes, from byte " +
          std::to_string(8 * unit) + " on");
      Scene scene(kUnits);
      go_to(scene, unit);
      const std::string one = text(8 * (first - 1), 1);
      const std::string other = text(8 * (kUnits - first - 1), 2);
      if (!expect_eq("try_push() of the first one", pushed(scene.ring, one), true) ||
          !expect_eq("has_room() for the second one", scene.ring.has_room(other.size()), true) ||
          !expect_eq("try_push() of the second one", pushed(scene.ring, other), true) ||
          !expect_eq("size()", scene.ring.size(), 2U) ||
          !expect_eq("has_room(0)", scene.ring.has_room(0), false) ||
          !expect_eq("try_push() of a third one, of no bytes", pushed(scene.ring, ""), false) ||
          !expect_popped(scene.ring, one, "the first one") ||
          !expect_popped(scene.ring, other, "the second one") ||
          !expect_eq("size() then", scene.ring.size(), 0U)) {
        return;
      }
    }
  }
}

TEST(Ring, OneRecordAsLargeAsTheRing) {
  lesson("A ring in memory");
  for (const std::size_t units : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    for (std::size_t unit = 0; unit < units; ++unit) {
      did("pushed a record of " + bytes_in_words(8 * (units - 1)) + " into a ring of " +
          bytes_in_words(8 * units) + " that is empty, at byte " + std::to_string(8 * unit));
      Scene scene(units);
      go_to(scene, unit);
      const std::string record = text(8 * (units - 1));
      if (!expect_eq("has_room()", scene.ring.has_room(record.size()), true) ||
          !expect_eq("try_push()", pushed(scene.ring, record), true) ||
          !expect_eq("size()", scene.ring.size(), 1U) ||
          !expect_eq("try_push() of one more, of no bytes", pushed(scene.ring, ""), false) ||
          !expect_popped(scene.ring, record, "what comes out") ||
          !expect_eq("try_pop() then", popped(scene.ring), "(none)")) {
        return;
      }
    }
  }
}

TEST(Ring, FullIsNotEmpty) {
  lesson("A ring in memory");
  did("filled a ring with four records, popped one, and filled it again, ten times");
  Scene scene(4);
  for (std::size_t i = 0; i < 4; ++i) {
    expect_eq("try_push() into the empty ring", pushed(scene.ring, ""), true);
  }
  for (int round = 0; round < 10; ++round) {
    if (!expect_eq("try_push() into the full ring", pushed(scene.ring, ""), false) ||
        !expect_eq("size() of the full ring", scene.ring.size(), 4U) ||
        !expect_eq("has_room(0) in the full ring", scene.ring.has_room(0), false) ||
        !expect_eq("try_pop() from the full ring", popped(scene.ring), "") ||
        !expect_eq("size() without the one", scene.ring.size(), 3U) ||
        !expect_eq("has_room(0) without the one", scene.ring.has_room(0), true) ||
        !expect_eq("has_room(1) without the one", scene.ring.has_room(1), false) ||
        !expect_eq("try_push() into its place", pushed(scene.ring, ""), true)) {
      return;
    }
  }
}

TEST(Ring, RefusedPushChangesNothing) {
  lesson("A ring in memory");
  for (const std::size_t unit : {0U, 3U, 6U}) {
    did("filled a ring but for 8 bytes, and pushed records that are too long, from unit " +
        std::to_string(unit) + " of 8 on");
    Scene scene(8);
    go_to(scene, unit);
    const std::uint32_t before = scene.ring.pushed();
    const std::string one = text(16, 1);
    const std::string other = text(20, 2);
    expect_eq("try_push() of 16 bytes", pushed(scene.ring, one), true);
    expect_eq("try_push() of 20 bytes", pushed(scene.ring, other), true);
    for (const std::size_t size : {1U, 8U, 17U, 56U}) {
      expect_eq("try_push() of " + bytes_in_words(size), pushed(scene.ring, text(size, 3)), false);
    }
    expect_eq("try_push() of no bytes", pushed(scene.ring, ""), true);
    expect_eq("try_push() of no bytes, once more", pushed(scene.ring, ""), false);
    expect_eq("size()", scene.ring.size(), 3U);
    expect_eq("pushed(), and so how many more it is", scene.ring.pushed() - before, 3U);
    if (!expect_popped(scene.ring, one, "the first record") ||
        !expect_popped(scene.ring, other, "the second record") ||
        !expect_popped(scene.ring, "", "the third record") ||
        !expect_eq("try_pop() then", popped(scene.ring), "(none)")) {
      return;
    }
  }
}

TEST(Ring, NoMoreRecordsThanTheMost) {
  lesson("A bound needs counting");
  did("pushed three records into a ring for at most two, which has memory for more");
  Scene scene(64, 2);
  expect_eq("most()", scene.ring.most(), 2U);
  expect_eq("the first try_push()", pushed(scene.ring, "one"), true);
  expect_eq("has_room(3) with one in", scene.ring.has_room(3), true);
  expect_eq("the second try_push()", pushed(scene.ring, "two"), true);
  expect_eq("has_room(3) with two in", scene.ring.has_room(3), false);
  expect_eq("the third try_push()", pushed(scene.ring, "three"), false);
  expect_eq("size()", scene.ring.size(), 2U);
  did("popped one of two, and pushed another one");
  expect_popped(scene.ring, "one", "what comes out");
  expect_eq("has_room(3)", scene.ring.has_room(3), true);
  expect_eq("try_push()", pushed(scene.ring, "three"), true);
  expect_eq("size()", scene.ring.size(), 2U);
  expect_popped(scene.ring, "two", "the next one");
  expect_popped(scene.ring, "three", "the last one");
}

TEST(Ring, CountsWhatWasPushed) {
  lesson("A bound needs counting");
  did("pushed and popped, and looked at size() and pushed() after each step");
  Scene scene(16);
  std::string counts;
  const auto look = [&] {
    counts += std::to_string(scene.ring.size()) + "/" + std::to_string(scene.ring.pushed()) + " ";
  };
  look();
  for (const char step : std::string("++-+--+-")) {
    if (step == '+') {
      (void)pushed(scene.ring, "record");
    } else {
      (void)scene.ring.try_pop();
    }
    look();
  }
  expect_eq("size()/pushed() at push, push, pop, push, pop, pop, push, pop", counts,
            "0/0 1/1 2/2 1/2 2/3 1/3 0/3 1/4 0/4 ");
}

TEST(Ring, CountersBeginAgain) {
  lesson("A bound needs counting");
  for (const std::uint32_t most : {3U, Ring::kMost}) {
    did("let 4,294,967,293 records go by, and then pushed and popped some more, at most " +
        std::to_string(most) + " at a time: the number of records begins again at 0");
    Scene scene(16, most);
    (void)pushed(scene.ring, "stub");
    (void)scene.ring.try_pop();
    scene.let_pass(std::numeric_limits<std::uint32_t>::max() - 3);
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t before = scene.ring.pushed();
      for (std::size_t j = 0; j < 3; ++j) {
        if (!expect_eq("has_room(4)", scene.ring.has_room(4), true) ||
            !expect_eq("try_push()", pushed(scene.ring, text(4, i + j)), true) ||
            !expect_eq("size()", scene.ring.size(), static_cast<std::uint32_t>(j + 1))) {
          return;
        }
      }
      if (!expect_eq("how much larger pushed() is, modulo 2 to the 32",
                     scene.ring.pushed() - before, 3U) ||
          !expect_eq("has_room(4) with three in", scene.ring.has_room(4), most > 3)) {
        return;
      }
      for (std::size_t j = 0; j < 3; ++j) {
        if (!expect_popped(scene.ring, text(4, i + j), "what comes out")) {
          return;
        }
      }
      if (!expect_eq("try_pop() of the empty ring", popped(scene.ring), "(none)")) {
        return;
      }
    }
  }
}

// ---- sizes

TEST(Ring, TooLargeForEver) {
  lesson("Too large for ever");
  did("asked a ring of 64 bytes whether it takes 56 bytes, and 57 and more");
  Scene scene(8);
  expect_eq("try_push() of 56 bytes", pushed(scene.ring, text(56)), true);
  scene.ring.check_fits(56);  // full or not: it is about the empty ring
  scene.ring.check_fits(0);
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  constexpr std::size_t kHalf = std::size_t{1} << 63U;
  for (const std::size_t size :
       {std::size_t{57}, std::size_t{64}, std::size_t{65}, std::size_t{1} << 32U, kHalf, kMax - 16,
        kMax - 15, kMax - 14, kMax - 8, kMax - 7, kMax - 6, kMax - 1, kMax}) {
    did("asked check_fits() of a ring of 64 bytes for " + std::to_string(size));
    expect_throw<ValueError>("ValueError", [&] { scene.ring.check_fits(size); });
  }
  const std::string record = text(57);
  did("pushed 57 bytes into a full ring of 64");
  expect_throw<ValueError>("ValueError", [&] { (void)pushed(scene.ring, record); });
  expect_popped(scene.ring, text(56), "what is in");
  did("pushed 57 bytes into an empty ring of 64");
  expect_throw<ValueError>("ValueError", [&] { (void)pushed(scene.ring, record); });
  expect_eq("size()", scene.ring.size(), 0U);
  did("pushed 18,446,744,073,709,551,615 bytes into an empty ring of 64");
  expect_throw<ValueError>("ValueError", [&] {
    (void)scene.ring.try_push({reinterpret_cast<const std::byte*>(record.data()), kMax});
  });
  did("pushed 4,294,967,304 bytes into an empty ring of 64");
  expect_throw<ValueError>("ValueError", [&] {
    constexpr std::size_t kMuch = (std::size_t{1} << 32U) + 8;
    (void)scene.ring.try_push({reinterpret_cast<const std::byte*>(record.data()), kMuch});
  });
  expect_eq("size()", scene.ring.size(), 0U);
  expect_eq("try_push() of 56 bytes then", pushed(scene.ring, text(56)), true);
}

TEST(Ring, NoRoomForWhatNeverFits) {
  lesson("Too large for ever");
  Scene scene(8);
  expect_eq("has_room(56)", scene.ring.has_room(56), true);
  constexpr std::size_t kMax = std::numeric_limits<std::size_t>::max();
  for (const std::size_t size : {std::size_t{57}, std::size_t{65}, kMax - 15, kMax - 8, kMax - 7,
                                 kMax - 6, kMax - 1, kMax}) {
    did("asked an empty ring of 64 bytes whether it has room for " + std::to_string(size));
    expect_eq("has_room()", scene.ring.has_room(size), false);
  }
}

TEST(Ring, WhatMakesNoRing) {
  lesson("A ring in memory");
  alignas(kUnit) static std::array<std::byte, 64> memory{};
  static Ring::State state;
  const auto refused = [](const std::string& words, std::span<std::byte> bytes,
                          std::uint32_t most) {
    did("made a ring of " + words);
    expect_throw<ValueError>("ValueError", [&] { const Ring ring(state, bytes, most); });
  };
  refused("no memory", {}, 1);
  refused("no memory at a good address", std::span(memory).first(0), 1);
  for (const std::size_t size : {1U, 7U, 9U, 12U, 63U}) {
    refused(bytes_in_words(size), std::span(memory).first(size), 1);
  }
  for (const std::size_t at : {1U, 2U, 4U, 7U}) {
    refused("memory at " + std::to_string(at) + " bytes behind a multiple of 8",
            std::span(memory).subspan(at, 32), 1);
  }
  constexpr std::size_t kTooMuch = std::size_t{32} << 30U;
  for (const std::size_t size : {kTooMuch, kTooMuch + kUnit, kTooMuch * 2, kTooMuch * 2 + 64}) {
    refused(std::to_string(size) + " bytes, which is 32 GiB and more", {memory.data(), size}, 1);
  }
  refused("at most 0 records", memory, 0);
  refused("at most 2,147,483,648 records", memory, Ring::kMost + 1);
  refused("at most 4,294,967,295 records", memory, std::numeric_limits<std::uint32_t>::max());
}

TEST(Ring, WhatMakesARing) {
  lesson("A ring in memory");
  alignas(kUnit) static std::array<std::byte, 64> memory{};
  static Ring::State state;
  did("made rings of 8 bytes, of 64, and of 32 GiB less 8, for one record and for 2,147,483,647, "
      "and asked them whether they have room");
  constexpr std::size_t kMuch = (std::size_t{32} << 30U) - kUnit;  // it is not looked at
  for (const std::size_t size : {std::size_t{8}, std::size_t{64}, kMuch}) {
    for (const std::uint32_t most : {1U, Ring::kMost}) {
      const Ring ring(state, {memory.data(), size}, most);
      expect_eq("most()", ring.most(), most);
      expect_eq("has_room() for all that it has", ring.has_room(size - kUnit), true);
      expect_eq("has_room() for a byte more", ring.has_room(size - kUnit + 1), false);
      ring.check_fits(size - kUnit);
    }
  }
  const Ring ring(state, memory);
  expect_eq("most() if nothing is said", ring.most(), Ring::kMost);
}

TEST(Ring, PlacesBehindFourGigabytes) {
  lesson("A ring in memory");
  did("asked a ring of 24 GiB that has a record of 14 GiB in, at 7 GiB, what it has room for");
  alignas(kUnit) static std::array<std::byte, 8> memory{};
  static Ring::State state;
  constexpr std::uint32_t kGiB = (1U << 30U) / kUnit;  // in units
  state.head = state.seen_head = Ring::Position{1, 7 * kGiB};
  state.tail = state.seen_tail = Ring::Position{2, 21 * kGiB};
  const Ring ring(state, {memory.data(), std::size_t{24} << 30U});
  expect_eq("has_room() for 10 GiB less 8 bytes", ring.has_room((std::size_t{10} << 30U) - kUnit),
            true);
  expect_eq("has_room() for 10 GiB", ring.has_room(std::size_t{10} << 30U), false);
  expect_eq("size()", ring.size(), 1U);
}

TEST(Ring, RecordBehindFourGigabytes) {
  lesson("A ring in memory");
  did("pushed a record into a ring of 6 GiB, at 5 GiB, and looked at what is there (of this ring, "
      "only the bytes at 5 GiB are real)");
  constexpr std::size_t kAt = std::size_t{5} << 30U;
  alignas(kUnit) static std::array<std::byte, 64> real{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): where the whole ring would begin
  auto* const begin = reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(&real) - kAt);
  static Ring::State state;
  state.head = state.seen_head = state.tail = state.seen_tail =
      Ring::Position{7, static_cast<std::uint32_t>(kAt / kUnit)};
  Ring ring(state, {begin, kAt + (kAt / 5)});
  expect_eq("the push", pushed(ring, text(20)), true);
  const std::string there(reinterpret_cast<const char*>(real.data()) + kUnit, 20);
  expect_eq("what is at 5 GiB, behind the length,", there, text(20));
  expect_popped(ring, text(20), "the record");
}

TEST(Ring, LargeRecords) {
  lesson("A ring in memory");
  did("pushed records of 70,000 and of 1,000,001 bytes, ten times, into a ring of 1.5 MB");
  struct Large {
    Ring::State state;
    alignas(kUnit) std::array<std::byte, 1'500'000> memory;
  };
  const Shared<Large> large;
  Ring ring(large->state, large->memory);
  for (std::size_t i = 0; i < 10; ++i) {
    const std::string one = text(70'000, i);
    const std::string other = text(1'000'001, i + 1);
    if (!expect_eq("try_push() of 70,000 bytes", pushed(ring, one), true) ||
        !expect_eq("try_push() of 1,000,001 bytes", pushed(ring, other), true) ||
        !expect_eq("try_push() of 1,000,001 more", pushed(ring, other), false) ||
        !expect_popped(ring, one, "the first one") ||
        !expect_popped(ring, other, "the second one")) {
      return;
    }
  }
}

TEST(Ring, NoMemoryForTheCopy) {
  lesson("One store");
  if (kAddressSanitizer) {
    GTEST_SKIP() << "AddressSanitizer needs addresses without end";
  }
  did("popped a record of 12 MB in a child that gets no more memory (setrlimit(2), RLIMIT_AS), and "
      "then once more, when it gets some");
  struct Large {
    Ring::State state;
    alignas(kUnit) std::array<std::byte, 16'000'000> memory;
  };
  const Shared<Large> large;
  Ring ring(large->state, large->memory);
  const std::string record = text(12'000'000);
  expect_eq("try_push()", pushed(ring, record), true);
  const Asked child([&] {
    std::string said;
    rlimit before{};
    must(getrlimit(RLIMIT_AS, &before), "getrlimit");
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit narrow = before;
    narrow.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + 4'000'000;
    must(setrlimit(RLIMIT_AS, &narrow), "setrlimit");
    try {
      said = ring.try_pop() ? "a record" : "none";
    } catch (const std::bad_alloc&) {
      said = "std::bad_alloc";
    }
    must(setrlimit(RLIMIT_AS, &before), "setrlimit");
    said += ", " + std::to_string(ring.size()) + " in, ";
    const std::string again = popped(ring);
    return said + (again == record     ? "then the record"
                   : again == "(none)" ? "then none"
                                       : "then something else");
  });
  expect_eq("what comes of it", child.answer(), "std::bad_alloc, 1 in, then the record");
}

// ---- several processes

TEST(Ring, SecondHandle) {
  lesson("A ring in memory");
  did("pushed two records, and made another handle on the same state");
  Scene scene(8);
  (void)pushed(scene.ring, "one");
  (void)pushed(scene.ring, "two");
  Ring other(scene.state(), scene.memory());
  expect_eq("size() there", other.size(), 2U);
  expect_eq("pushed() there", other.pushed(), 2U);
  expect_popped(other, "one", "the first one there");
  expect_popped(scene.ring, "two", "the second one here");
  expect_eq("size() there", other.size(), 0U);
}

TEST(Ring, StaysWhenTheWriterHasEnded) {
  lesson("A ring in memory");
  did("pushed two records in a child, and popped them when the child had ended");
  Scene scene(8);
  expect_eq("what the child says", Asked([&] {
                                     const bool one = pushed(scene.ring, "one");
                                     return std::string(one ? "true, " : "false, ") +
                                            (pushed(scene.ring, "two") ? "true" : "false");
                                   }).answer(),
            "true, true");
  expect_eq("size()", scene.ring.size(), 2U);
  expect_popped(scene.ring, "one", "the first one");
  expect_popped(scene.ring, "two", "the second one");
}

TEST(Ring, WritersTakeTurns) {
  lesson("A ring in memory");
  did("filled a ring for four records, let a child pop two and push two, and pushed one more");
  Scene scene(4);
  for (int i = 0; i < 4; ++i) {
    expect_eq("try_push() into the ring", pushed(scene.ring, ""), true);
  }
  expect_eq("what the child says", Asked([&] {
                                     std::string said = popped(scene.ring) + popped(scene.ring);
                                     for (int i = 0; i < 2; ++i) {
                                       said += pushed(scene.ring, "") ? "pushed " : "refused ";
                                     }
                                     return said;
                                   }).answer(),
            "pushed pushed ");
  expect_eq("size(): it is full", scene.ring.size(), 4U);
  expect_eq("try_push()", pushed(scene.ring, ""), false);
  expect_eq("size()", scene.ring.size(), 4U);
  for (int i = 0; i < 4; ++i) {
    expect_eq("try_pop()", popped(scene.ring), "");
  }
  expect_eq("try_pop() then", popped(scene.ring), "(none)");
}

TEST(Ring, ReadersTakeTurns) {
  lesson("A ring in memory");
  did("popped a record, let a child push and pop two more, and popped once more");
  Scene scene(16);
  (void)pushed(scene.ring, "one");
  expect_popped(scene.ring, "one", "what comes out");
  expect_eq("what the child says", Asked([&] {
                                     (void)pushed(scene.ring, "two");
                                     (void)pushed(scene.ring, "three");
                                     const std::string two = popped(scene.ring);
                                     return two + ", " + popped(scene.ring);
                                   }).answer(),
            "two, three");
  expect_eq("try_pop() of the empty ring", popped(scene.ring), "(none)");
  (void)pushed(scene.ring, "four");
  expect_popped(scene.ring, "four", "what comes out of it later");
}

TEST(Ring, TwoAddresses) {
  lesson("A ring in memory");
  did("pushed records of 20 bytes in one child, and popped them in another one, in which the ring "
      "is at another address");
  struct Both {
    Ring::State state;
    alignas(kUnit) std::array<std::byte, 72> memory;
  };
  const TwoViews<Both> views;
  Ring here(views.here().state, views.here().memory);
  Ring there(views.there().state, views.there().memory);
  for (std::size_t i = 0; i < 6; ++i) {
    const std::string one = text(20, i);
    const std::string other = text(20, i + 1);
    expect_eq("what the one that pushes says", Asked([&] {
                                                 const bool first = pushed(here, one);
                                                 return std::string(first ? "true, " : "false, ") +
                                                        (pushed(here, other) ? "true" : "false");
                                               }).answer(),
              "true, true");
    const auto pops = [&] {
      // The first view is gone here: other memory is at its place.
      must(::mmap(&views.here(), sizeof(Both), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
               ? -1
               : 0,
           "mmap");
      std::string said = popped(there) + ", ";
      said += popped(there);
      return said;
    };
    std::string both = one + ", ";
    both += other;
    if (!expect_eq("what the one that pops says", Asked(pops).answer(), both)) {
      return;
    }
  }
}

TEST(Ring, NoSystemCalls) {
  lesson("A ring in memory");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("pushed and popped 30 records, filled the ring and emptied it, looked at size() and "
      "has_room(), and recorded the system calls");
  Scene scene(8);
  (void)pushed(scene.ring, "stub");
  (void)scene.ring.try_pop();
  const Recording recording = record([&] {
    for (std::size_t i = 0; i < 30; ++i) {
      (void)scene.ring.has_room(9);
      (void)pushed(scene.ring, std::string_view("nine byte").data());
      (void)scene.ring.size();
      (void)scene.ring.pushed();
      if (i % 5 == 4) {
        while (scene.ring.try_pop()) {
        }
      }
    }
  });
  std::string seen;
  for (const RecordedCall& call : recording.calls) {
    if (call.family != Family::kMemory) {  // the copy that try_pop() returns needs some
      seen += std::string(call.name) + " ";
    }
  }
  expect(seen.empty(), "none, beside those of malloc(3)", seen.substr(0, 100));
}

// ---- a model

/// How far a random run goes, and what is different from a queue of strings, if anything.
std::string runs_like_a_queue(std::size_t units, std::uint32_t most, unsigned seed, int steps) {
  Scene scene(units, most);
  (void)scene.ring.try_push({});
  (void)scene.ring.try_pop();
  if (seed % 2 == 0) {
    scene.let_pass(std::numeric_limits<std::uint32_t>::max() - 100);
  }
  Ring writer(scene.state(), scene.memory(), most);
  Ring reader(scene.state(), scene.memory(), most);
  std::deque<std::string> model;
  std::size_t taken = 0;
  std::minstd_rand random(seed);  // NOLINT: the same each time
  std::size_t number = 0;
  for (int step = 0; step < steps; ++step) {
    // Now and then it is filled, and now and then it is emptied.
    const bool pushes = random() % 100 < (step / 50 % 2 == 0 ? 65U : 35U);
    const std::size_t size =
        random() % (random() % 4 == 0 ? (units - 1) * kUnit + 1 : std::min(units, std::size_t{20}));
    const std::string where = "step " + std::to_string(step) + " with " +
                              std::to_string(model.size()) + " records in that take " +
                              bytes_in_words(taken) + ": ";
    const bool room = model.size() < most && taken + Ring::bytes_for(size) <= units * kUnit;
    if (scene.ring.has_room(size) != room) {
      return where + "has_room(" + std::to_string(size) + ") is " + words(!room);
    }
    if (pushes) {
      const std::string record = text(size, ++number);
      if (pushed(writer, record) != room) {
        return where + "try_push() of " + bytes_in_words(size) + " is " + words(!room);
      }
      if (room) {
        model.push_back(record);
        taken += Ring::bytes_for(size);
      }
    } else {
      const std::string record = popped(reader);
      const std::string right = model.empty() ? "(none)" : model.front();
      if (record != right) {
        return where + "try_pop() is " + shown(record) + ", and not " + shown(right);
      }
      if (!model.empty()) {
        taken -= Ring::bytes_for(model.front().size());
        model.pop_front();
      }
    }
    if (scene.ring.size() != model.size()) {
      return where + "size() is " + std::to_string(scene.ring.size()) + " after it";
    }
    if (!scene.margins_are_clean()) {
      return where + "it writes outside of its memory";
    }
  }
  return "no difference";
}

TEST(Ring, LikeAQueueOfStrings) {
  for (const std::size_t units : {1U, 2U, 3U, 8U, 61U}) {
    for (const std::uint32_t most : {Ring::kMost, 3U}) {
      lesson(most == Ring::kMost ? "A ring in memory" : "A bound needs counting");
      for (const unsigned seed : {1U, 2U}) {
        did("pushed and popped at random, in a ring of " + bytes_in_words(8 * units) +
            " for at most " + std::to_string(most) + " records (seed " + std::to_string(seed) +
            "), and compared it with a std::deque<std::string>");
        if (!expect_eq("what is different", runs_like_a_queue(units, most, seed, 1'000),
                       "no difference")) {
          return;
        }
      }
    }
  }
}

// ---- at the same time

TEST(Ring, OneWritesOneReads) {
  lesson("One store");
  did("let one child push 20,000 records of 0 to 99 bytes, while another one pops them");
  constexpr std::size_t kRecords = 20'000;
  Scene scene(100);
  (void)pushed(scene.ring, "stub");
  (void)scene.ring.try_pop();
  const auto size_of = [](std::size_t i) { return i * 7919 % 100; };
  const auto in_time = [start = std::chrono::steady_clock::now()] {
    return std::chrono::steady_clock::now() - start < 3s;
  };
  const Asked writer(
      [&] {
        for (std::size_t i = 0; i < kRecords; ++i) {
          while (!pushed(scene.ring, text(size_of(i), i))) {
            if (!in_time()) {
              return "no room for record " + std::to_string(i) + " any more";
            }
            sched_yield();
          }
        }
        return std::string("all are in");
      },
      4);
  const Asked reader(
      [&] {
        for (std::size_t i = 0; i < kRecords; ++i) {
          std::optional<Bytes> record = scene.ring.try_pop();
          while (!record) {
            if (!in_time()) {
              return "record " + std::to_string(i) + " does not come";
            }
            sched_yield();
            record = scene.ring.try_pop();
          }
          if (text_of(*record) != text(size_of(i), i)) {
            return "record " + std::to_string(i) + " is " + shown(std::string(text_of(*record))) +
                   " and not " + shown(text(size_of(i), i));
          }
        }
        return std::string("each was right");
      },
      4);
  expect_eq("what the one that pops says", reader.answer(), "each was right");
  expect_eq("what the one that pushes says", writer.answer(), "all are in");
}

TEST(Ring, SizeAmongManyChanges) {
  lesson("A bound needs counting");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("looked at size() of a ring with one record in, in a child that is stopped after each "
      "instruction; a record is pushed and another one popped then");
  Scene scene(8);
  (void)pushed(scene.ring, "one");
  const auto changes = [&scene] {
    (void)pushed(scene.ring, "more");
    (void)scene.ring.try_pop();
  };
  expect_eq("size()", size_among([&scene] { return scene.ring.size(); }, changes), "1");
}

// ---- killed

/// What is in, in words; it is out then. A length that is wrong could be any.
std::string all_in(Ring& ring) {
  return Asked([&ring] {
           std::string all = std::to_string(ring.size()) + " in:";
           for (int i = 0; i < 5; ++i) {
             const std::optional<Bytes> record = ring.try_pop();
             if (!record) {
               break;
             }
             all += " " + shown(std::string(text_of(*record)));
           }
           return all;
         })
      .answer();
}

/// Stops a child after each instruction of `action`, with two records in, and looks at a copy of
/// what all share: if it were killed there, that is what would be left.
/// @param unit  where the first one begins. @param right  what may be in afterwards.
void kill_at_each_instruction(std::size_t unit, const std::function<void(Ring&)>& action,
                              const std::vector<std::string>& right) {
  Scene scene(8);
  const Scene left(8);
  Ring ring = left.ring;
  const auto before = [&scene, unit] {
    go_to(scene, unit);
    (void)pushed(scene.ring, "the first one");
    (void)pushed(scene.ring, "second");
  };
  before();
  (void)scene.ring.try_pop();
  scene.clear();
  Stepped child(before, [&] { action(scene.ring); });
  const auto enough = std::chrono::steady_clock::now() + 2s;
  std::string last;
  for (int count = 0; std::chrono::steady_clock::now() < enough; ++count) {
    if (std::string now = scene.all_bytes(); now != last) {
      last = std::move(now);
      left.becomes(last);
      const std::string after = all_in(ring);
      const std::string where = ", after a death at instruction " + std::to_string(count);
      if (!expect(std::find(right.begin(), right.end(), after) != right.end(),
                  right.front() + ", or " + right.back(), after + where) ||
          !expect_eq("try_push() of 56 bytes then" + where, pushed(ring, text(56)), true) ||
          !expect_popped(ring, text(56), "what comes out then" + where)) {
        break;
      }
    }
    if (!child.step(1)) {
      break;
    }
  }
}

TEST(Ring, KilledAtEachInstructionOfPush) {
  lesson("One store");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("stopped a child after each instruction of try_push(), with two records in, and looked at "
      "what would be left if it were killed there");
  kill_at_each_instruction(1, [](Ring& ring) { (void)pushed(ring, "the last one"); },
                           {"2 in: \"the first one\" \"second\"",
                            "3 in: \"the first one\" \"second\" \"the last one\""});
}

TEST(Ring, KilledAtEachInstructionOfPop) {
  lesson("One store");
  std::string why;
  if (!recorder_works(why)) {
    GTEST_SKIP() << why;
  }
  did("stopped a child after each instruction of try_pop(), with two records in, and looked at "
      "what would be left if it were killed there");
  kill_at_each_instruction(6, [](Ring& ring) { (void)ring.try_pop(); },
                           {"2 in: \"the first one\" \"second\"", "1 in: \"second\""});
}

}  // namespace
}  // namespace mp::test
