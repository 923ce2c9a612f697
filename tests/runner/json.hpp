#pragma once

#include <map>
#include <string>
#include <vector>

#include "runner/book.hpp"
#include "runner/grading.hpp"
#include "runner/progress.hpp"

/// Everything that is JSON, in one place (docs/json.md has the schemas).
namespace mp::runner {

/// @throws std::runtime_error naming the file, when it is missing or not what CMake writes.
Book load_book(const std::filesystem::path& exercises_json);

/// @param from  the file's name, for the error. @throws std::runtime_error.
std::map<std::string, Standing> standings_from_json(const std::string& text,
                                                    const std::filesystem::path& from);
std::string standings_to_json(const std::map<std::string, Standing>& standings);

/// `./learn check --json`
std::string grades_to_json(const std::vector<Grade>& grades);
/// `./learn list --json`
std::string list_to_json(const Book& book, const Progress& progress);

/// One check of a script that reports in lines of JSON (tests/site/check_text.py).
struct ScriptCheck {
  std::string name;
  bool ok = false;
  bool skipped = false;
  std::string detail;
};

/// The checks in a script's output; lines that are no JSON are left out.
std::vector<ScriptCheck> checks_from_json_lines(const std::string& output);

}  // namespace mp::runner
