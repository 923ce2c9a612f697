#pragma once

#include <optional>
#include <string>
#include <vector>

#include "judge/verdict.hpp"
#include "runner/book.hpp"

namespace mp::runner {

/// What came of grading one exercise once.
struct Grade {
  const Exercise* exercise = nullptr;
  std::string build_error;  ///< the compiler's or linker's own words; empty if it was built
  std::string
      warning;  ///< the compiler's first warning about the learner's file, if it was compiled
  judge::Verdict rules;  ///< the rules of the game
  std::vector<judge::Verdict> tests;
  double build_seconds = 0;
  double test_seconds = 0;

  [[nodiscard]] int passed_tests() const;
  /// Points: one for each test that passed; none at all where the rules were broken.
  [[nodiscard]] int points() const;
  [[nodiscard]] bool passed() const;
  /// The first verdict that is not a pass; nullptr if there is none. Skipped tests are no failure.
  [[nodiscard]] const judge::Verdict* first_failure() const;
};

struct GradingTerms {
  std::optional<double> time_limit;  ///< seconds for each test; none: 5 s, scaled to the machine
  int jobs = 4;
};

/// Builds the learner's module of the exercise and grades it.
Grade grade_learner(const Book& book, const Exercise& exercise, const GradingTerms& terms = {});

/// Grades a module that has been built, without the rules.
/// @param kind  "reference", "stub", "mutant.NAME".
std::vector<judge::Verdict> grade_module(const Book& book, const Exercise& exercise,
                                         const std::string& module, const GradingTerms& terms = {});

/// The rules of the game, for any object that stands for the exercise.
judge::Verdict rules_for(const Book& book, const Exercise& exercise, const std::string& object,
                         const std::string& source);

/// The time limit for each test in seconds: `terms`, or LEARN_TIME_LIMIT, or 5 s scaled to what
/// this machine is worth right now.
double time_limit(const GradingTerms& terms);

/// The names of an exercise's tests, as its reference's module has them. @throws std::runtime_error
/// if there are none: zero tests is an error, not a pass.
std::vector<std::string> tests_of(const Book& book, const Exercise& exercise);

}  // namespace mp::runner
