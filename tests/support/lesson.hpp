#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

namespace mp::test {

/// A test says what it does as it goes, so that its failure is four lines that teach: what was
/// done, what was expected, what was seen, where to read.
///
///     TEST(Spawn, ReturnValueOfTheBodyIsTheExitCode) {
///       lesson("Leaving: _exit, not exit");
///       did("spawned a child whose body returns");
///       expect_eq("its exit code", wait_for(pid), 0);
///     }

#ifdef MP_CHAPTER
/// Where to read on: a heading of this chapter's README.md (or of another one's).
void lesson_in(std::string_view chapter, std::string_view heading);
inline void lesson(std::string_view heading) {
  lesson_in(MP_CHAPTER, heading);
}
#endif

/// What the test does now, in the past tense: "started a child and joined it twice".
/// It is also what a crash or a hang from here on is reported with.
void did(std::string_view what);

/// Lines that belong to the failure that comes next, and are shown below it as they are.
void show(std::string_view picture);

/// Fails the test unless `holds`, and goes on.
/// @param expected  a sentence's end: "the child to be gone".
/// @param seen      what is there in its place; used only on failure.
/// @return `holds`, so that a test can stop where going on makes no sense.
bool expect(bool holds, std::string_view expected, std::string_view seen);

/// As expect(), with both values printed: "exitcode() == 7" and "exitcode() == 1".
template <class A, class B>
bool expect_eq(std::string_view what, const A& seen, const B& expected);

/// Runs `action` and expects an exception of type E (or derived from it).
/// @return the text of the exception, empty after a failure.
template <class E, class F>
std::string expect_throw(std::string_view type_name, F action);

namespace detail {
/// As C++ spells such a byte in a string: \xee.
inline std::string hexadecimal(unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
}
}  // namespace detail

/// The words for a value in a message.
template <class T>
std::string words(const T& value) {
  if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::convertible_to<T, std::string_view>) {
    std::string quoted(1, '"');
    for (const char c : std::string_view(value)) {  // bytes that no terminal should be sent
      const auto byte = static_cast<unsigned char>(c);
      const bool shown = (byte >= 0x20 && byte < 0x7f) || c == '\n' || c == '\t';
      quoted += shown ? std::string(1, c) : detail::hexadecimal(byte);
    }
    quoted += '"';
    return quoted;
  } else {
    std::ostringstream out;
    out << value;
    return out.str();
  }
}

template <class T>
std::string words(const std::optional<T>& value) {
  return value ? words(*value) : "none";
}

template <class A, class B>
bool expect_eq(std::string_view what, const A& seen, const B& expected) {
  const std::string subject = std::string(what) + " is ";
  return expect(seen == expected, subject + words(expected), subject + words(seen));
}

namespace detail {
/// Goes up again with the exception of a stub, which is no right answer to anything.
void not_written_yet(const std::exception& error);
/// The type of the exception that is being handled, as C++ writes it: "std::runtime_error".
std::string type_in_flight();
}  // namespace detail

template <class E, class F>
std::string expect_throw(std::string_view type_name, F action) {
  const std::string wanted = "an exception: " + std::string(type_name);
  try {
    action();
  } catch (const std::exception& error) {
    detail::not_written_yet(error);
    if (const auto* right = dynamic_cast<const E*>(&error)) {
      return right->what();
    }
    expect(false, wanted,
           "another exception: " + detail::type_in_flight() + ", \"" + error.what() + "\"");
    return "";
  } catch (...) {
    expect(false, wanted, "another exception: " + detail::type_in_flight());
    return "";
  }
  expect(false, wanted, "no exception");
  return "";
}

}  // namespace mp::test
