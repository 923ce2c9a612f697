#include "runner/report.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace mp::runner {

namespace {

constexpr std::size_t kOutputLines = 12;
constexpr std::size_t kPictureLines = 90;
constexpr std::size_t kLabelWidth = 10;

void add_line(std::string& text, const char* label, const std::string& words, const Ink& ink) {
  if (words.empty()) {
    return;
  }
  std::istringstream lines(wrap(tame(words, 8), columns() - kLabelWidth - 2));
  std::string name = fmt::format("{:<{}}", label, kLabelWidth);
  for (std::string line; std::getline(lines, line);) {
    text += "  " + ink.dim(name) + line + "\n";
    name.assign(name.size(), ' ');
  }
}

/// A line with the names of the tests that fail as well; of unwritten functions there are many.
std::string other_failures(const Grade& grade, const std::string& shown, const Ink& ink) {
  constexpr std::size_t kMostNames = 4;
  std::string names;
  std::size_t count = 0;
  for (const judge::Verdict& test : grade.tests) {
    const bool failed = !test.passed() && test.outcome != judge::Outcome::kSkipped &&
                        test.outcome != judge::Outcome::kTodo && test.test != shown;
    if (failed && ++count <= kMostNames) {
      names += (names.empty() ? "" : ", ") + test.test;
    }
  }
  if (count > kMostNames) {
    names += fmt::format(", and {} more", count - kMostNames);
  }
  std::string text;
  add_line(text, "also", names, ink);
  return text;
}

}  // namespace

std::string wrap(const std::string& text, std::size_t width) {
  std::istringstream lines(text);
  std::string out;
  bool fenced = false;
  for (std::string line; std::getline(lines, line);) {
    fenced = fenced != line.starts_with("```");
    for (; !fenced && !line.starts_with("    ") && line.size() > width;) {
      const std::size_t space = line.rfind(' ', width);
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

std::size_t columns() {
  winsize size{};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::max<std::size_t>(size.ws_col, 40) : 100;
}

Ink::Ink(int fd) : on_(isatty(fd) == 1 && std::getenv("NO_COLOR") == nullptr) {
  const char* terminal = std::getenv("TERM");
  on_ = on_ && terminal != nullptr && std::string(terminal) != "dumb";
}

std::string Ink::paint(const char* code, const std::string& text) const {
  return on_ ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
}

std::string tame(const std::string& text, std::size_t lines) {
  std::string safe;
  std::size_t used = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' && ++used == lines) {
      const auto rest = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
      return rest > used ? safe + fmt::format("\n[{} lines more]\n", rest - used) : safe + "\n";
    }
    if (c == '\n' || c == '\t' || byte >= 0x20) {
      safe += c == '\177' ? '?' : c;
    } else {
      safe += fmt::format("\\x{:02x}", byte);
    }
  }
  return safe;
}

std::string explain(const judge::Verdict& verdict, const Ink& ink) {
  std::string text = fmt::format("{} {}\n", ink.red(word(verdict.outcome)), ink.bold(verdict.test));
  add_line(text, "did", verdict.did, ink);
  add_line(text, "expected", verdict.expected, ink);
  add_line(text, "seen", verdict.seen, ink);
  add_line(text, "read", verdict.read, ink);
  std::istringstream picture(tame(verdict.picture, kPictureLines));
  for (std::string line; std::getline(picture, line);) {  // as it is: its columns are its sense
    text += line.empty() ? "\n" : "    " + line + "\n";
  }
  std::string label = verdict.outcome == judge::Outcome::kHung      ? "where"
                      : verdict.outcome == judge::Outcome::kCrashed ? "at"
                                                                    : "and";
  for (const std::string& detail : verdict.details) {
    add_line(text, label.c_str(), tame(detail, 3), ink);
    label.clear();
  }
  if (!verdict.output.empty()) {
    std::istringstream lines(tame(verdict.output, kOutputLines));
    text += "  " + ink.dim("its output:") + "\n";
    for (std::string line; std::getline(lines, line);) {
      text += "    " + line + "\n";
    }
  }
  return text;
}

std::string describe_grade(const Grade& grade, const Ink& ink) {
  const std::string title = grade.exercise->title();
  const double seconds = grade.build_seconds + grade.test_seconds;
  if (!grade.build_error.empty()) {
    return fmt::format("{} {} ({}): it does not compile\n\n{}\n", ink.red("not yet"),
                       ink.bold(title), grade.exercise->file(), tame(grade.build_error, 12));
  }
  std::string text =
      fmt::format("{} {} ({}): {} of {} tests pass, {:.2f} s\n",
                  grade.passed() ? ink.green("passed") : ink.red("not yet"), ink.bold(title),
                  grade.exercise->file(), grade.passed_tests(), grade.tests.size(), seconds);
  if (!grade.warning.empty()) {
    text += ink.yellow("the compiler warns: ") + tame(grade.warning, 6) + "\n";
  }
  for (const judge::Verdict& test : grade.tests) {
    if (test.outcome == judge::Outcome::kSkipped) {
      text += fmt::format("  {} {}: {}\n", ink.yellow("skipped"), test.test, tame(test.seen, 2));
    }
  }
  if (grade.passed()) {
    return text;
  }
  const judge::Verdict& first = *grade.first_failure();
  return text + "\n" + explain(first, ink) + other_failures(grade, first.test, ink);
}

}  // namespace mp::runner
