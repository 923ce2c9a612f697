// ./learn verify: the graders are graded.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <list>
#include <map>
#include <set>
#include <sstream>

#include "01-process/process.hpp"
#include "judge/command.hpp"
#include "runner/build.hpp"
#include "runner/commands.hpp"
#include "runner/json.hpp"
#include "runner/progress.hpp"
#include "runner/report.hpp"
#include "runner/tally.hpp"

namespace mp::runner {

namespace {

namespace fs = std::filesystem;
using judge::Outcome;
using judge::Verdict;

std::set<std::string> failing(const std::vector<Verdict>& verdicts) {
  std::set<std::string> names;
  for (const Verdict& verdict : verdicts) {
    if (!verdict.passed() && verdict.outcome != Outcome::kSkipped) {
      names.insert(verdict.test);
    }
  }
  return names;
}

std::string join(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text.empty() ? "nothing" : text;
}

/// The value of a line `LABEL value` among the first lines of a file; "" if there is none.
std::string header(const fs::path& file, const std::string& label) {
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(label)) {
      return line.substr(label.size());
    }
  }
  return "";
}

std::set<std::string> split(const std::string& list) {
  std::set<std::string> names;
  std::istringstream words(list);
  for (std::string word; words >> word;) {
    names.insert(word.ends_with(',') ? word.substr(0, word.size() - 1) : word);
  }
  return names;
}

/// Two processes that do nothing but compute, for the length of a scope.
class Load {
 public:
  explicit Load(bool wanted) {
    for (int i = 0; wanted && i < 2; ++i) {
      busy_.emplace_back(ProcessOptions{.name = "load", .daemon = true, .die_with_parent = true},
                         [] {
                           for (volatile unsigned n = 0;;) {
                             n = n + 1;
                           }
                         });
      busy_.back().start();
    }
  }
  ~Load() {
    for (Process& process : busy_) {
      process.kill();
      process.join();
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::list<Process> busy_;
};

class Verification {
 public:
  Verification(const Book& book, const VerifyOptions& options) : book_(book), options_(options) {
    for (const std::string& word : options.words) {
      const auto found = book.find(word);
      exercises_.insert(exercises_.end(), found.begin(), found.end());
    }
    if (options.words.empty()) {
      exercises_ = book.exercises();
    }
  }

  int run() {
    if (!options_.built) {
      build_everything();
    }
    each("reference", [&](const Exercise& e) { references(e); });
    each("stub", [&](const Exercise& e) { stubs(e); });
    each("mutant", [&](const Exercise& e) { mutants(e); });
    if (wants("adversarial") && options_.words.empty()) {
      tally_.section("hostile and clumsy submissions, each of which must score nothing");
      for (const Hostile& hostile : book_.hostile) {
        adversary(hostile);
      }
    }
    if (wants("explorer") && options_.words.empty()) {
      explorer();
    }
    if (wants("demo") || (wants("text") && options_.words.empty())) {
      texts();
    }
    if (wants("site") && options_.words.empty()) {
      site();
    }
    return tally_.finish() ? kPassed : kNotYet;
  }

 private:
  [[nodiscard]] bool wants(const std::string& kind) const {
    return options_.kinds.empty() ||
           std::find(options_.kinds.begin(), options_.kinds.end(), kind) != options_.kinds.end();
  }

  template <class F>
  void each(const std::string& kind, F what) {
    if (!wants(kind)) {
      return;
    }
    tally_.section(kind == "reference" ? "references, which must pass"
                   : kind == "stub"    ? "stubs, which must fail every test by name"
                                    : "wrong answers, which must be caught by the test they name");
    for (const Exercise* exercise : exercises_) {
      what(*exercise);
    }
  }

  void build_everything() {
    std::vector<std::string> targets;
    for (const Exercise* exercise : exercises_) {
      targets.push_back(exercise->target("reference"));
      if (wants("stub")) {
        targets.push_back(exercise->target("stub"));
      }
      for (const Answer& mutant : exercise->mutants) {
        if (wants("mutant")) {
          targets.push_back(exercise->target("mutant." + mutant.name));
        }
      }
    }
    if (wants("adversarial") && options_.words.empty()) {
      for (const Hostile& hostile : book_.hostile) {
        targets.push_back("adversarial." + hostile.answer.name);
      }
    }
    if (wants("explorer") && options_.words.empty()) {
      targets.emplace_back("mp_explorer_tests");
    }
    if (wants("demo") || wants("text")) {
      targets.emplace_back("mp_watch");
      for (const Chapter& chapter : book_.chapters) {
        std::set<std::string> demos = {chapter.name + "_demo"};
        for (const std::string& name : book_.demos(chapter)) {
          demos.insert(chapter.name + "_demo_" + name);
        }
        for (const std::string& demo : demos) {
          targets.insert(targets.end(), {demo, demo + "_mine"});
        }
        for (const std::string& name : book_.broken(chapter)) {
          targets.push_back(chapter.name + "_broken_" + name);
        }
      }
    }
    fmt::print("building {} targets ...\n", targets.size());
    std::fflush(stdout);
    const BuildResult built = build(book_, targets, true);
    if (!built.ok) {  // what is missing because of it fails below; here is why
      tally_.fail("build", first_error(book_, built.output));
    }
  }

  /// Grades a module; one that could not be built is a failure of `name`.
  std::optional<std::vector<Verdict>> grade(const Exercise& exercise, const std::string& target,
                                            const std::string& name) {
    const fs::path module = book_.build / "modules" / (target + ".so");
    if (!fs::exists(module)) {
      tally_.fail(name, "it was not built (does its patch still apply, does it compile?)");
      return std::nullopt;
    }
    return grade_module(book_, exercise, module);
  }

  void references(const Exercise& exercise) {
    const Load load(options_.stress);
    std::map<std::string, std::string> failures;  // of any of the rounds
    std::map<std::string, std::string> skipped;
    std::vector<std::string> tests;
    for (int round = 1; round <= options_.repeat; ++round) {
      const auto verdicts = grade(exercise, exercise.target("reference"), exercise.id());
      if (!verdicts) {
        return;
      }
      tests.clear();
      for (const Verdict& verdict : *verdicts) {
        tests.push_back(verdict.test);
        if (verdict.outcome == Outcome::kSkipped) {
          skipped[verdict.test] = verdict.seen;
        } else if (!verdict.passed()) {
          failures.emplace(verdict.test, fmt::format("round {}:\n{}", round,
                                                     explain(verdict, Ink(STDOUT_FILENO))));
        }
      }
    }
    const Verdict rules = rules_for(book_, exercise, exercise.reference_object,
                                    book_.path("solutions/" + exercise.id() + ".cpp"));
    tests.emplace_back("Rules");
    if (!rules.passed()) {
      failures["Rules"] = rules.seen;
    }
    for (const std::string& test : tests) {
      const std::string name = exercise.id() + " " + test;
      if (failures.contains(test)) {
        tally_.fail(name, failures[test]);
      } else if (skipped.contains(test)) {
        tally_.skip(name, skipped[test]);
      } else {
        tally_.pass(name);
      }
    }
    if (options_.repeat > 1) {
      tally_.remark(fmt::format("{}: {} rounds{}", exercise.id(), options_.repeat,
                                options_.stress ? " beside two busy processes" : ""));
    }
  }

  void stubs(const Exercise& exercise) {
    if (!is_stub(book_, exercise)) {
      tally_.skip(exercise.id(), exercise.file() +
                                     " is not the stub of tests/stubs.sha256 (a learner's answer, "
                                     "or a stub that was changed without its digest)");
      return;
    }
    const auto verdicts = grade(exercise, exercise.target("stub"), exercise.id());
    if (!verdicts) {
      return;
    }
    for (const Verdict& verdict : *verdicts) {
      const std::string name = exercise.id() + " " + verdict.test;
      if (verdict.outcome == Outcome::kTodo || verdict.outcome == Outcome::kFailed) {
        tally_.pass(name);
      } else if (verdict.outcome == Outcome::kSkipped) {
        tally_.skip(name, verdict.seen);
      } else {
        tally_.fail(
            name, fmt::format("the stub should fail it by name, and it {}", word(verdict.outcome)));
      }
    }
  }

  /// Those of `tests` that are in `others` as well.
  static std::set<std::string> within(const std::set<std::string>& others,
                                      const std::set<std::string>& tests) {
    std::set<std::string> both;
    std::ranges::set_intersection(others, tests, std::inserter(both, both.end()));
    return both;
  }

  /// A test that is not named has to let it pass; one that fails now and then, because a process
  /// came too early or too late, is no reason to name it.
  void mutants(const Exercise& exercise) {
    if (exercise.mutants.size() < 4) {
      tally_.fail(exercise.id(), fmt::format("has {} wrong answers; it needs four at least",
                                             exercise.mutants.size()));
    }
    for (const Answer& mutant : exercise.mutants) {
      const std::string name = exercise.id() + " " + mutant.name;
      const fs::path patch =
          book_.path("tests/mutants/" + exercise.id() + "/" + mutant.name + ".patch");
      const std::set<std::string> named = split(header(patch, "Caught by: "));
      const auto verdicts = grade(exercise, exercise.target("mutant." + mutant.name), name);
      if (!verdicts) {
        continue;
      }
      std::set<std::string> caught = failing(*verdicts);
      if (caught != within(named, caught)) {  // is it chance? Then it does not fail each time.
        for (int again = 0; again < 2; ++again) {
          const auto more = grade(exercise, exercise.target("mutant." + mutant.name), name);
          caught = more ? within(caught, failing(*more)) : caught;
        }
        caught.merge(within(named, failing(*verdicts)));
      }
      const fs::path source =
          book_.build / "mutants" / exercise.chapter / exercise.stem / (mutant.name + ".cpp");
      if (!rules_for(book_, exercise, mutant.object, source).passed()) {
        caught.insert("Rules");
      }
      judge_mutant(name, named, caught, *verdicts);
    }
  }

  void judge_mutant(const std::string& name, const std::set<std::string>& named,
                    const std::set<std::string>& caught, const std::vector<Verdict>& verdicts) {
    std::set<std::string> skipped;
    for (const Verdict& verdict : verdicts) {
      if (verdict.outcome == Outcome::kSkipped) {
        skipped.insert(verdict.test);
      }
    }
    const bool by_named = std::any_of(named.begin(), named.end(),
                                      [&](const auto& test) { return caught.contains(test); });
    const bool by_others = !std::includes(named.begin(), named.end(), caught.begin(), caught.end());
    const bool named_skipped =
        !named.empty() && std::includes(skipped.begin(), skipped.end(), named.begin(), named.end());
    if (named.empty()) {
      tally_.fail(name, "its patch names no test (a line `Caught by: Suite.Test`)");
    } else if (named_skipped && caught.empty()) {
      tally_.skip(name, "this machine skips " + join(named));
    } else if (!by_named) {
      tally_.fail(name, fmt::format("survives {}; caught by {}", join(named), join(caught)));
    } else if (by_others) {
      tally_.fail(name, fmt::format("names {} and is caught by {}", join(named), join(caught)));
    } else {
      tally_.pass(name, "caught by " + join(caught));
    }
  }

  void adversary(const Hostile& hostile) {
    const std::string name = "adversarial " + hostile.answer.name;
    const fs::path source = book_.path("tests/adversarial/" + hostile.answer.name + ".cpp");
    const std::string sentence = header(source, "// Sentence: ");
    const Exercise& exercise = book_.find_one(hostile.exercise);
    const auto verdicts = grade(exercise, "adversarial." + hostile.answer.name, name);
    if (!verdicts) {
      return;
    }
    const Verdict rules = rules_for(book_, exercise, hostile.answer.object, source);
    const auto passed = std::count_if(verdicts->begin(), verdicts->end(),
                                      [](const Verdict& verdict) { return verdict.passed(); });
    std::string said = rules.seen;
    for (const Verdict& verdict : *verdicts) {
      said += "\n" + verdict.seen;
      for (const std::string& detail : verdict.details) {
        said += "\n" + detail;
      }
    }
    if (rules.passed() && passed > 0) {
      tally_.fail(name, fmt::format("scores {} points", passed));
    } else if (sentence.empty() || said.find(sentence) == std::string::npos) {
      tally_.fail(name, fmt::format("\"{}\" is not among what was said:\n{}", sentence, said));
    } else {
      tally_.pass(name, sentence);
    }
  }

  /// The engine that explores interleavings has tests of its own, in a program of their own.
  void explorer() {
    tally_.section("the explorer");
    const fs::path tests = book_.build / "tests/support/explorer/mp_explorer_tests";
    const auto result = judge::run_command({tests.string(), "--gtest_brief=1"}, book_.source);
    result.exitcode == 0 ? tally_.pass("its own tests")
                         : tally_.fail("its own tests", tame(result.output, 30));
  }

  /// What demos and broken programs print, and, when everything is verified, all that the text
  /// claims: a script that reports in lines of JSON, each of which is a check.
  void texts() {
    tally_.section("what the chapters show");
    const bool all = wants("text") && options_.words.empty();
    if (all) {  // it decides what the programs show that wait for ever
      script("tests/judge/watch_test.py", {(book_.build / "programs/mp_watch").string()});
    }
    const judge::CommandResult result =
        judge::run_command({"python3", "tests/site/check_text.py", "--json", "--programs",
                            (book_.build / "programs").string()},
                           book_.source);
    const auto checks = checks_from_json_lines(result.output);
    for (const ScriptCheck& check : checks) {
      if (!all && !is_output_of_ours(check.name)) {
        continue;
      }
      if (check.skipped) {
        tally_.skip(check.name, check.detail);
      } else if (check.ok) {
        tally_.pass(check.name);
      } else {
        tally_.fail(check.name, check.detail);
      }
    }
    if (checks.empty()) {
      tally_.fail("tests/site/check_text.py", "reported nothing:\n" + tame(result.output, 20));
    }
  }

  /// Whether a check of the script is the output of a program of one of the chapters asked for.
  [[nodiscard]] bool is_output_of_ours(const std::string& name) const {
    return std::any_of(exercises_.begin(), exercises_.end(), [&](const Exercise* exercise) {
      return name.starts_with("output chapters/" + exercise->chapter + "/");
    });
  }

  /// A script of tests, which counts as one check.
  void script(const std::string& name, const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> words = {"python3", name};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const auto result = judge::run_command(words, book_.source);
    result.exitcode == 0 ? tally_.pass(name) : tally_.fail(name, tame(result.output, 30));
  }

  void site() {
    tally_.section("the site");
    if (judge::run_command({"doxygen", "--version"}).exitcode != 0) {
      tally_.skip("site", "doxygen is not installed");
      return;
    }
    script("tests/site/check_text_test.py");
    script("tests/site/site_test.py");
    const auto result = judge::run_command(
        {"python3", "docs/build_site.py", "--output", (book_.build / "site").string()},
        book_.source);
    if (result.exitcode == kLacking) {
      tally_.skip("site", tame(result.output, 3));
    } else if (result.exitcode == 0) {
      tally_.pass("site builds without a warning");
    } else {
      tally_.fail("site", tame(result.output, 30));
    }
  }

  const Book& book_;
  const VerifyOptions& options_;
  std::vector<const Exercise*> exercises_;
  Tally tally_;
};

}  // namespace

int verify_command(const Book& book, const VerifyOptions& options) {
  return Verification(book, options).run();
}

}  // namespace mp::runner
