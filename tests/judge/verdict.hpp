#pragma once

#include <string>
#include <vector>

namespace mp::judge {

/// What one test came to.
enum class Outcome {
  kPassed,
  kFailed,   ///< an expectation did not hold, or an exception escaped
  kTodo,     ///< a stub was called
  kSkipped,  ///< this machine cannot run it; says why
  kCrashed,  ///< ended by a signal
  kHung,     ///< over its time limit
  kLeft,     ///< passed, and left something behind
  kBroken,   ///< no verdict to be trusted: ended early, strayed, or tampered with
};

/// The word for an outcome, as in reports and JSON: "passed", "failed", …
const char* word(Outcome outcome);

/// The judgement on one test: the four lines, and what goes with them.
struct Verdict {
  std::string test;  ///< "Suite.Name"
  Outcome outcome = Outcome::kBroken;
  std::string did;                   ///< what was done
  std::string expected;              ///< what was expected
  std::string seen;                  ///< what was seen
  std::string read;                  ///< where to read
  std::string picture;               ///< what the test shows of it, as lines of text
  std::vector<std::string> details;  ///< the autopsy of a hang, the place of a crash
  std::string output;                ///< what the test printed, cut
  double seconds = 0;

  [[nodiscard]] bool passed() const { return outcome == Outcome::kPassed; }
};

/// A verdict as text and back, for the way from the warden to the judge.
std::string pack(const Verdict& verdict);
Verdict unpack(const std::string& text);

}  // namespace mp::judge
