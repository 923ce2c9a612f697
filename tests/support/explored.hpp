#pragma once

#include <stdexcept>
#include <string>

#include "support/explorer/explorer.hpp"
#include "support/lesson.hpp"

namespace mp::test {

/// Where to read about a class of error, whatever the test is about; empty if the test knows
/// better.
inline std::string_view heading_of(explorer::Verdict verdict) {
  switch (verdict) {
    case explorer::Verdict::kDataRace:
      return "Acquire and release";
    case explorer::Verdict::kLivelock:
    case explorer::Verdict::kPrivateFutex:
      return "From spinning to sleeping";
    default:
      return "";
  }
}

/// Explores, and fails the test with the interleaving that breaks what is under test. See
/// docs/explorer.md.
///
/// A search that its budget ends is no failure: an answer that is right and takes more steps than
/// the reference would fail. Keep it below a second, for a test has five on a slow machine.
/// @param expected  what must be true of every interleaving: "no more than one is inside".
/// @return what was found, for more questions.
inline explorer::Exploration expect_explored(std::string_view expected,
                                             const explorer::Options& options,
                                             const std::function<void(explorer::World&)>& setup) {
  explorer::Exploration found = explorer::explore(options, setup);
  if (found.failed()) {
    const std::string sentence = found.sentence();
    if (const auto todo = sentence.find("TODO "); todo != std::string::npos) {
      throw std::logic_error(sentence.substr(todo));  // a stub
    }
    const std::string report = found.report();
    const std::size_t start = report.find_first_not_of('\n', sentence.size());
    show(report.substr(start, report.find("\nTo see it again", start) - start));
    if (const std::string_view heading = heading_of(found.verdict); !heading.empty()) {
      lesson_in("04-lock", heading);
    }
    expect(false, expected, sentence);
  }
  return found;
}

}  // namespace mp::test
