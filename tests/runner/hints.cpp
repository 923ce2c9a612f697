#include <fmt/format.h>

#include <sstream>

#include "runner/commands.hpp"
#include "runner/progress.hpp"

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

/// Breaks long lines between words, as a pager for prose would. Code, which is indented or fenced,
/// keeps its lines.
std::string wrap(const std::string& text) {
  constexpr std::size_t kWidth = 88;
  std::istringstream lines(text);
  std::string out;
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    fenced = fenced != line.starts_with("```");
    for (; !fenced && !line.starts_with("    ") && line.size() > kWidth;) {
      const std::size_t space = line.rfind(' ', kWidth);
      if (space == std::string::npos || space == 0) {
        break;
      }
      out += line.substr(0, space) + "\n";
      line.erase(0, space + 1);
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string next_hint(const Book& book, const Exercise& exercise) {
  const std::vector<std::string> hints = hints_of(book, exercise);
  Progress progress(book);
  Standing standing = progress.standing(exercise);
  const std::size_t number = static_cast<std::size_t>(standing.hints) % hints.size();
  ++standing.hints;  // after the last one comes the first one again
  progress.set(exercise, standing);
  return fmt::format("Hint {} of {} for {}\n\n{}", number + 1, hints.size(), exercise.title(),
                     wrap(hints[number]));
}

}  // namespace mp::runner
