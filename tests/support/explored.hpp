#pragma once

#include <stdexcept>
#include <string>

#include "support/explorer/explorer.hpp"
#include "support/lesson.hpp"

namespace mp::test {

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
    show(report.substr(report.find_first_not_of('\n', sentence.size())));
    expect(false, expected, sentence);
  }
  return found;
}

}  // namespace mp::test
