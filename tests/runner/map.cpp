#include <fmt/format.h>
#include <unistd.h>

#include "runner/commands.hpp"
#include "runner/progress.hpp"
#include "runner/report.hpp"

namespace mp::runner {

std::string map_of(const Book& book) {
  const Progress progress(book);
  const Ink ink(STDOUT_FILENO);
  const Exercise* next = progress.next();
  std::string text;
  for (const Chapter& chapter : book.chapters) {
    text += ink.bold("Chapter " + chapter.name) + "\n";
    for (const Exercise& exercise : chapter.exercises) {
      const Standing standing = progress.standing(exercise);
      const bool done = progress.done(exercise);
      const bool changed =
          standing.total > 0 && standing.source != digest(book.path(exercise.file()));
      const std::string points =
          standing.total == 0
              ? "not graded yet"
              : fmt::format("{}/{} points", standing.rules ? standing.passed : 0, standing.total);
      text +=
          fmt::format("  {} {:<4} {:<14} {}{}{}\n", done ? ink.green("ok") : "  ", exercise.number,
                      exercise.stem, points, changed ? "  (changed since)" : "",
                      &exercise == next ? ink.yellow("  <- next") : "");
    }
  }
  text +=
      fmt::format("\n{} of {} exercises done\n", progress.count_done(), book.exercises().size());
  return text;
}

}  // namespace mp::runner
