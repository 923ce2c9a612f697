#include <fmt/format.h>

#include <sstream>

#include "runner/commands.hpp"
#include "runner/progress.hpp"
#include "runner/report.hpp"

namespace mp::runner {

namespace {

/// The hints of one exercise in hints.md: below `## 1.3 join`, the texts below `### 1`, `### 2`, …
std::vector<std::string> hints_of(const Book& book, const Exercise& exercise) {
  std::istringstream lines(read_file(book.path("chapters/" + exercise.chapter + "/hints.md")));
  std::vector<std::string> hints;
  bool here = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) {
      here = line == "## " + exercise.title();
    } else if (here && line.starts_with("### ")) {
      hints.emplace_back();
    } else if (here && !hints.empty() && !(hints.back().empty() && line.empty())) {
      hints.back() += line + "\n";
    }
  }
  if (hints.empty()) {
    throw std::runtime_error("there are no hints for " + exercise.id() + " in its hints.md");
  }
  return hints;
}

}  // namespace

std::string next_hint(const Book& book, const Exercise& exercise) {
  const std::vector<std::string> hints = hints_of(book, exercise);
  Progress progress(book);
  Standing standing = progress.standing(exercise);
  const std::size_t number = static_cast<std::size_t>(standing.hints) % hints.size();
  ++standing.hints;  // after the last one comes the first one again
  progress.set(exercise, standing);
  const std::string last =
      number + 1 < hints.size()
          ? ""
          : fmt::format(
                "\nThat was the last one. ./learn hint {} begins with the first one again.\n",
                exercise.number);
  return fmt::format("Hint {} of {} for {}\n\n{}{}", number + 1, hints.size(), exercise.title(),
                     wrap(hints[number], columns()), last);
}

}  // namespace mp::runner
