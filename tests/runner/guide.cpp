// ./learn without a command: one exercise after the other, graded again at each save.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "01-process/process.hpp"
#include "01-process/spawn.hpp"
#include "judge/owned_fd.hpp"
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
    raw_ = before_;
    raw_.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    sigset_t continued;
    sigemptyset(&continued);
    sigaddset(&continued, SIGCONT);
    check(sigprocmask(SIG_BLOCK, &continued, nullptr), "sigprocmask");
    continued_ = judge::OwnedFd(check(signalfd(-1, &continued, SFD_CLOEXEC), "signalfd"));
    take_terminal();
  }
  ~Keys() { tcsetattr(STDIN_FILENO, TCSANOW, &before_); }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  /// The key pressed within that time; 'q' when the terminal is gone, kRedraw after `fg`.
  static constexpr char kRedraw = '\f';
  std::optional<char> wait(std::chrono::milliseconds time, int also = -1) const {
    std::array<pollfd, 3> in{
        {{STDIN_FILENO, POLLIN, 0}, {continued_.get(), POLLIN, 0}, {also, POLLIN, 0}}};
    if (poll_until(in, Deadline::after(time)) == 0) {
      return std::nullopt;
    }
    if (in[1].revents != 0) {
      signalfd_siginfo info{};
      check(retry([&] { return read(continued_.get(), &info, sizeof info); }), "read");
      take_terminal();
      return kRedraw;
    }
    if (in[0].revents == 0) {
      return std::nullopt;
    }
    char key = 0;
    return retry([&] { return read(STDIN_FILENO, &key, 1); }) == 1 ? key : 'q';
  }

 private:
  void take_terminal() const { check(tcsetattr(STDIN_FILENO, TCSANOW, &raw_), "tcsetattr"); }

  termios before_{};
  termios raw_{};
  judge::OwnedFd continued_;  // readable after the shell's `fg`, which has reset the terminal
};

/// A grading in a process of its own, so that a key or a save can end it: a test may hang.
class Grading {
 public:
  Grading(const Book& book, const Exercise& exercise)
      : report_(check(memfd_create("report", MFD_CLOEXEC), "memfd_create")),
        process_({.name = "grading", .die_with_parent = true},
                 [&book, &exercise, fd = report_.get()] {
                   sigset_t none;  // what this screen blocks is not for tests to inherit
                   sigemptyset(&none);
                   check(sigprocmask(SIG_SETMASK, &none, nullptr), "sigprocmask");
                   std::string text;
                   bool passed = false;
                   try {
                     const Grade grade = grade_and_remember(book, exercise);
                     text = describe_grade(grade, Ink(STDOUT_FILENO));
                     passed = grade.passed();
                   } catch (const std::exception& error) {
                     text = std::string("learn: ") + error.what() + "\n";
                   }
                   for (std::size_t done = 0; done < text.size();) {
                     done += static_cast<std::size_t>(
                         check(write(fd, text.data() + done, text.size() - done), "write"));
                   }
                   sys_exit(passed ? kPassed : kNotYet);
                 }) {
    process_.start();
  }
  ~Grading() { process_.kill(); }  // its wardens end with it, and end their tests

  [[nodiscard]] int sentinel() { return process_.sentinel(); }
  [[nodiscard]] bool finished() { return !process_.is_alive(); }
  [[nodiscard]] bool passed() { return process_.exitcode() == kPassed; }
  [[nodiscard]] std::string text() const {
    std::string text(static_cast<std::size_t>(check(lseek(report_.get(), 0, SEEK_END), "lseek")),
                     '\0');
    text.resize(static_cast<std::size_t>(
        check(pread(report_.get(), text.data(), text.size(), 0), "pread")));
    return text;
  }

 private:
  judge::OwnedFd report_;
  Process process_;
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

void show(const Book& book, const Exercise& exercise, const std::string& text, bool passed) {
  const Ink ink(STDOUT_FILENO);
  fmt::print("\033[H\033[2J{}\n\n", bar(Progress(book), book.exercises().size(), ink));
  fmt::print("{}", text);
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
  const auto here =
      std::find_if(all.begin(), all.end(), [&](const Exercise* e) { return e == &current; });
  for (auto it = std::next(here); it != all.end(); ++it) {
    if (!progress.done(**it)) {
      return *it;
    }
  }
  return progress.next();
}

/// What the learner asked for while an exercise was on the screen.
enum class Wish { kAgain, kNext, kQuit };

/// Grades one exercise and shows the verdict until a key or a save ends the scene.
Wish scene(const Book& book, const Exercise& exercise, const Keys& keys, bool& passed) {
  const auto file = book.path(exercise.file());
  const auto time = saved(file);
  std::string text = fmt::format("grading {} ({}) ...\n", exercise.title(), exercise.file());
  passed = false;
  show(book, exercise, text, passed);
  std::optional<Grading> grading(std::in_place, book, exercise);
  for (;;) {
    const auto key = keys.wait(150ms, grading ? grading->sentinel() : -1);
    if (grading && grading->finished()) {
      passed = grading->passed();
      text = grading->text();
      grading.reset();
      show(book, exercise, text, passed);
    }
    switch (key.value_or('\0')) {
      case 'q':
        return Wish::kQuit;
      case 'n':
        return Wish::kNext;
      case 'r':
        return Wish::kAgain;
      case 'h':
        show(book, exercise, next_hint(book, exercise), false);
        break;
      case 'l':
        show(book, exercise, map_of(book), false);
        break;
      case Keys::kRedraw:
        show(book, exercise, text, passed);
        break;
      default:
        break;
    }
    if (saved(file) != time) {
      return Wish::kAgain;
    }
  }
}

int stay(const Book& book, const Exercise* exercise) {
  const Keys keys;
  bool passed = false;
  while (exercise != nullptr) {
    switch (scene(book, *exercise, keys, passed)) {
      case Wish::kQuit:
        return passed ? kPassed : kNotYet;
      case Wish::kNext:
        exercise = after(book, *exercise);
        break;
      case Wish::kAgain:
        break;
    }
  }
  fmt::print(
      "\033[H\033[2JEvery exercise is done. ./learn demo NN --mine runs a chapter's demo on "
      "your own files.\n");
  return kPassed;
}

}  // namespace

int guide(const Book& book, const std::string& word) {
  const Exercise* first = word.empty() ? Progress(book).next() : &book.find_one(word);
  if (first == nullptr) {
    fmt::print("Every exercise is done.\n{}", map_of(book));
    return kPassed;
  }
  if (isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1) {
    return stay(book, first);
  }
  return check_command(book, {first->id()}, {}, false);
}

}  // namespace mp::runner
