#pragma once

#include <string>

#include "runner/grading.hpp"

namespace mp::runner {

/// Colours, where they are wanted: on a terminal, with NO_COLOR unset.
class Ink {
 public:
  explicit Ink(int fd);
  [[nodiscard]] std::string green(const std::string& text) const { return paint("32", text); }
  [[nodiscard]] std::string red(const std::string& text) const { return paint("31", text); }
  [[nodiscard]] std::string yellow(const std::string& text) const { return paint("33", text); }
  [[nodiscard]] std::string bold(const std::string& text) const { return paint("1", text); }
  [[nodiscard]] std::string dim(const std::string& text) const { return paint("2", text); }

 private:
  [[nodiscard]] std::string paint(const char* code, const std::string& text) const;
  bool on_;
};

/// A verdict that is no pass, in four lines, with its details and what the program printed.
std::string explain(const judge::Verdict& verdict, const Ink& ink);

/// What a learner is shown of a grade: one line for a pass; else the compiler's first error, or
/// the first failing test in its four lines.
std::string describe_grade(const Grade& grade, const Ink& ink);

/// How wide the terminal is, in characters; 100 where stdout is none.
std::size_t columns();

/// Breaks long lines between words, as a pager for prose would. Code, which is indented or fenced,
/// keeps its lines.
std::string wrap(const std::string& text, std::size_t width);

/// `text` made safe for a terminal: control characters other than newline and tab become visible,
/// and at most `lines` lines are kept.
std::string tame(const std::string& text, std::size_t lines);

}  // namespace mp::runner
