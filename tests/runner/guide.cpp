// ./learn without a command: one exercise after the other, graded again at each save.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "runner/commands.hpp"
#include "runner/progress.hpp"
#include "runner/report.hpp"

namespace mp::runner {

namespace {

using namespace std::chrono_literals;

/// A terminal that hands over each key at once and does not echo it, for the length of a scope.
class Keys {
 public:
  Keys() {
    check(tcgetattr(STDIN_FILENO, &before_), "tcgetattr");
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    check(tcsetattr(STDIN_FILENO, TCSANOW, &now), "tcsetattr");
  }
  ~Keys() { tcsetattr(STDIN_FILENO, TCSANOW, &before_); }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  /// The key pressed within that time; 'q' when the terminal is gone.
  static std::optional<char> wait(std::chrono::milliseconds time) {
    pollfd in{STDIN_FILENO, POLLIN, 0};
    if (poll_until({&in, 1}, Deadline::after(time)) == 0) {
      return std::nullopt;
    }
    char key = 0;
    return retry([&] { return read(STDIN_FILENO, &key, 1); }) == 1 ? key : 'q';
  }

 private:
  termios before_{};
};

/// When the file was last saved. Asked again and again, because inotify is blind on some mounts.
std::filesystem::file_time_type saved(const std::filesystem::path& file) {
  std::error_code gone;  // some editors replace the file: it is missing for a moment
  return std::filesystem::last_write_time(file, gone);
}

std::string bar(const Progress& progress, std::size_t total, const Ink& ink) {
  constexpr std::size_t kWidth = 30;
  const auto done = static_cast<std::size_t>(progress.count_done());
  const std::size_t full = total == 0 ? 0 : kWidth * done / total;
  return "[" + ink.green(std::string(full, '#')) + std::string(kWidth - full, '.') +
         fmt::format("] {} of {}", done, total);
}

void show(const Book& book, const Exercise& exercise, const std::string& verdict, bool passed) {
  const Ink ink(STDOUT_FILENO);
  fmt::print("\033[H\033[2J{}\n\n", bar(Progress(book), book.exercises().size(), ink));
  fmt::print("{}   {}\n\n{}", ink.bold(exercise.title()), exercise.file(), verdict);
  if (passed) {
    fmt::print("\n{} Read the reference beside it with ./learn diff {}; n leads on.\n",
               ink.green("Done."), exercise.number);
  }
  fmt::print("\n{}\n", ink.dim("n next   h hint   l list   r run again   q quit"));
  std::fflush(stdout);
}

/// The exercise after this one that is not done; around the end, and none when all are done.
const Exercise* after(const Book& book, const Exercise& current) {
  const Progress progress(book);
  const auto all = book.exercises();
  const auto here = std::find(all.begin(), all.end(), &current);
  for (auto it = std::next(here); it != all.end(); ++it) {
    if (!progress.done(**it)) {
      return *it;
    }
  }
  return progress.next();
}

int stay(const Book& book, const Exercise* exercise) {
  const Ink ink(STDOUT_FILENO);
  const Keys keys;
  while (exercise != nullptr) {
    const auto file = book.path(exercise->file());
    const auto time = saved(file);
    fmt::print("\033[H\033[2J{} ...\n", exercise->title());
    std::fflush(stdout);
    const Grade grade = grade_and_remember(book, *exercise);
    show(book, *exercise, describe_grade(grade, ink), grade.passed());
    for (bool again = false; !again;) {
      switch (Keys::wait(150ms).value_or('\0')) {
        case 'q':
          return grade.passed() ? kPassed : kNotYet;
        case 'n':
          exercise = after(book, *exercise);
          again = true;
          break;
        case 'r':
          again = true;
          break;
        case 'h':
          show(book, *exercise, next_hint(book, *exercise), false);
          break;
        case 'l':
          show(book, *exercise, map_of(book), false);
          break;
        default:
          again = saved(file) != time;
      }
    }
  }
  fmt::print(
      "\033[H\033[2JEvery exercise is done. ./learn demo NN --mine runs a chapter's demo on "
      "your own files.\n");
  return kPassed;
}

}  // namespace

int guide(const Book& book) {
  const Exercise* next = Progress(book).next();
  if (next == nullptr) {
    fmt::print("Every exercise is done.\n{}", map_of(book));
    return kPassed;
  }
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {
    return stay(book, next);
  }
  return check_command(book, {next->id()}, {}, false);
}

}  // namespace mp::runner
