#pragma once

#include <string>
#include <string_view>

/// The sealed end of the judge inside the test's process: everything that is said to the judge
/// goes through here, as records that carry a secret (see docs/judge.md).
namespace mp::test::seal {

/// Marks of the two halves of an expect() in a failure's text.
inline constexpr std::string_view kExpected = "expected: ";
inline constexpr std::string_view kSeen = "seen: ";

/// Between the lines of a record's text, which is one line itself.
inline constexpr char kLineBreak = '\x1e';

/// Sends one record: `SECRET PID KIND TEXT\n`, in one write of at most PIPE_BUF bytes.
void say(std::string_view kind, std::string_view text);

/// Runs one test of the modules that have been loaded, and ends the process.
/// @param test     "Suite.Name". @param secret  the judge's nonce.
/// @param channel  where the records go.
[[noreturn]] void run_test(const std::string& test, const std::string& secret, int channel);

/// Prints the names of all tests of the modules that have been loaded, in order, one a line.
void list_tests();

}  // namespace mp::test::seal
