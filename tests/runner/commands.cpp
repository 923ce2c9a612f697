#include "runner/commands.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "judge/command.hpp"
#include "runner/build.hpp"
#include "runner/json.hpp"
#include "runner/report.hpp"

namespace mp::runner {

namespace {

/// Builds programs of a chapter; on failure the first error is the exception.
void build_or_throw(const Book& book, const std::vector<std::string>& targets) {
  const BuildResult result = build(book, targets);
  if (!result.ok) {
    throw std::runtime_error("this does not build yet:\n" + first_error(book, result.output));
  }
}

void require_program(const char* program, const char* packages) {
  if (judge::run_command({"sh", "-c", std::string("command -v ") + program}).exitcode != 0) {
    throw Lacking(
        fmt::format("{} is needed for this and is not here: install {}", program, packages));
  }
}

/// The program that `name` means in a chapter: its demo when there is no name, one of its further
/// demos, or one of its broken programs. @throws UnknownId.
std::string program_named(const Book& book, const Chapter& chapter, const std::string& name,
                          bool mine) {
  const auto demos = book.demos(chapter);
  if (name.empty() || demos.contains(name)) {
    return chapter.name + "_demo" + (name.empty() ? "" : "_" + name) + (mine ? "_mine" : "");
  }
  const auto broken = book.broken(chapter);
  if (broken.contains(name)) {
    return chapter.name + "_broken_" + name;
  }
  const std::string others = demos.empty() ? "" : fmt::format("demos: {}; ", fmt::join(demos, " "));
  throw UnknownId(fmt::format("chapter {} has no program \"{}\"; {}in broken/: {}", chapter.name,
                              name, others, fmt::join(broken, " ")));
}

}  // namespace

Grade grade_and_remember(const Book& book, const Exercise& exercise, const GradingTerms& terms) {
  const std::string source = digest(book.path(exercise.file()));
  Grade grade = grade_learner(book, exercise, terms);
  Progress progress(book);
  Standing standing = progress.standing(exercise);
  standing.passed = grade.passed_tests();
  standing.total = static_cast<int>(grade.tests.size());
  for (const judge::Verdict& test : grade.tests) {  // what this machine cannot test is no debt
    standing.total -= test.outcome == judge::Outcome::kSkipped ? 1 : 0;
  }
  standing.rules = grade.rules.passed();
  standing.source = source;
  progress.set(exercise, standing);
  return grade;
}

int check_command(const Book& book, const std::vector<std::string>& words,
                  const GradingTerms& terms, bool json) {
  std::vector<const Exercise*> exercises;
  for (const std::string& word : words) {
    const auto found = book.find(word);
    exercises.insert(exercises.end(), found.begin(), found.end());
  }
  if (words.empty()) {
    const Exercise* next = Progress(book).next();
    if (next == nullptr) {
      fmt::print("Every exercise is done. ./learn check all grades them again.\n");
      return kPassed;
    }
    exercises = {next};
  }
  const Ink ink(STDOUT_FILENO);
  std::vector<Grade> grades;
  bool passed = true;
  for (const Exercise* exercise : exercises) {
    if (!std::filesystem::exists(book.module(*exercise, "reference"))) {
      fmt::print(stderr, "learn: building the grader of {}, once ...\n", exercise->title());
    }
    grades.push_back(grade_and_remember(book, *exercise, terms));
    passed = passed && grades.back().passed();
    if (!json) {
      fmt::print("{}", describe_grade(grades.back(), ink));
      std::fflush(stdout);
    }
  }
  if (json) {
    fmt::print("{}", grades_to_json(grades));
  }
  return passed ? kPassed : kNotYet;
}

int list_command(const Book& book, bool json) {
  fmt::print("{}", json ? list_to_json(book, Progress(book)) : map_of(book));
  return kPassed;
}

int hint_command(const Book& book, const std::string& word) {
  const Exercise* exercise = word.empty() ? Progress(book).next() : &book.find_one(word);
  if (exercise == nullptr) {
    fmt::print("Every exercise is done; name the one that you want a hint for.\n");
    return kPassed;
  }
  fmt::print("{}", next_hint(book, *exercise));
  return kPassed;
}

int reset_command(const Book& book, const std::string& word) {
  const Exercise& exercise = book.find_one(word);
  const std::string kept = reset(book, exercise);
  fmt::print("{} is the stub again.\n", exercise.file());
  if (!kept.empty()) {
    fmt::print("What was there is kept in {}\n", kept);
  }
  return kPassed;
}

int diff_command(const Book& book, const std::string& word, bool force) {
  const Exercise& exercise = book.find_one(word);
  if (!force && !Progress(book).done(exercise)) {
    const Grade grade = grade_and_remember(book, exercise);
    if (!grade.passed()) {
      fmt::print(stderr,
                 "{} does not pass yet, and the reference is worth more after your own answer.\n"
                 "./learn hint {} helps on; ./learn diff --force {} shows it all the same.\n",
                 exercise.title(), exercise.number, exercise.number);
      return kNotYet;
    }
  }
  std::vector<std::string> words = {"diff", "-u"};
  if (isatty(STDOUT_FILENO) == 1) {
    words.push_back("--color=auto");
  }
  words.insert(words.end(), {"--label", "yours: " + exercise.file(), "--label",
                             "the reference: solutions/" + exercise.id() + ".cpp",
                             book.path(exercise.file()).string(),
                             book.path("solutions/" + exercise.id() + ".cpp").string()});
  std::fflush(stdout);
  const int code = judge::run_in_foreground(words);
  if (code == 0) {
    fmt::print("Your file and the reference are the same.\n");
  }
  return code <= 1 ? kPassed : kLacking;  // diff says 1 when there are differences
}

int demo_command(const Book& book, const std::string& word, const std::string& name, bool mine) {
  const std::string program = program_named(book, book.find_chapter(word), name, mine);
  build_or_throw(book, {program, "mp_watch"});
  const auto folder = book.build / "programs";
  const int code =
      judge::run_in_foreground({(folder / "mp_watch").string(), (folder / program).string()});
  return code == 0 ? kPassed : kNotYet;
}

int bench_command(const Book& book, const std::string& word) {
  const Chapter& chapter = book.find_chapter(word);
  if (!std::filesystem::exists(book.path("tests/bench/" + chapter.name + ".cpp"))) {
    fmt::print(stderr, "chapter {} has no benchmarks\n", chapter.name);
    return kUsage;
  }
  require_program("python3", "python3");
  return judge::run_in_foreground({"python3", book.path("tests/bench/bench.py").string(),
                                   "--source", book.source.string(), chapter.name});
}

int docs_command(const Book& book) {
  require_program("python3", "python3");
  require_program("doxygen", "doxygen, graphviz and doxygen-awesome-css");
  return judge::run_in_foreground({"python3", book.path("docs/build_site.py").string(), "--output",
                                   book.path("build/site").string()});
}

}  // namespace mp::runner
