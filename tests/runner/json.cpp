#include "runner/json.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace mp::runner {

namespace {

using nlohmann::json;

json to_json(const judge::Verdict& verdict) {
  json object = {
      {"test", verdict.test}, {"outcome", word(verdict.outcome)}, {"seconds", verdict.seconds}};
  if (!verdict.passed()) {
    object["did"] = verdict.did;
    object["expected"] = verdict.expected;
    object["seen"] = verdict.seen;
    object["read"] = verdict.read;
    object["picture"] = verdict.picture;
    object["details"] = verdict.details;
    object["output"] = verdict.output;
  }
  return object;
}

/// The learner's program may print anything, and JSON has to be UTF-8: bytes that are not become
/// the replacement character.
std::string text_of(const json& value) {
  return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

Book load_book(const std::filesystem::path& exercises_json) {
  try {
    const json top = json::parse(read_file(exercises_json));
    Book book;
    book.source = top.at("source").get<std::string>();
    book.build = top.at("build").get<std::string>();
    book.host = top.at("host");
    for (const json& entry : top.at("chapters")) {
      Chapter chapter{entry.at("name"), entry.at("calls"), {}};
      for (const json& exercise : entry.at("exercises")) {
        const auto place = std::to_string(chapter.exercises.size() + 1);
        chapter.exercises.push_back(
            {.chapter = chapter.name,
             .stem = exercise.at("stem"),
             .number = std::to_string(std::stoi(chapter.name)) + "." + place,
             .mutants = {},
             .object = exercise.at("object"),
             .reference_object = exercise.at("reference_object")});
        for (const json& mutant : exercise.at("mutants")) {
          chapter.exercises.back().mutants.push_back({mutant.at("name"), mutant.at("object")});
        }
      }
      book.chapters.push_back(std::move(chapter));
    }
    for (const json& entry : top.at("adversarial")) {
      book.hostile.push_back({{entry.at("name"), entry.at("object")}, entry.at("exercise")});
    }
    return book;
  } catch (const json::exception& error) {
    throw std::runtime_error(exercises_json.string() +
                             " is not what CMake writes: " + error.what());
  }
}

std::map<std::string, Standing> standings_from_json(const std::string& text,
                                                    const std::filesystem::path& from) {
  try {
    std::map<std::string, Standing> standings;
    const json top = json::parse(text);
    for (const auto& [id, entry] : top.items()) {
      standings[id] = {.passed = entry.at("passed"),
                       .total = entry.at("total"),
                       .rules = entry.at("rules"),
                       .source = entry.at("source"),
                       .hints = entry.at("hints")};
    }
    return standings;
  } catch (const json::exception& error) {
    throw std::runtime_error(from.string() + " cannot be read (" + error.what() +
                             "); move it away to start afresh, your files in chapters/ stay");
  }
}

std::string standings_to_json(const std::map<std::string, Standing>& standings) {
  json top = json::object();
  for (const auto& [id, standing] : standings) {
    top[id] = {{"passed", standing.passed},
               {"total", standing.total},
               {"rules", standing.rules},
               {"source", standing.source},
               {"hints", standing.hints}};
  }
  return text_of(top);
}

std::string grades_to_json(const std::vector<Grade>& grades) {
  json list = json::array();
  for (const Grade& grade : grades) {
    json entry = {{"exercise", grade.exercise->id()},   {"number", grade.exercise->number},
                  {"passed", grade.passed()},           {"points", grade.points()},
                  {"points_total", grade.tests.size()}, {"build_seconds", grade.build_seconds},
                  {"test_seconds", grade.test_seconds}};
    if (!grade.build_error.empty()) {
      entry["build_error"] = grade.build_error;
    } else {
      entry["rules"] = to_json(grade.rules);
      entry["tests"] = json::array();
      for (const judge::Verdict& verdict : grade.tests) {
        entry["tests"].push_back(to_json(verdict));
      }
    }
    list.push_back(std::move(entry));
  }
  return text_of({{"version", 1}, {"exercises", std::move(list)}});
}

std::string list_to_json(const Book& book, const Progress& progress) {
  json chapters = json::array();
  for (const Chapter& chapter : book.chapters) {
    json exercises = json::array();
    for (const Exercise& exercise : chapter.exercises) {
      const Standing standing = progress.standing(exercise);
      exercises.push_back({{"id", exercise.id()},
                           {"number", exercise.number},
                           {"file", exercise.file()},
                           {"done", progress.done(exercise)},
                           {"points", standing.rules ? standing.passed : 0},
                           {"points_total", standing.total},
                           {"hints", standing.hints}});
    }
    chapters.push_back({{"chapter", chapter.name}, {"exercises", std::move(exercises)}});
  }
  return text_of({{"version", 1}, {"chapters", std::move(chapters)}});
}

std::vector<ScriptCheck> checks_from_json_lines(const std::string& output) {
  std::vector<ScriptCheck> checks;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const json entry = json::parse(line, nullptr, false);
    if (entry.is_object() && entry.contains("name") && entry.contains("ok")) {
      checks.push_back({.name = entry["name"],
                        .ok = entry["ok"],
                        .skipped = entry.value("skipped", false),
                        .detail = entry.value("detail", "")});
    }
  }
  return checks;
}

}  // namespace mp::runner
