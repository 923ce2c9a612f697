#include "03-array/typecode.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <limits>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/connection.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/scene.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kCodes = "cubBhHiIlLqQfd";
constexpr std::string_view kIntegers = "cubBhHiIlLqQ";
constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
constexpr auto kSmallest = std::numeric_limits<std::int64_t>::min();

std::string quoted(char code) {
  if (code >= ' ' && code <= '~') {
    return "'" + std::string(1, code) + "'";
  }
  return "character " + std::to_string(static_cast<int>(static_cast<unsigned char>(code)));
}

Number signed_number(std::int64_t value) {
  return {value};
}
Number unsigned_number(std::uint64_t value) {
  return {value};
}

/// Whichever of the three it is, and its value.
std::string words_for(const Number& number) {
  std::ostringstream out;
  if (const auto* const real = std::get_if<double>(&number)) {
    out << std::setprecision(17) << *real << " (double)";
  } else if (const auto* const whole = std::get_if<std::int64_t>(&number)) {
    out << *whole << " (int64_t)";
  } else {
    out << std::get<std::uint64_t>(number) << " (uint64_t)";
  }
  return out.str();
}

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::byte one : bytes) {
    text += kDigits[std::to_integer<std::size_t>(one >> 4)];
    text += kDigits[std::to_integer<std::size_t>(one & std::byte{15})];
  }
  return text;
}

template <class T>
std::string bytes_of(T value) {
  return hex(std::as_bytes(std::span(&value, 1)));
}

/// How many bytes an element has, asked without the code under test. Calls `use` with a value of
/// its type.
template <class F>
auto with_type(char code, F use) {
  switch (code) {
    case 'c':
      return use(type_of<'c'>{});
    case 'u':
      return use(type_of<'u'>{});
    case 'b':
      return use(type_of<'b'>{});
    case 'B':
      return use(type_of<'B'>{});
    case 'h':
      return use(type_of<'h'>{});
    case 'H':
      return use(type_of<'H'>{});
    case 'i':
      return use(type_of<'i'>{});
    case 'I':
      return use(type_of<'I'>{});
    case 'l':
      return use(type_of<'l'>{});
    case 'L':
      return use(type_of<'L'>{});
    case 'q':
      return use(type_of<'q'>{});
    case 'Q':
      return use(type_of<'Q'>{});
    case 'f':
      return use(type_of<'f'>{});
    default:
      return use(type_of<'d'>{});
  }
}

std::size_t size_of(char code) {
  return with_type(code, [](auto value) { return sizeof value; });
}

/// The Number that an element with the value of `number`, cast to its type, is read as.
Number cast_to(char code, const Number& number) {
  return with_type(code, [&number](auto element) -> Number {
    using T = decltype(element);
    const T cast = std::visit([](auto value) { return static_cast<T>(value); }, number);
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(cast);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<std::int64_t>(cast);
    } else {
      return static_cast<std::uint64_t>(cast);
    }
  });
}

/// The bytes of that element.
std::string cast_bytes(char code, const Number& number) {
  return with_type(code, [&number](auto element) {
    using T = decltype(element);
    return bytes_of(std::visit([](auto value) { return static_cast<T>(value); }, number));
  });
}

/// An element in the middle of other bytes, at an address that is a multiple of 8, plus `offset`.
class Element {
 public:
  static constexpr std::byte kOther{0xa5};

  explicit Element(char code, std::size_t offset = 0) : code_(code), first_(kRoom + offset) {
    bytes_.fill(kOther);
  }
  [[nodiscard]] std::byte* data() { return bytes_.data() + first_; }
  [[nodiscard]] std::string bytes() {
    return hex(std::span<const std::byte>(data(), size_of(code_)));
  }
  /// Whether only the bytes of the element have changed.
  [[nodiscard]] bool others_untouched() const {
    for (std::size_t at = 0; at < bytes_.size(); ++at) {
      const bool inside = at >= first_ && at < first_ + size_of(code_);
      if (!inside && bytes_.at(at) != kOther) {
        return false;
      }
    }
    return true;
  }

 private:
  static constexpr std::size_t kRoom = 32;

  char code_;
  std::size_t first_;
  alignas(8) std::array<std::byte, 3 * kRoom> bytes_{};
};

/// Stores a number and loads it again. Expects what a cast makes of it, in the bytes and in the
/// number that is read.
bool expect_cast(char code, const Number& number, std::size_t offset = 0) {
  did("stored " + words_for(number) + " in an element of type " + quoted(code) +
      (offset == 0 ? "" : " at an odd address") + ", and loaded it");
  Element element(code, offset);
  store_number(code, element.data(), number);
  const bool stored =
      expect_eq("the bytes of the element", element.bytes(), cast_bytes(code, number));
  const bool others = expect(element.others_untouched(), "no byte before or behind it changed",
                             "other bytes changed");
  const std::string loaded = words_for(load_number(code, element.data()));
  const std::string wanted = words_for(cast_to(code, number));
  return expect(loaded == wanted, "the number " + wanted, loaded) && stored && others;
}

/// Numbers on both sides of where each integer type ends.
std::vector<Number> whole_numbers() {
  std::vector<Number> all;
  for (const int bits : {7, 8, 15, 16, 31, 32, 63}) {
    const std::uint64_t power = std::uint64_t{1} << bits;
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      all.push_back(unsigned_number(value));
      all.push_back(signed_number(static_cast<std::int64_t>(value)));
      all.push_back(signed_number(static_cast<std::int64_t>(0 - value)));
    }
  }
  for (const std::int64_t value : {0L, 1L, -1L, 100L, -100L, 0x0123456789abcdefL}) {
    all.push_back(signed_number(value));
  }
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{200}, kMost - 1, kMost}) {
    all.push_back(unsigned_number(value));
  }
  return all;
}

/// Two pages, of which the second one cannot be touched.
class EndOfMemory {
 public:
  EndOfMemory()
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
        address_(
            mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (address_ == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mmap");
    }
    must(mprotect(static_cast<std::byte*>(address_) + page_, page_, PROT_NONE), "mprotect");
  }
  ~EndOfMemory() { munmap(address_, 2 * page_); }
  EndOfMemory(const EndOfMemory&) = delete;
  EndOfMemory& operator=(const EndOfMemory&) = delete;

  /// The first of the last `size` bytes.
  [[nodiscard]] std::byte* last(std::size_t size) const {
    return static_cast<std::byte*>(address_) + page_ - size;
  }

 private:
  std::size_t page_;
  void* address_;
};

// ---- the table

TEST(Typecode, FourteenLetters) {
  lesson("A letter for a type");
  struct Row {
    char code;
    std::string_view name;
    std::size_t size;
    Kind kind;
  };
  constexpr std::array kRows{
      Row{'c', "char", sizeof(char), Kind::kCharacter},
      Row{'u', "wchar_t", sizeof(wchar_t), Kind::kCharacter},
      Row{'b', "signed char", sizeof(signed char), Kind::kSigned},
      Row{'B', "unsigned char", sizeof(unsigned char), Kind::kUnsigned},
      Row{'h', "short", sizeof(short), Kind::kSigned},
      Row{'H', "unsigned short", sizeof(unsigned short), Kind::kUnsigned},
      Row{'i', "int", sizeof(int), Kind::kSigned},
      Row{'I', "unsigned int", sizeof(unsigned int), Kind::kUnsigned},
      Row{'l', "long", sizeof(long), Kind::kSigned},
      Row{'L', "unsigned long", sizeof(unsigned long), Kind::kUnsigned},
      Row{'q', "long long", sizeof(long long), Kind::kSigned},
      Row{'Q', "unsigned long long", sizeof(unsigned long long), Kind::kUnsigned},
      Row{'f', "float", sizeof(float), Kind::kFloating},
      Row{'d', "double", sizeof(double), Kind::kFloating},
  };
  constexpr std::array<std::string_view, 4> kKinds{"kCharacter", "kSigned", "kUnsigned",
                                                   "kFloating"};
  const auto name_of = [&kKinds](Kind kind) { return kKinds.at(static_cast<std::size_t>(kind)); };
  for (const Row& row : kRows) {
    did("looked up the typecode " + quoted(row.code));
    const TypeInfo& info = type_info(row.code);
    expect_eq("code", info.code, row.code);
    expect_eq("name", info.name, row.name);
    expect_eq("size", info.size, row.size);
    expect_eq("kind", name_of(info.kind), name_of(row.kind));
  }
}

TEST(Typecode, NoOtherCharacter) {
  lesson("A letter for a type");
  for (int number = 0; number < 256; ++number) {
    const char code = static_cast<char>(number);
    if (kCodes.find(code) == std::string_view::npos) {
      did("looked up the typecode " + quoted(code));
      if (expect_throw<ValueError>("ValueError", [code] { (void)type_info(code); }).empty()) {
        return;
      }
    }
  }
}

TEST(Typecode, ErrorShowsTheCharacter) {
  lesson("A letter for a type");
  for (const char code : {'z', '?', 'C', '7'}) {
    did("looked up the typecode " + quoted(code));
    const std::string text =
        expect_throw<ValueError>("ValueError", [code] { (void)type_info(code); });
    if (!text.empty()) {
      expect(text.find(code) != std::string::npos, "a text with this character in it",
             "\"" + text + "\"");
    }
  }
}

TEST(Typecode, ValidForEver) {
  lesson("A letter for a type");
  did("looked all the letters up, and looked at what was returned when all that was done");
  std::vector<const TypeInfo*> all;
  for (const char code : kCodes) {
    all.push_back(&type_info(code));
  }
  std::string seen;
  for (const TypeInfo* const one : all) {
    seen += one->code;
  }
  expect_eq("the letters of all of them together", seen, kCodes);
}

TEST(Typecode, UnknownElements) {
  lesson("A letter for a type");
  for (const char code : {'z', '\0', 'x', '?', 'C', 'n', 'D', '\xe2'}) {
    did("loaded and stored an element of type " + quoted(code));
    Element element('d');
    expect_throw<ValueError>("ValueError", [&] { (void)load_number(code, element.data()); });
    expect_throw<ValueError>("ValueError",
                             [&] { store_number(code, element.data(), signed_number(1)); });
    expect_throw<ValueError>("ValueError", [&] { store_number(code, element.data(), 1.5); });
    expect_eq("what is in memory there", element.bytes(), Element('d').bytes());
    expect(element.others_untouched(), "the bytes beside it as they were", "other bytes");
  }
}

// ---- loading

TEST(Typecode, LoadsWhatTheTypeHolds) {
  lesson("A letter for a type");
  for (const char code : kIntegers) {
    with_type(code, [code](auto zero) {
      using T = decltype(zero);
      using Limits = std::numeric_limits<T>;
      for (const T value : {Limits::min(), static_cast<T>(Limits::min() + 1), T{0}, T{1}, T{65},
                            static_cast<T>(Limits::max() - 1), Limits::max()}) {
        did("loaded an element of type " + quoted(code) + " with the bytes " + bytes_of(value));
        Element element(code);
        std::memcpy(element.data(), &value, sizeof value);
        const std::string loaded = words_for(load_number(code, element.data()));
        const std::string wanted =
            std::is_signed_v<T> ? words_for(signed_number(static_cast<std::int64_t>(value)))
                                : words_for(unsigned_number(static_cast<std::uint64_t>(value)));
        expect(loaded == wanted, "the number " + wanted, loaded);
      }
    });
  }
}

TEST(Typecode, LoadsFloatingPoint) {
  lesson("A letter for a type");
  for (const float value :
       {0.1F, -0.0F, 1.5F, std::numeric_limits<float>::max(),
        std::numeric_limits<float>::denorm_min(), -std::numeric_limits<float>::infinity()}) {
    did("loaded an element of type 'f' with the bytes " + bytes_of(value));
    Element element('f');
    std::memcpy(element.data(), &value, sizeof value);
    const std::string wanted = words_for(Number(static_cast<double>(value)));
    const std::string loaded = words_for(load_number('f', element.data()));
    expect(loaded == wanted, "the number " + wanted, loaded);
  }
  for (const double value : {0.1, -0.0, 1e300, std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::infinity()}) {
    did("loaded an element of type 'd' with the bytes " + bytes_of(value));
    Element element('d');
    std::memcpy(element.data(), &value, sizeof value);
    const std::string wanted = words_for(Number(value));
    const std::string loaded = words_for(load_number('d', element.data()));
    expect(loaded == wanted, "the number " + wanted, loaded);
  }
}

TEST(Typecode, LoadingChangesNothing) {
  lesson("A letter for a type");
  for (const char code : kCodes) {
    did("loaded an element of type " + quoted(code));
    Element element(code);
    (void)load_number(code, element.data());
    expect_eq("its bytes afterwards", element.bytes(), Element(code).bytes());
    expect(element.others_untouched(), "the bytes beside it as they were", "other bytes");
  }
}

// ---- storing

TEST(Typecode, WhatDoesNotFitIsCutOff) {
  lesson("A letter for a type");
  for (const char code : kIntegers) {
    for (const Number& number : whole_numbers()) {
      if (!expect_cast(code, number)) {
        return;
      }
    }
  }
}

TEST(Typecode, KnownCasts) {
  lesson("A letter for a type");
  // Written out: not computed by the rule that they are to show.
  const std::vector<std::tuple<char, Number, Number>> cases{
      {'b', signed_number(128), signed_number(-128)},
      {'b', unsigned_number(200), signed_number(-56)},
      {'B', signed_number(-1), unsigned_number(255)},
      {'B', signed_number(256), unsigned_number(0)},
      {'h', signed_number(32768), signed_number(-32768)},
      {'H', signed_number(-1), unsigned_number(65535)},
      {'H', signed_number(65537), unsigned_number(1)},
      {'i', signed_number(2147483648), signed_number(-2147483648)},
      {'I', signed_number(-1), unsigned_number(4294967295)},
      {'I', signed_number(4294967296), unsigned_number(0)},
      {'q', unsigned_number(kMost), signed_number(-1)},
      {'q', unsigned_number(std::uint64_t{1} << 63), signed_number(kSmallest)},
      {'Q', signed_number(-1), unsigned_number(kMost)},
      {'Q', unsigned_number(kMost), unsigned_number(kMost)},
      {'f', 0.1, 0.10000000149011612},
      {'f', 1e40, std::numeric_limits<double>::infinity()},
      {'d', 0.1, 0.1},
      {'d', 1e40, 1e40},
  };
  for (const auto& [code, number, wanted] : cases) {
    did("stored " + words_for(number) + " in an element of type " + quoted(code) +
        ", and loaded it");
    Element element(code);
    store_number(code, element.data(), number);
    const std::string loaded = words_for(load_number(code, element.data()));
    expect(loaded == words_for(wanted), "the number " + words_for(wanted), loaded);
  }
}

TEST(Typecode, AllThatFitsComesBack) {
  lesson("A letter for a type");
  for (const Number& number : {signed_number(kSmallest), signed_number(kLargest)}) {
    expect_cast('q', number);
    expect_cast('l', number);
  }
  expect_cast('Q', unsigned_number(kMost));
  expect_cast('Q', unsigned_number(static_cast<std::uint64_t>(kLargest) + 1));
  expect_cast('L', unsigned_number(kMost));
  expect_cast('u', signed_number(0x1f600));  // a code point beyond 16 bits
  for (int value = 0; value < 256; ++value) {
    if (!expect_cast('c', signed_number(value))) {
      return;
    }
  }
}

TEST(Typecode, FloatingPointTakesIntegers) {
  lesson("A letter for a type");
  for (const char code : {'f', 'd'}) {
    for (const std::int64_t value : {0L, 1L, -1L, -7L, 16'777'216L, -(1L << 53), 1L << 62}) {
      expect_cast(code, signed_number(value));
    }
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{1} << 63,
                                      (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62), kMost}) {
      expect_cast(code, unsigned_number(value));
    }
    expect_cast(code, signed_number(kSmallest));
    expect_cast(code, signed_number(kLargest));
  }
  did("stored 2^53 + 1 in an element of type 'd', which has 53 bits");
  Element element('d');
  store_number('d', element.data(), signed_number((1L << 53) + 1));
  expect_eq("the number that is loaded", words_for(load_number('d', element.data())),
            words_for(Number(9007199254740992.0)));
}

TEST(Typecode, FloatingPointTakesAnyDouble) {
  lesson("A letter for a type");
  using Limits = std::numeric_limits<double>;
  for (const double value : {0.0, 0.5, -2.75, 0.1, 3.4e38, 1e-320, Limits::max(), Limits::lowest(),
                             Limits::min(), Limits::infinity(), -Limits::infinity()}) {
    expect_cast('d', value);
  }
  for (const double value :
       {0.0, 0.5, -2.75, 0.1, 3.4e38, 1e-40, 1e-320, Limits::infinity(), -Limits::infinity()}) {
    expect_cast('f', value);
  }
  for (const char code : {'f', 'd'}) {
    Element element(code);
    did("stored -0.0 in an element of type " + quoted(code));
    store_number(code, element.data(), -0.0);
    expect_eq("the number that is loaded", words_for(load_number(code, element.data())),
              words_for(Number(-0.0)));
    did("stored a NaN in an element of type " + quoted(code));
    store_number(code, element.data(), Limits::quiet_NaN());
    const Number number = load_number(code, element.data());
    const auto* const loaded = std::get_if<double>(&number);
    expect(loaded != nullptr && std::isnan(*loaded), "a NaN", words_for(number));
  }
}

TEST(Typecode, TooLargeForAFloat) {
  lesson("A letter for a type");
  for (const double value : {1e40, -1e40, 3.5e38, std::numeric_limits<double>::max()}) {
    did("stored " + words_for(value) + " in an element of type 'f'");
    Element element('f');
    store_number('f', element.data(), value);
    const double wanted = std::copysign(std::numeric_limits<double>::infinity(), value);
    expect_eq("the number that is loaded", words_for(load_number('f', element.data())),
              words_for(Number(wanted)));
    expect(element.others_untouched(), "the bytes beside it as they were", "other bytes");
  }
}

TEST(Typecode, IntegersAndCharactersTakeNoDouble) {
  lesson("A letter for a type");
  for (const char code : kIntegers) {
    for (const double value : {1.5, 2.0, 0.0, -1.0, 1e300, std::nan("")}) {
      did("stored " + words_for(value) + " in an element of type " + quoted(code));
      Element element(code);
      expect_throw<ValueError>("ValueError", [&] { store_number(code, element.data(), value); });
      if (!expect_eq("its bytes afterwards, which shall be as before,", element.bytes(),
                     Element(code).bytes())) {
        return;
      }
      expect(element.others_untouched(), "the bytes beside it as they were", "other bytes");
    }
  }
}

// ---- where an element may be

TEST(Typecode, AtAnyAddress) {
  lesson("A letter for a type");
  for (const char code : kCodes) {
    for (std::size_t offset = 1; offset < 8; ++offset) {
      if (!expect_cast(code, signed_number(-2), offset) ||
          !expect_cast(code, signed_number(0x01020304), offset)) {
        return;
      }
    }
  }
}

TEST(Typecode, NeighboursStayAsTheyAre) {
  lesson("A letter for a type");
  for (const char code : kCodes) {
    did("stored three numbers in three elements of type " + quoted(code) +
        " that lie side by side, the last one first");
    const std::size_t size = size_of(code);
    std::array<std::byte, 24> memory{};
    for (const int i : {2, 1, 0}) {
      store_number(code, memory.data() + static_cast<std::size_t>(i) * size, signed_number(i + 1));
    }
    for (const int i : {0, 1, 2}) {
      const std::string loaded =
          words_for(load_number(code, memory.data() + static_cast<std::size_t>(i) * size));
      const std::string wanted = words_for(cast_to(code, signed_number(i + 1)));
      expect(loaded == wanted, "the number " + wanted, loaded);
    }
  }
}

TEST(Typecode, LastElementOfTheMemory) {
  lesson("A letter for a type");
  const EndOfMemory memory;
  for (const char code : kCodes) {
    did("stored a number in an element of type " + quoted(code) +
        ", and loaded it, where the memory ends with the element: one byte more is SIGSEGV");
    std::byte* const element = memory.last(size_of(code));
    store_number(code, element, signed_number(65));
    const std::string loaded = words_for(load_number(code, element));
    const std::string wanted = words_for(cast_to(code, signed_number(65)));
    expect(loaded == wanted, "the number " + wanted, loaded);
  }
}

// ---- Python

/// A number as Python has written it: "i-1", "u18446744073709551615", "d0x1.8p+1".
Number parsed(const std::string& text) {
  const std::string digits = text.substr(1);
  switch (text.empty() ? ' ' : text[0]) {
    case 'i':
      return signed_number(std::strtoll(digits.c_str(), nullptr, 10));
    case 'u':
      return unsigned_number(std::strtoull(digits.c_str(), nullptr, 10));
    default:
      return std::strtod(digits.c_str(), nullptr);
  }
}

/// What the script sends, or why there is nothing. One start of an interpreter has to do: on a busy
/// machine it takes its time.
std::optional<std::string> said_by_python(std::string_view script, std::string& why_not) {
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  std::string program =
      "try:\n"
      "  import ctypes\n"
      "  from multiprocessing.sharedctypes import typecode_to_type as types\n"
      "except ImportError:\n"
      "  conn.send_bytes(b'none')\n"
      "  sys.exit(0)\n";
  program += script;
  const CPython python(ends.other(), program);
  ends.close_other();
  std::string text;
  try {
    text = as_text(connection.recv_bytes_until(Deadline::after(15s)));
  } catch (const EOFError&) {  // there may be no Python at all
    if (!CPython::works(why_not)) {
      return std::nullopt;
    }
    text = "(the end of file)";
  }
  const std::string end = python.end();
  if (text == "none") {
    why_not = "the python3 of this machine has no ctypes";
    return std::nullopt;
  }
  expect_eq("Python's end", end, "exit code 0");
  return text;
}

TEST(Typecode, PythonHasTheSameSizes) {
  lesson("Python reads it");
  did("asked Python for its typecodes and their sizes");
  std::string why_not;
  const auto said = said_by_python(
      "text = ''.join(f'{code} {ctypes.sizeof(one)}\\n' for code, one in types.items())\n"
      "conn.send_bytes(text.encode())\n",
      why_not);
  if (!said) {
    GTEST_SKIP() << why_not;
  }
  std::istringstream lines(*said);
  char code = 0;
  std::size_t size = 0;
  int count = 0;
  while (lines >> code >> size) {
    expect_eq("type_info(" + quoted(code) + ").size", type_info(code).size, size);
    ++count;
  }
  expect(count >= 12, "at least 12 typecodes of Python's", std::to_string(count));
}

TEST(Typecode, PythonStoresTheSameBytes) {
  lesson("Python reads it");
  did("had Python store numbers in elements of all types, and compared bytes and values");
  std::string why_not;
  const auto said = said_by_python(
      "lines = []\n"
      "def words(value):\n"
      "  if isinstance(value, float): return 'd' + value.hex()\n"
      "  return ('i' if value < 2**63 else 'u') + str(value)\n"
      "powers = [2**bits + more for bits in (7, 8, 15, 16, 31, 32, 63) for more in (-1, 0, 1)]\n"
      "whole = [0, 1, -1, 0x0123456789abcdef, 2**64 - 1] + powers + [-n for n in powers]\n"
      "real = [0.1, -0.0, 1.5, 1e300, 1e40, -1e40, 1e-42, float('inf'), float('-inf')]\n"
      "for code in 'bBhHiIlLqQ':\n"
      "  for n in whole:\n"
      "    if -2**63 <= n and code in types:\n"
      "      element = types[code](n)\n"
      "      lines.append((code, words(n), bytes(element).hex(), words(element.value)))\n"
      "for code in 'fd':\n"
      "  for n in real + [0, 1, -1, 2**31, -2**31, 2**53 + 1, 2**63, 2**64 - 1]:\n"
      "    element = types[code](n)\n"
      "    lines.append((code, words(n), bytes(element).hex(), words(element.value)))\n"
      "for n in (0, 65, 0xe9, 0x20ac, 0x1f600):\n"
      "  lines.append(('u', words(n), bytes(ctypes.c_wchar(chr(n))).hex(), words(n)))\n"
      "conn.send_bytes('\\n'.join(' '.join(one) for one in lines).encode())\n",
      why_not);
  if (!said) {
    GTEST_SKIP() << why_not;
  }
  std::istringstream lines(*said);
  char code = 0;
  std::string number;
  std::string bytes;
  std::string value;
  int count = 0;
  while (lines >> code >> number >> bytes >> value) {
    ++count;
    did("stored " + words_for(parsed(number)) + " in an element of type " + quoted(code) +
        ", as Python did");
    Element element(code);
    store_number(code, element.data(), parsed(number));
    if (!expect_eq("the bytes, which Python agrees on,", element.bytes(), bytes)) {
      return;
    }
    // A whole number in the unsigned one of the three is no other value to Python.
    const Number loaded = load_number(code, element.data());
    const auto plain = [](const Number& one) {
      const std::string text = words_for(one);
      return text.substr(0, text.find(' '));
    };
    if (!expect_eq("the value, which Python agrees on,", plain(loaded), plain(parsed(value)))) {
      return;
    }
  }
  expect(count > 300, "more than 300 numbers from Python", std::to_string(count));
}

}  // namespace
}  // namespace mp::test
