#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/book.hpp"
#include "runner/grading.hpp"

/// The commands of ./learn. Each returns the exit status: 0 passed, 1 not yet, 2 wrong usage,
/// 3 the machine lacks something.
namespace mp::runner {

inline constexpr int kPassed = 0;
inline constexpr int kNotYet = 1;
inline constexpr int kUsage = 2;
inline constexpr int kLacking = 3;

/// The machine lacks something; the text says what, and what to do. Becomes exit status 3.
class Lacking : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// ./learn: on a terminal, stays. @param word  where to begin; empty: at the next unfinished one.
int guide(const Book& book, const std::string& word);
int check_command(const Book& book, const std::vector<std::string>& words,
                  const GradingTerms& terms, bool json);
int list_command(const Book& book, bool json);
int hint_command(const Book& book, const std::string& word);
int reset_command(const Book& book, const std::string& word);
int diff_command(const Book& book, const std::string& word, bool force);
/// Runs a program of a chapter under the watch (judge/watch.cpp), which ends it if it hangs.
/// @param name  demo_NAME.cpp or, where there is none, broken/NAME.cpp; empty: demo.cpp.
/// @param mine  a demo on the learner's files instead of the references.
int demo_command(const Book& book, const std::string& word, const std::string& name, bool mine);
int bench_command(const Book& book, const std::string& word);
int docs_command(const Book& book);
int doctor_command(const Book& book);

struct VerifyOptions {
  std::vector<std::string> words;  ///< which exercises; empty: all
  std::vector<std::string> kinds;  ///< which kinds of check; empty: all
  int repeat = 1;                  ///< how often the references are run
  bool stress = false;             ///< with two busy processes beside
  bool built = false;              ///< everything is built already (ctest)
};
int verify_command(const Book& book, const VerifyOptions& options);

/// Grades the learner's file and remembers the result.
Grade grade_and_remember(const Book& book, const Exercise& exercise,
                         const GradingTerms& terms = {});

/// The next hint of an exercise, as it is shown; asking makes it the last one shown.
std::string next_hint(const Book& book, const Exercise& exercise);
/// Puts the stub in place again. @return where the learner's file has been kept.
std::string reset(const Book& book, const Exercise& exercise);
/// The map of the book: chapters, exercises, points, what is done.
std::string map_of(const Book& book);
/// Whether the exercise's file in chapters/ is the stub that tests/stubs.sha256 names.
bool is_stub(const Book& book, const Exercise& exercise);
/// Keeps a copy of every stub that is still untouched, so that reset works without git.
void keep_stubs(const Book& book);

}  // namespace mp::runner
