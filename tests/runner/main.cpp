// The program behind ./learn.
#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>
#include <iostream>

#include "runner/commands.hpp"
#include "runner/json.hpp"

namespace {

using namespace mp::runner;

int run(int argc, char** argv) {
  CLI::App app(
      "Processes share nothing, so how do they share data? One exercise after the other.\n"
      "Without a command: grades the next unfinished exercise, and on a terminal stays and grades\n"
      "again at each save.",
      "./learn");
  app.require_subcommand(0, 1);
  std::string build_folder;
  app.add_option("--build", build_folder, "the build folder")->required()->group("");

  std::string word;
  std::vector<std::string> words;
  bool json = false;
  bool force = false;
  bool mine = false;
  GradingTerms terms;
  VerifyOptions verify;
  double limit = 0;

  app.add_option("exercise", word, "stay with this one first, and grade it at each save");

  auto* check = app.add_subcommand("check", "grade exercises: 1.3, join, 01-process/join, 01, all");
  check->add_option("id", words, "an exercise, a chapter, or all; none: the next unfinished one");
  check->add_flag("--json", json, "print the grades as JSON (docs/json.md)");
  auto* limit_option =
      check->add_option("--time-limit", limit, "seconds for each test (LEARN_TIME_LIMIT)")
          ->check(CLI::PositiveNumber);
  auto* list = app.add_subcommand("list", "the map: chapters, exercises, points, what is done");
  list->add_flag("--json", json, "print it as JSON (docs/json.md)");
  auto* hint = app.add_subcommand("hint", "the next hint for an exercise");
  hint->add_option("id", word, "none: the next unfinished one");
  auto* reset = app.add_subcommand("reset", "the stub again; what was there is kept as a backup");
  reset->add_option("id", word)->required();
  auto* diff = app.add_subcommand("diff", "your answer beside the reference, once yours passes");
  diff->add_option("id", word)->required();
  diff->add_flag("--force", force, "also when it does not pass yet");
  auto* demo = app.add_subcommand("demo", "run a chapter's demo, or another of its programs");
  demo->add_option("chapter", word)->required();
  std::string program;
  demo->add_option("program", program, "NAME: demo_NAME.cpp, or broken/NAME.cpp");
  demo->add_flag("--mine", mine, "on your own files instead of the references");
  auto* bench = app.add_subcommand("bench", "measure a chapter's work beside its peers");
  bench->add_option("chapter", word)->required();
  auto* docs = app.add_subcommand("docs", "build the site, and say where it is");
  auto* doctor = app.add_subcommand("doctor", "what this machine has and lacks");
  auto* check_all = app.add_subcommand("verify", "the repository's own tests");
  check_all->add_option("id", verify.words, "exercises or chapters; none: everything");
  check_all
      ->add_option("--kind", verify.kinds,
                   "only these: reference, stub, mutant, adversarial, explorer, demo, text, site")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(
          {"reference", "stub", "mutant", "adversarial", "explorer", "demo", "text", "site"}));
  check_all->add_option("--repeat", verify.repeat, "run the references this often")
      ->check(CLI::PositiveNumber);
  check_all->add_flag("--stress", verify.stress, "with two busy processes beside");
  check_all->add_flag("--built", verify.built, "everything is built already")->group("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? kPassed : kUsage;
  }
  if (limit_option->count() > 0) {
    terms.time_limit = limit;
  }

  const Book book = load_book(std::filesystem::path(build_folder) / "exercises.json");
  keep_stubs(book);
  if (check->parsed()) {
    return check_command(book, words, terms, json);
  }
  if (list->parsed()) {
    return list_command(book, json);
  }
  if (hint->parsed()) {
    return hint_command(book, word);
  }
  if (reset->parsed()) {
    return reset_command(book, word);
  }
  if (diff->parsed()) {
    return diff_command(book, word, force);
  }
  if (demo->parsed()) {
    return demo_command(book, word, program, mine);
  }
  if (bench->parsed()) {
    return bench_command(book, word);
  }
  if (docs->parsed()) {
    return docs_command(book);
  }
  if (doctor->parsed()) {
    return doctor_command(book);
  }
  if (check_all->parsed()) {
    return verify_command(book, verify);
  }
  return guide(book, word);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const UnknownId& error) {
    std::cerr << "learn: " << error.what() << '\n';
    return kUsage;
  } catch (const std::invalid_argument& error) {
    std::cerr << "learn: " << error.what() << '\n';
    return kUsage;
  } catch (const Lacking& error) {
    std::cerr << "learn: " << error.what() << '\n';
    return kLacking;
  } catch (const std::system_error& error) {  // no space, no permission, no process to be had
    std::cerr << "learn: " << error.what() << '\n';
    return kLacking;
  } catch (const std::exception& error) {
    std::cerr << "learn: " << error.what() << '\n';
    return kNotYet;
  }
}
