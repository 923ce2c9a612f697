#pragma once

#include <string>
#include <string_view>

/// The sealed end of the judge inside the test's process: everything that is said to the judge
/// goes through here, as records signed with a secret (see docs/judge.md).
namespace mp::test::seal {

/// Marks of the two halves of an expect() in a failure's text.
inline constexpr std::string_view kExpected = "expected: ";
inline constexpr std::string_view kSeen = "seen: ";

/// Between the lines of a record's text, which is one line itself.
inline constexpr char kLineBreak = '\x1e';

/// Tells the judge about the test's course. @param kind  "did", "read", "picture" or "crash"; the
/// records on which the verdict rests are out of reach, and any other kind counts as an attempt at
/// them.
void say(std::string_view kind, std::string_view text);

/// To be called before a module is loaded. Keeps no copy of the secret's digits.
/// @param secret  the judge's nonce. @param channel  a socket, for the records.
void take_secret(std::string_view secret, int channel);

/// Runs one test of the modules that have been loaded, and ends the process.
/// @param test  "Suite.Name".
[[noreturn]] void run_test(const std::string& test);

/// Prints the names of all tests of the modules that have been loaded, in order, one a line.
void list_tests();

}  // namespace mp::test::seal
