// Where a stub comes from when the learner wants it back. tests/stubs.sha256 names each stub by
// its digest; it is looked for among the copies kept at the first start, then in git's history.
#include <ctime>
#include <filesystem>
#include <optional>
#include <sstream>

#include "judge/command.hpp"
#include "runner/commands.hpp"
#include "runner/progress.hpp"

namespace mp::runner {

namespace {

namespace fs = std::filesystem;

fs::path kept_copy(const Book& book, const Exercise& exercise) {
  return book.path(".learn/stubs") / (exercise.chapter + "." + exercise.stem + ".cpp");
}

std::string sha256(const fs::path& file) {
  return judge::run_command({"sha256sum", file.string()}).output.substr(0, 64);
}

std::string expected_digest(const Book& book, const Exercise& exercise) {
  std::istringstream lines(read_file(book.path("tests/stubs.sha256")));
  for (std::string digest, file; lines >> digest >> file;) {
    if (file == exercise.file()) {
      return digest;
    }
  }
  throw std::runtime_error("tests/stubs.sha256 does not name " + exercise.file());
}

/// Looks through the versions of the file that git knows, newest first.
std::optional<std::string> from_git(const Book& book, const Exercise& exercise,
                                    const std::string& digest) {
  const auto git = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-C", book.source.string()});
    return judge::run_command(words);
  };
  const auto log = git({"log", "--all", "--format=%H", "--", exercise.file()});
  if (log.exitcode != 0) {
    return std::nullopt;
  }
  std::istringstream commits(log.output);
  for (std::string commit; commits >> commit;) {
    const auto version = git({"show", commit + ":" + exercise.file()});
    const fs::path copy = kept_copy(book, exercise);
    if (version.exitcode != 0) {
      continue;
    }
    fs::create_directories(copy.parent_path());
    write_file(copy, version.output);
    if (sha256(copy) == digest) {
      return version.output;
    }
    fs::remove(copy);
  }
  return std::nullopt;
}

std::string find_stub(const Book& book, const Exercise& exercise) {
  const std::string digest = expected_digest(book, exercise);
  for (const fs::path& place : {kept_copy(book, exercise), book.path(exercise.file())}) {
    if (fs::exists(place) && sha256(place) == digest) {
      return read_file(place);
    }
  }
  if (const auto text = from_git(book, exercise, digest)) {
    return *text;
  }
  throw Lacking("the stub of " + exercise.id() +
                " is nowhere to be found: not in .learn/stubs, not in git's history. Fetch " +
                exercise.file() + " from where this repository came from; your file is untouched");
}

}  // namespace

bool is_stub(const Book& book, const Exercise& exercise) {
  const fs::path file = book.path(exercise.file());
  return fs::exists(file) && sha256(file) == expected_digest(book, exercise);
}

void keep_stubs(const Book& book) {
  for (const Exercise* exercise : book.exercises()) {
    const fs::path copy = kept_copy(book, *exercise);
    const fs::path file = book.path(exercise->file());
    if (fs::exists(copy) || !fs::exists(file) || sha256(file) != expected_digest(book, *exercise)) {
      continue;
    }
    fs::create_directories(copy.parent_path());
    write_file(copy, read_file(file));
  }
}

std::string reset(const Book& book, const Exercise& exercise) {
  const std::string stub = find_stub(book, exercise);
  const fs::path file = book.path(exercise.file());
  std::string kept;
  if (fs::exists(file) && read_file(file) != stub) {
    // A name that no earlier backup has: the date, and a number where a second was not enough.
    const std::time_t now = std::time(nullptr);
    char date[32] = "";
    std::tm local{};
    if (localtime_r(&now, &local) != nullptr) {
      std::strftime(date, sizeof date, "%Y%m%d-%H%M%S", &local);
    }
    fs::path backup = file.string() + ".backup-" + date;
    for (int n = 2; fs::exists(backup); ++n) {
      backup = file.string() + ".backup-" + date + "-" + std::to_string(n);
    }
    write_file(backup, read_file(file));
    kept = fs::relative(backup, book.source);
  }
  write_file(file, stub);
  return kept;
}

}  // namespace mp::runner
