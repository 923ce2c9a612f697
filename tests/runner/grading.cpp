#include "runner/grading.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "judge/grade.hpp"
#include "judge/rules.hpp"
#include "runner/build.hpp"
#include "support/sanitizer.hpp"

namespace mp::runner {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

judge::Verdict rules_for(const Book& book, const Exercise& exercise, const std::string& object,
                         const std::string& source) {
  std::vector<std::string> calls;
  for (const Chapter& chapter : book.chapters) {  // what earlier chapters were about is known
    calls.insert(calls.end(), chapter.calls.begin(), chapter.calls.end());
    if (chapter.name == exercise.chapter) {
      break;
    }
  }
  return judge::check_rules({.object = object,
                             .source = source,
                             .allowed = book.path("tests/judge/allowed_calls.txt"),
                             .chapter = exercise.chapter,
                             .calls = calls});
}

int Grade::passed_tests() const {
  return static_cast<int>(
      std::count_if(tests.begin(), tests.end(), [](const auto& test) { return test.passed(); }));
}

int Grade::points() const {
  return rules.passed() ? passed_tests() : 0;
}

bool Grade::passed() const {
  return build_error.empty() && !tests.empty() && first_failure() == nullptr && passed_tests() > 0;
}

const judge::Verdict* Grade::first_failure() const {
  const auto failed = [](const judge::Verdict& test) {
    return !test.passed() && test.outcome != judge::Outcome::kSkipped;
  };
  // One with a picture says more than those before it.
  auto first = std::ranges::find_if(
      tests, [&](const judge::Verdict& test) { return failed(test) && !test.picture.empty(); });
  if (first == tests.end()) {
    first = std::ranges::find_if(tests, failed);
  }
  if (first != tests.end()) {
    return &*first;
  }
  return rules.passed() ? nullptr : &rules;
}

double time_limit(const GradingTerms& terms) {
  constexpr double kSeconds = 5;
  if (terms.time_limit) {
    return *terms.time_limit;
  }
  if (const char* wish = std::getenv("LEARN_TIME_LIMIT"); wish != nullptr) {
    char* end = nullptr;
    const double seconds = std::strtod(wish, &end);
    if (end == wish || *end != '\0' || !(seconds > 0)) {
      throw std::invalid_argument("LEARN_TIME_LIMIT must be a number of seconds, not \"" +
                                  std::string(wish) + "\"");
    }
    return seconds;
  }
  return kSeconds * judge::slowness() * (test::kAddressSanitizer ? 3 : 1);
}

std::vector<std::string> tests_of(const Book& book, const Exercise& exercise) {
  const auto file = book.build / "modules" / (exercise.chapter + "." + exercise.stem + ".tests");
  std::ifstream in(file);
  std::vector<std::string> names;
  for (std::string name; std::getline(in, name);) {
    names.push_back(name);
  }
  if (names.empty()) {
    throw std::runtime_error(exercise.id() + " has no tests: " + file.string() +
                             " is missing or empty");
  }
  return names;
}

std::vector<judge::Verdict> grade_module(const Book& book, const Exercise& exercise,
                                         const std::string& module, const GradingTerms& terms) {
  return judge::grade({.host = book.host,
                       .module = module,
                       .tests = tests_of(book, exercise),
                       .time_limit = std::chrono::duration<double>(time_limit(terms)),
                       .jobs = terms.jobs});
}

Grade grade_learner(const Book& book, const Exercise& exercise, const GradingTerms& terms) {
  Grade grade;
  grade.exercise = &exercise;
  const auto start = Clock::now();
  if (!std::filesystem::exists(book.path(exercise.file()))) {
    grade.build_error = exercise.file() + " is not there; ./learn reset " + exercise.number +
                        " puts the stub in its place";
    return grade;
  }
  const BuildResult built = build(book, {exercise.target("reference"), exercise.target("learner")});
  grade.build_seconds = since(start);
  if (!built.ok) {
    grade.build_error = first_error(book, built.output);
    return grade;
  }
  grade.warning = first_warning(book, built.output, exercise.file());
  const auto built_at = Clock::now();
  grade.rules = rules_for(book, exercise, exercise.object, book.path(exercise.file()));
  grade.tests = grade_module(book, exercise, book.module(exercise, "learner"), terms);
  grade.test_seconds = since(built_at);
  return grade;
}

}  // namespace mp::runner
