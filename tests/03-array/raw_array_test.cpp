#include "03-array/raw_array.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "03-array/errors.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using Limit = std::optional<std::ptrdiff_t>;

/// As Python writes a slice: "[2:100:-1]".
std::string in_python(const Slice& slice) {
  const auto text = [](Limit limit) { return limit ? std::to_string(*limit) : std::string(); };
  std::string all = "[" + text(slice.start);
  all += ":" + text(slice.stop);
  if (slice.step) {
    all += ":" + text(slice.step);
  }
  return all + "]";
}

std::string of_length(std::size_t length) {
  return " of " + std::to_string(length) + (length == 1 ? " element" : " elements");
}

/// As Python writes a list: "[1, 2, 3]".
template <class Range>
std::string listed_text(const Range& values) {
  std::string text;
  for (const auto& value : values) {
    text += text.empty() ? "" : ", ";
    text += std::to_string(value);
  }
  return "[" + text + "]";
}

/// The places that a slice consists of, found by walking over the elements and not by a formula.
std::vector<std::ptrdiff_t> places_by_walking(const Slice& slice, std::ptrdiff_t length) {
  const std::ptrdiff_t step = slice.step.value_or(1);
  const bool up = step > 0;
  // From the back to the front; what lies outside, to just outside.
  const auto from_the_front = [length](std::ptrdiff_t limit) {
    if (limit >= length) {
      return length;
    }
    return limit < -length ? -1 : (limit < 0 ? limit + length : limit);
  };
  std::ptrdiff_t place = slice.start ? from_the_front(*slice.start) : (up ? 0 : length - 1);
  const std::ptrdiff_t stop = slice.stop ? from_the_front(*slice.stop) : (up ? length : -1);
  if (up && place == -1) {
    place = 0;
  }
  if (!up && place == length) {
    place = length - 1;
  }
  std::vector<std::ptrdiff_t> places;
  while (up ? place < stop : place > stop) {
    places.push_back(place);
    if (up ? step >= length - place : step < -place) {
      break;  // the next one lies outside, perhaps beyond all numbers
    }
    place += step;
  }
  return places;
}

/// The places that resolve() says; empty with a word in `nonsense` if they cannot be.
std::vector<std::ptrdiff_t> places_of(const Stretch& stretch, std::size_t length,
                                      std::string& nonsense) {
  const auto end = static_cast<std::ptrdiff_t>(length);
  std::vector<std::ptrdiff_t> places;
  if (stretch.step == 0) {
    nonsense = "a step of 0";
    return places;
  }
  for (std::size_t i = 0; i < stretch.count; ++i) {
    std::ptrdiff_t place = stretch.first;
    const bool too_far =
        i > 0 && __builtin_add_overflow(places.back(), stretch.step, &place);  // NOLINT
    if (too_far || place < 0 || place >= end) {
      nonsense = std::to_string(stretch.count) + " elements from " + std::to_string(stretch.first) +
                 " on with a step of " + std::to_string(stretch.step) +
                 ": some of them lie outside";
      return places;
    }
    places.push_back(place);
  }
  return places;
}

/// Compares resolve() with the walk. @return whether the test may go on.
bool expect_places(const Slice& slice, std::size_t length) {
  const Stretch stretch = resolve(slice, length);
  std::string nonsense;
  const auto seen = places_of(stretch, length, nonsense);
  const auto expected = places_by_walking(slice, static_cast<std::ptrdiff_t>(length));
  if (seen == expected && nonsense.empty()) {
    return true;
  }
  const std::string subject = "the places in a" + in_python(slice) + of_length(length) + " to be ";
  return expect(false, subject + listed_text(expected),
                nonsense.empty() ? listed_text(seen) : nonsense);
}

/// Elements of some size in memory of the test's, with more of it at both ends.
class Room {
 public:
  /// Each byte is another one.
  Room(std::size_t length, std::size_t element_size)
      : bytes_(kMargin + length * element_size + kMargin),
        elements_(bytes_.data() + kMargin, length, element_size) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      bytes_[i] = static_cast<std::byte>(i * 7 + 1);
    }
  }

  [[nodiscard]] const Elements& elements() const { return elements_; }
  [[nodiscard]] std::span<std::byte> all() { return bytes_; }
  /// What all of the memory is now, with the margins.
  [[nodiscard]] std::string content() const { return as_text(bytes_); }

 private:
  static constexpr std::size_t kMargin = 16;
  std::vector<std::byte> bytes_;
  Elements elements_;
};

/// Ten digits, to see where each of them goes.
class Digits {
 public:
  [[nodiscard]] Elements elements() {
    return {reinterpret_cast<std::byte*>(text_.data()), text_.size(), 1};
  }
  /// Some of the very memory.
  [[nodiscard]] std::span<const std::byte> part(std::size_t from, std::size_t count) const {
    return as_span(std::string_view(text_).substr(from, count));
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_ = "0123456789";
};

// ---- indices

TEST(RawArray, IndicesFromBothEnds) {
  lesson("Elements and indices");
  did("asked where the indices -5 … 4 of 5 elements point to");
  for (std::ptrdiff_t index = 0; index < 5; ++index) {
    const auto place = static_cast<std::size_t>(index);
    expect_eq("position_of(" + std::to_string(index) + ", 5)", position_of(index, 5), place);
    expect_eq("position_of(" + std::to_string(index - 5) + ", 5)", position_of(index - 5, 5),
              place);
  }
  did("asked where the first and the last index of a very long sequence point to");
  constexpr auto kLong = static_cast<std::size_t>(PTRDIFF_MAX);
  expect_eq("position_of(-1, 2^63 - 1)", position_of(-1, kLong), kLong - 1);
  expect_eq("position_of(-(2^63 - 1), 2^63 - 1)", position_of(-PTRDIFF_MAX, kLong), std::size_t{0});
  expect_eq("position_of(2^63 - 2, 2^63 - 1)", position_of(PTRDIFF_MAX - 1, kLong), kLong - 1);
}

TEST(RawArray, IndicesOutside) {
  lesson("Elements and indices");
  struct Case {
    std::ptrdiff_t index;
    std::size_t length;
  };
  for (const auto& [index, length] : std::vector<Case>{{5, 5},
                                                       {6, 5},
                                                       {-6, 5},
                                                       {-7, 5},
                                                       {-10, 5},
                                                       {0, 0},
                                                       {-1, 0},
                                                       {1, 1},
                                                       {PTRDIFF_MAX, 5},
                                                       {PTRDIFF_MIN, 5},
                                                       {PTRDIFF_MIN, 0},
                                                       {PTRDIFF_MIN + 1, 5}}) {
    did("asked where the index " + std::to_string(index) + of_length(length) + " points to");
    expect_throw<IndexError>("IndexError",
                             [index = index, length = length] { position_of(index, length); });
  }
}

TEST(RawArray, IndexErrorShowsBothNumbers) {
  lesson("Elements and indices");
  for (const std::ptrdiff_t index : {4711, -4711}) {
    did("asked where the index " + std::to_string(index) + " of 1234 elements points to");
    const std::string text =
        expect_throw<IndexError>("IndexError", [index] { position_of(index, 1234); });
    expect(text.find(std::to_string(index)) != std::string::npos &&
               text.find("1234") != std::string::npos,
           "its text to show the index and the number of elements", '"' + text + '"');
  }
}

TEST(RawArray, ElementAddresses) {
  lesson("Elements and indices");
  for (const std::size_t size : {1, 2, 4, 8, 12}) {
    did("asked for the addresses of 6 elements of " + std::to_string(size) + " bytes");
    const Room room(6, size);
    const Elements& elements = room.elements();
    for (std::ptrdiff_t index = -6; index < 6; ++index) {
      const auto place = static_cast<std::size_t>(index < 0 ? index + 6 : index);
      expect_eq("how many bytes behind the first one element(" + std::to_string(index) + ") lies",
                elements.element(index) - elements.data(),
                static_cast<std::ptrdiff_t>(place * size));
    }
    for (const std::ptrdiff_t index : {6, -7}) {
      expect_throw<IndexError>("IndexError", [&] { (void)elements.element(index); });
    }
  }
}

// ---- which elements a slice has

TEST(RawArray, SlicesInPythonsManual) {
  lesson("Elements and indices");
  did("asked for slices of five elements, as the contract explains them");
  expect_places({2, 100, {}}, 5);
  expect_places({4, 1, {}}, 5);
  expect_places({{}, {}, -1}, 5);
  expect_places({-100, 2, {}}, 5);
  expect_places({}, 5);
  expect_places({1, -1, {}}, 5);
  expect_places({{}, {}, 2}, 5);
  expect_places({-2, {}, -2}, 5);
}

/// All slices with small numbers, and none in the place of each.
template <class F>
void with_all_small_slices(F check) {
  std::vector<Limit> limits{std::nullopt};
  for (std::ptrdiff_t limit = -7; limit <= 7; ++limit) {
    limits.emplace_back(limit);
  }
  for (std::size_t length = 0; length <= 5; ++length) {
    for (const Limit start : limits) {
      for (const Limit stop : limits) {
        for (const Limit step : limits) {
          if (step != 0 && !check(Slice{start, stop, step}, length)) {
            return;
          }
        }
      }
    }
  }
}

TEST(RawArray, AllSmallSlices) {
  lesson("Elements and indices");
  did("asked for all slices with numbers from -7 to 7, or none, of 0 … 5 elements");
  with_all_small_slices(expect_places);
}

TEST(RawArray, AllSmallSlicesInPython) {
  lesson("Elements and indices");
  did("compared all slices with numbers from -7 to 7, or none, with Python's slice.indices()");
  (void)resolve({}, 1);  // a stub says so before Python is started
  std::string all;
  with_all_small_slices([&all](const Slice& slice, std::size_t length) {
    std::string nonsense;
    const auto places = places_of(resolve(slice, length), length, nonsense);
    all += nonsense;
    for (const std::ptrdiff_t place : places) {
      all += static_cast<char>('0' + place);
    }
    all += '\n';
    return true;
  });
  Ends ends;
  const CPython python(ends.mine(),
                       "limits = [None, *range(-7, 8)]\n"
                       "lines = []\n"
                       "for length in range(6):\n"
                       "  for start in limits:\n"
                       "    for stop in limits:\n"
                       "      for step in limits:\n"
                       "        if step != 0:\n"
                       "          places = range(*slice(start, stop, step).indices(length))\n"
                       "          lines.append(''.join(map(str, places)) + '\\n')\n"
                       "conn.send_bytes(''.join(lines).encode())\n");
  ends.close_mine();
  // AllSmallSlices has judged already: where Python takes too long to start, it is not waited for.
  constexpr int kPatience = 3'000;
  std::size_t size = 0;  // of the table: a frame begins with it
  for (const char byte : ends.take(4, kPatience)) {
    size = size << 8U | static_cast<unsigned char>(byte);
  }
  const std::string expected = ends.take(size, kPatience / 3);
  if (size == 0 || expected.size() < size) {
    GTEST_SKIP() << "there is no python3 with multiprocessing on this machine, or it is busy";
  }
  std::size_t same = 0;
  std::size_t line = 0;
  while (same < all.size() && same < expected.size() && all[same] == expected[same]) {
    line += all[same] == '\n' ? 1U : 0U;
    ++same;
  }
  expect(all == expected, "the same places in the same order",
         "another answer for slice " + std::to_string(line) + " of that many, counted from 0");
}

TEST(RawArray, SlicesWithTheLargestNumbers) {
  lesson("Slices are copies");
  did("asked for slices with the smallest and the largest numbers that there are");
  const std::array<Limit, 11> limits{
      std::nullopt, PTRDIFF_MIN,     PTRDIFF_MIN + 1, PTRDIFF_MIN + 2, -2, -1, 1, 2,
      PTRDIFF_MAX,  PTRDIFF_MAX - 1, PTRDIFF_MAX - 2};
  for (std::size_t length = 0; length <= 4; ++length) {
    for (const Limit start : limits) {
      for (const Limit stop : limits) {
        for (const Limit step : limits) {
          if (!expect_places({start, stop, step}, length)) {
            return;
          }
        }
      }
    }
  }
}

TEST(RawArray, SlicesOfTheLongestSequence) {
  lesson("Slices are copies");
  constexpr auto kLong = static_cast<std::size_t>(PTRDIFF_MAX);
  struct Case {
    Slice slice;
    std::ptrdiff_t first;
    std::size_t count;
  };
  const std::vector<Case> cases{
      {{}, 0, kLong},
      {{{}, {}, -1}, PTRDIFF_MAX - 1, kLong},
      {{{}, {}, 2}, 0, kLong / 2 + 1},
      {{{}, {}, -3}, PTRDIFF_MAX - 1, kLong / 3 + (kLong % 3 == 0 ? 0 : 1)},
      {{{}, {}, PTRDIFF_MAX}, 0, 1},
      {{{}, {}, PTRDIFF_MAX - 1}, 0, 2},
      {{{}, {}, PTRDIFF_MIN}, PTRDIFF_MAX - 1, 1},
      {{{}, {}, -(PTRDIFF_MAX - 1)}, PTRDIFF_MAX - 1, 2},
      {{-1, 0, -PTRDIFF_MAX}, PTRDIFF_MAX - 1, 1},
      {{-PTRDIFF_MAX, PTRDIFF_MAX, {}}, 0, kLong},
      {{-3, {}, {}}, PTRDIFF_MAX - 3, 3},
  };
  for (const Case& one : cases) {
    did("asked for a" + in_python(one.slice) + " of 2^63 - 1 elements");
    const Stretch stretch = resolve(one.slice, kLong);
    expect_eq("the count", stretch.count, one.count);
    expect_eq("the first one", stretch.first, one.first);
  }
}

TEST(RawArray, StepOfZero) {
  lesson("Slices are copies");
  for (const std::size_t length : {0, 5}) {
    did("asked for a[::0]" + of_length(length));
    expect_throw<ValueError>("ValueError", [length] { resolve({{}, {}, 0}, length); });
    did("asked for a[4:1:0]" + of_length(length) + ", which would have none in any case");
    expect_throw<ValueError>("ValueError", [length] { resolve({4, 1, 0}, length); });
  }
  Room room(5, 4);
  const std::string before = room.content();
  did("read a[::0]");
  expect_throw<ValueError>("ValueError", [&] { (void)room.elements().get_slice({{}, {}, 0}); });
  did("wrote no value to a[::0]");
  expect_throw<ValueError>("ValueError", [&] { room.elements().set_slice({{}, {}, 0}, {}); });
  expect(room.content() == before, "the elements to be as before", "other ones");
}

// ---- how long

TEST(RawArray, BytesForAnArray) {
  lesson("Elements and indices");
  did("asked how many bytes arrays take");
  constexpr auto kMost = static_cast<std::size_t>(PTRDIFF_MAX);
  expect_eq("bytes_for(0, 8)", bytes_for(0, 8), std::size_t{0});
  expect_eq("bytes_for(1, 1)", bytes_for(1, 1), std::size_t{1});
  expect_eq("bytes_for(5, 12)", bytes_for(5, 12), std::size_t{60});
  expect_eq("bytes_for(2^32, 8)", bytes_for(std::ptrdiff_t{1} << 32, 8), std::size_t{1} << 35);
  expect_eq("bytes_for(2^63 - 1, 1)", bytes_for(PTRDIFF_MAX, 1), kMost);
  expect_eq("bytes_for((2^63 - 1) / 8, 8)", bytes_for(PTRDIFF_MAX / 8, 8), kMost / 8 * 8);
  expect_eq("bytes_for((2^63 - 1) / 7, 7), which is all of it,", bytes_for(PTRDIFF_MAX / 7, 7),
            kMost);
  expect_eq("bytes_for(1, 2^63 - 1)", bytes_for(1, kMost), kMost);
  expect_eq("bytes_for(0, 2^63 - 1)", bytes_for(0, kMost), std::size_t{0});
}

TEST(RawArray, NegativeLength) {
  lesson("Elements and indices");
  for (const std::ptrdiff_t length : {std::ptrdiff_t{-1}, std::ptrdiff_t{-5}, PTRDIFF_MIN}) {
    for (const std::size_t size : {1, 2, 8}) {  // the smallest one times 2 is 0 if you let it
      did("asked how many bytes " + std::to_string(length) + " elements of " +
          std::to_string(size) + " take");
      expect_throw<ValueError>("ValueError", [length, size] { bytes_for(length, size); });
    }
  }
  did("made an array of -1 elements");
  expect_throw<ValueError>("ValueError", [] { const RawArray<int> array(-1); });
}

TEST(RawArray, LengthBeyondAllMemory) {
  lesson("Elements and indices");
  struct Case {
    std::ptrdiff_t length;
    std::size_t size;
  };
  constexpr std::ptrdiff_t kOne = 1;
  for (const auto& [length, size] : std::vector<Case>{
           {PTRDIFF_MAX, 2},
           {PTRDIFF_MAX, 8},
           {PTRDIFF_MAX / 8 + 1, 8},
           {PTRDIFF_MAX / 2 + 1, 2},
           {kOne << 60, 12},
           {kOne << 61, 8},        // 2^64: 0 if you let it
           {(kOne << 61) + 1, 8},  // 8
           {kOne << 62, 4},        // 0
           {kOne << 62, 8},        // 0
           {(kOne << 62) + 1, 16},
           {1, static_cast<std::size_t>(PTRDIFF_MAX) + 1},
           {2, SIZE_MAX / 2 + 2},
       }) {
    did("asked how many bytes " + std::to_string(length) + " elements of " + std::to_string(size) +
        " take, which are more than 2^63 - 1");
    expect_throw<ValueError>("ValueError",
                             [length = length, size = size] { bytes_for(length, size); });
  }
}

// ---- slices are read

TEST(RawArray, SliceIsRead) {
  lesson("Slices are copies");
  did("read slices of ten digits");
  Digits digits;
  const auto read = [&digits](const Slice& slice) {
    return as_text(digits.elements().get_slice(slice));
  };
  expect_eq("a[:]", read({}), "0123456789");
  expect_eq("a[3:6]", read({3, 6, {}}), "345");
  expect_eq("a[1::3]", read({1, {}, 3}), "147");
  expect_eq("a[::-1]", read({{}, {}, -1}), "9876543210");
  expect_eq("a[-2:2:-2]", read({-2, 2, -2}), "864");
  expect_eq("a[7:100]", read({7, 100, {}}), "789");
  expect_eq("a[6:3]", read({6, 3, {}}), "");
  expect_eq("a[5::2^63 - 1]", read({5, {}, PTRDIFF_MAX}), "5");
  expect_eq("a[5::-2^63]", read({5, {}, PTRDIFF_MIN}), "5");
}

TEST(RawArray, SliceOfElementsOfAnySize) {
  lesson("Slices are copies");
  for (const std::size_t size : {1, 2, 3, 4, 8, 12}) {
    did("read slices of 6 elements of " + std::to_string(size) + " bytes");
    Room room(6, size);
    const std::string before = room.content();
    for (const Slice& slice : std::vector<Slice>{{}, {1, 5, 2}, {{}, {}, -1}, {4, {}, {}}}) {
      std::string expected;
      for (const std::ptrdiff_t place : places_by_walking(slice, 6)) {
        const std::byte* const element =
            room.elements().data() + static_cast<std::size_t>(place) * size;
        expected += as_text({element, size});
      }
      const Bytes read = room.elements().get_slice(slice);
      expect_eq("the size of a" + in_python(slice) + " in bytes", read.size(), expected.size());
      expect(as_text(read) == expected,
             "the elements of a" + in_python(slice) + " one after the other", "other bytes");
    }
    expect(room.content() == before, "reading to change nothing", "other bytes in the memory");
  }
}

TEST(RawArray, SliceIsACopy) {
  lesson("Slices are copies");
  did("read a slice, and changed the array, and then the slice");
  Digits digits;
  Bytes copy = digits.elements().get_slice({2, 5, {}});
  *digits.elements().element(3) = std::byte{'x'};
  expect_eq("the slice after the array has changed", as_text(copy), "234");
  copy.data()[0] = std::byte{'y'};
  expect_eq("the array after the slice has changed", digits.text(), "012x456789");
}

TEST(RawArray, NoElements) {
  lesson("Slices are copies");
  did("read and wrote slices of an array of no elements");
  const Elements none(nullptr, 0, 8);
  expect_eq("the size of a[:]", none.get_slice({}).size(), std::size_t{0});
  expect_eq("the size of a[::-1]", none.get_slice({{}, {}, -1}).size(), std::size_t{0});
  expect_eq("the size of a[-3:3]", none.get_slice({-3, 3, {}}).size(), std::size_t{0});
  none.set_slice({}, {});
  none.set_slice({2, -2, -1}, {});
  expect_throw<ValueError>("ValueError", [&none] { none.set_slice({}, as_span("12345678")); });
}

// ---- and written

TEST(RawArray, SliceIsWritten) {
  lesson("All or nothing");
  const auto written = [](const Slice& slice, std::string_view values) {
    Digits digits;
    digits.elements().set_slice(slice, as_span(values));
    return digits.text();
  };
  did("wrote to slices of ten digits");
  expect_eq("the array after a[3:6] = \"abc\"", written({3, 6, {}}, "abc"), "012abc6789");
  expect_eq("the array after a[::3] = \"abcd\"", written({{}, {}, 3}, "abcd"), "a12b45c78d");
  expect_eq("the array after a[::-1] = \"abcdefghij\"", written({{}, {}, -1}, "abcdefghij"),
            "jihgfedcba");
  expect_eq("the array after a[-2:2:-2] = \"abc\"", written({-2, 2, -2}, "abc"), "0123c5b7a9");
  expect_eq("the array after a[8:100] = \"ab\"", written({8, 100, {}}, "ab"), "01234567ab");
  expect_eq("the array after a[6:3] = \"\"", written({6, 3, {}}, ""), "0123456789");
  expect_eq("the array after a[5::2^63 - 1] = \"x\"", written({5, {}, PTRDIFF_MAX}, "x"),
            "01234x6789");
  expect_eq("the array after a[5::-2^63] = \"x\"", written({5, {}, PTRDIFF_MIN}, "x"),
            "01234x6789");
}

TEST(RawArray, SliceOfElementsOfAnySizeIsWritten) {
  lesson("All or nothing");
  for (const std::size_t size : {1, 2, 3, 4, 8, 12}) {
    for (const Slice& slice : std::vector<Slice>{{}, {1, 5, 2}, {{}, {}, -1}, {4, {}, {}}}) {
      did("wrote to a" + in_python(slice) + " of 6 elements of " + std::to_string(size) + " bytes");
      Room room(6, size);
      std::string expected = room.content();
      const auto front = static_cast<std::size_t>(room.elements().data() - room.all().data());
      std::string values;
      for (const std::ptrdiff_t place : places_by_walking(slice, 6)) {
        std::string value(size, '\0');
        for (std::size_t i = 0; i < size; ++i) {
          value[i] = static_cast<char>(200 + values.size() + i);
        }
        expected.replace(front + static_cast<std::size_t>(place) * size, size, value);
        values += value;
      }
      room.elements().set_slice(slice, as_span(values));
      expect(room.content() == expected, "these elements to be written, and no other byte",
             "other bytes");
    }
  }
}

TEST(RawArray, AllOrNothing) {
  lesson("All or nothing");
  struct Case {
    Slice slice;
    std::size_t values;
  };
  for (const std::size_t size : {1, 4, 12}) {
    for (const auto& [slice, values] : std::vector<Case>{
             {{1, 4, {}}, 2},
             {{1, 4, {}}, 4},
             {{1, 4, {}}, 0},
             {{}, 5},
             {{}, 7},
             {{{}, {}, 2}, 2},
             {{{}, {}, 2}, 6},
             {{{}, {}, -1}, 5},
             {{4, 1, {}}, 1},  // a list would take it, but an array does not grow
             {{4, 1, {}}, 3},
             {{9, {}, {}}, 1},
         }) {
      Room room(6, size);
      const std::string before = room.content();
      did("wrote " + std::to_string(values) + " values to a" + in_python(slice) +
          " of 6 elements of " + std::to_string(size) + " bytes");
      const std::string bytes(values * size, 'x');
      expect_throw<ValueError>(
          "ValueError", [&, slice = slice] { room.elements().set_slice(slice, as_span(bytes)); });
      expect(room.content() == before, "nothing to have changed", "other bytes");
    }
  }
}

TEST(RawArray, PartOfAValue) {
  lesson("All or nothing");
  for (const std::size_t bytes : {7, 9, 5, 11}) {
    did("wrote " + std::to_string(bytes) + " bytes to two elements of 4 bytes");
    Room room(6, 4);
    const std::string before = room.content();
    const std::string values(bytes, 'x');
    expect_throw<ValueError>("ValueError", [&] {
      room.elements().set_slice({2, 4, {}}, as_span(values));
    });
    expect(room.content() == before, "nothing to have changed", "other bytes");
  }
  did("wrote 3 bytes to no elements of 4 bytes");
  Room room(6, 4);
  expect_throw<ValueError>("ValueError", [&] {
    room.elements().set_slice({4, 1, {}}, as_span("abc"));
  });
}

TEST(RawArray, OwnValuesToTheRight) {
  lesson("All or nothing");
  did("wrote a[2:8] = a[0:6], the values being in the array itself");
  Digits digits;
  digits.elements().set_slice({2, 8, {}}, digits.part(0, 6));
  expect_eq("the array of ten digits", digits.text(), "0101234589");
}

TEST(RawArray, OwnValuesToTheLeft) {
  lesson("All or nothing");
  did("wrote a[0:6] = a[2:8], the values being in the array itself");
  Digits digits;
  digits.elements().set_slice({0, 6, {}}, digits.part(2, 6));
  expect_eq("the array of ten digits", digits.text(), "2345676789");
}

TEST(RawArray, OwnValuesBackwards) {
  lesson("All or nothing");
  did("wrote a[::-1] = a[:], the values being in the array itself");
  Digits digits;
  digits.elements().set_slice({{}, {}, -1}, digits.part(0, 10));
  expect_eq("the array of ten digits", digits.text(), "9876543210");
  did("wrote a[::2] = a[3:8], the values being in the array itself");
  Digits others;
  others.elements().set_slice({{}, {}, 2}, others.part(3, 5));
  expect_eq("the array of ten digits", others.text(), "3143556779");
}

// ---- texts

TEST(RawArray, TextUpToTheFirstNul) {
  lesson("Text in an array");
  did("read texts out of arrays of characters");
  const auto text = [](std::string_view characters) {
    return text_in({characters.data(), characters.size()});
  };
  using std::string_view_literals::operator""sv;
  expect_eq("the text in \"abc\\0\\0\"", text("abc\0\0"sv), "abc");
  expect_eq("the text in \"ab\\0cd\"", text("ab\0cd"sv), "ab");
  expect_eq("the text in \"abc\", which has no NUL,", text("abcdef"sv.substr(0, 3)), "abc");
  expect_eq("the text in \"\\0bc\"", text("\0bc"sv), "");
  expect_eq("the text in no characters", text_in({}), "");
}

TEST(RawArray, ShortTextHasANulBehindIt) {
  lesson("Text in an array");
  did("put \"xyz\" into an array of the characters \"abcdefg\"");
  std::string characters = "abcdefg";
  put_text(characters, "xyz");
  expect(characters == std::string("xyz\0efg", 7),
         "one NUL behind the text, and what is there behind it", words(characters));
  did("put the empty text there");
  put_text(characters, "");
  expect(characters == std::string("\0yz\0efg", 7), "a NUL at the front, and nothing else changed",
         words(characters));
  did("put a text with a NUL in it into an array of six characters");
  std::string others = "abcdef";
  put_text(others, std::string_view("x\0y", 3));
  expect(others == std::string("x\0y\0ef", 6), "all three characters of it, and a NUL behind them",
         words(others));
}

TEST(RawArray, LongestTextHasNoRoomForANul) {
  lesson("Text in an array");
  did("put a text of four characters into an array of four");
  std::string memory = "0abcd5";
  put_text(std::span(memory).subspan(1, 4), "wxyz");
  expect_eq("the memory around it", memory, "0wxyz5");
  did("put a text of three characters into an array of four");
  put_text(std::span(memory).subspan(1, 4), "ABC");
  expect(memory == std::string("0ABC\0005", 6), "a NUL in the last place", words(memory));
  did("put the empty text into an array of no characters");
  put_text({}, "");
}

TEST(RawArray, TextTooLong) {
  lesson("Text in an array");
  for (const std::string_view text : {"vwxyz", "a text that is much longer"}) {
    did("put a text of " + std::to_string(text.size()) + " characters into an array of four");
    std::string memory = "0abcd5";
    expect_throw<ValueError>("ValueError",
                             [&] { put_text(std::span(memory).subspan(1, 4), text); });
    expect_eq("the memory afterwards", memory, "0abcd5");
  }
  did("put a text of one character into an array of none");
  expect_throw<ValueError>("ValueError", [] { put_text({}, "x"); });
}

TEST(RawArray, TextFromTheArrayItself) {
  lesson("Text in an array");
  did("put the text \"cdef\" into an array, of which it is the end");
  std::string characters = "abcdef";
  put_text(characters, std::string_view(characters).substr(2));
  expect(characters == std::string("cdef\0f", 6), "\"cdef\", a NUL and the rest",
         words(characters));
  did("put the text \"abcd\" into an array that begins two characters behind it");
  std::string memory = "abcdefgh";
  put_text(std::span(memory).subspan(2), std::string_view(memory).substr(0, 4));
  expect(memory == std::string("ababcd\0h", 8), "\"ababcd\", a NUL and the rest", words(memory));
}

// ---- the types

TEST(RawArray, MadeFromALength) {
  lesson("Elements and indices");
  did("made arrays of a length");
  const RawArray<int> array(5);
  expect_eq("its elements", listed_text(array), "[0, 0, 0, 0, 0]");
  array[1] = 7;
  array[-1] = 9;
  expect_eq("its elements after a[1] = 7 and a[-1] = 9", listed_text(array), "[0, 7, 0, 0, 9]");
  expect_throw<IndexError>("IndexError", [&array] { array[5] = 1; });
  expect_throw<IndexError>("IndexError", [&array] { array[-6] = 1; });
  const RawArray<double> empty(0);
  expect_eq("how many elements one of length 0 has", empty.size(), std::size_t{0});
  expect_throw<IndexError>("IndexError", [&empty] { (void)empty[0]; });
}

TEST(RawArray, MadeFromASequence) {
  lesson("Elements and indices");
  did("made arrays of the numbers of a list, a vector, a std::list and a std::set");
  expect_eq("one from a list", listed_text(RawArray<short>({1, -2, 3})), "[1, -2, 3]");
  const std::vector<int> vector{4, 5, 6};
  expect_eq("one from a vector", listed_text(RawArray<int>(vector)), "[4, 5, 6]");
  const std::list<int> list{7, 8};
  const std::set<int> set{6, 3, 5, 4};
  expect_eq("one of doubles from a std::list of ints", listed_text(RawArray<double>(list)),
            "[7.000000, 8.000000]");
  expect_eq("one from a std::set", listed_text(RawArray<long>(set)), "[3, 4, 5, 6]");
  expect_eq("one from an empty span", RawArray<int>(std::span<const int>()).size(), std::size_t{0});
}

TEST(RawArray, MadeInARegion) {
  lesson("Elements and indices");
  did("made an array of 4 ints in a region of 16 bytes");
  SharedRegion region = SharedRegion::anonymous(16);
  const std::byte* const data = region.data();
  const RawArray<int> array(std::move(region), 4);
  array[3] = 0x01020304;
  expect_eq("where the last element is", reinterpret_cast<const std::byte*>(&array[3]) - data,
            std::ptrdiff_t{12});
  did("made an array of 5 ints in a region of 19 bytes");
  expect_throw<ValueError>("ValueError",
                           [] { const RawArray<int> large(SharedRegion::anonymous(19), 5); });
  did("made an array of -1 ints in a region");
  expect_throw<ValueError>("ValueError",
                           [] { const RawArray<int> less(SharedRegion::anonymous(19), -1); });
}

TEST(RawArray, TypedSlices) {
  lesson("Slices are copies");
  did("read and wrote slices of an array of doubles");
  const RawArray<double> array({0.5, 1.5, 2.5, 3.5});
  expect(array.slice({{}, {}, -2}) == std::vector<double>{3.5, 1.5}, "a[::-2] to be [3.5, 1.5]",
         listed_text(array.slice({{}, {}, -2})));
  array.assign({1, 3, {}}, {8.5, 9.5});
  expect(array.slice({}) == std::vector<double>{0.5, 8.5, 9.5, 3.5},
         "a[:] to be [0.5, 8.5, 9.5, 3.5]", listed_text(array.slice({})));
  expect_throw<ValueError>("ValueError", [&array] { array.assign({1, 3, {}}, {1.0}); });
  expect_throw<ValueError>("ValueError", [&array] { (void)array.slice({{}, {}, 0}); });
}

TEST(RawArray, StructsAsElements) {
  lesson("No pointers");
  did("made an array of structs, and read a slice of it from the back");
  struct Point {
    int x;
    int y;
    int z;
  };
  const RawArray<Point> points({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
  points[-1].y = 80;
  const std::vector<Point> back = points.slice({{}, {}, -1});
  expect_eq("how many there are", back.size(), std::size_t{3});
  expect_eq("y of the first one", back.at(0).y, 80);
  expect_eq("z of the last one", back.at(2).z, 3);
  static_assert(!Shareable<int*> && !Shareable<std::string>);
}

TEST(RawArray, ArraysOfCharacters) {
  lesson("Text in an array");
  did("made an array of 6 characters, and put texts there");
  const RawArray<char> array(6);
  expect_eq("value() of a new one", array.value(), "");
  array.set_value("hello");
  expect_eq("value()", array.value(), "hello");
  array.set_value("ab");
  expect_eq("value() after a shorter one", array.value(), "ab");
  expect(array.raw() == std::string("ab\0lo\0", 6), "raw() to show what is behind the NUL as well",
         words(array.raw()));
  array.set_value("sixsix");
  expect_eq("value() of one without a NUL", array.value(), "sixsix");
  expect_throw<ValueError>("ValueError", [&array] { array.set_value("seven!!"); });
  expect_eq("value() after one that was too long", array.value(), "sixsix");
}

TEST(RawArray, ValuesOfTheirOwn) {
  lesson("Elements and indices");
  did("made single values");
  const RawValue<int> zero;
  expect_eq("a new one", zero.value(), 0);
  const RawValue<double> value(2.5);
  value.value() += 1;
  expect_eq("2.5 after += 1", value.value(), 3.5);
}

TEST(RawArray, SharedWithAChild) {
  lesson("What fork shares");
  did("wrote to an array before and after a fork, and had the child write to it");
  const RawArray<int> array({1, 2, 3});
  const RawValue<char> value('a');
  const Gate gate;
  const Kid kid([&] {
    gate.pass();
    if (array[0] != 10 || value.value() != 'b') {
      return 1;  // the parent's stores are not seen
    }
    array.assign({1, {}, {}}, {20, 30});
    value.value() = 'c';
    return 0;
  });
  array[0] = 10;
  value.value() = 'b';
  gate.open();
  kid.wait_for_end();
  expect_eq("the child's exit code: 1 if it has not seen what its parent wrote", kid.take(),
            std::optional(0));
  expect_eq("the array", listed_text(array), "[10, 20, 30]");
  expect_eq("the value", value.value(), 'c');
}

}  // namespace
}  // namespace mp::test
