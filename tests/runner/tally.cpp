#include "runner/tally.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "runner/report.hpp"

namespace mp::runner {

void Tally::section(const std::string& title) {
  fmt::print("\n{}\n", Ink(STDOUT_FILENO).bold(title));
  std::fflush(stdout);
}

void Tally::pass(const std::string& name, const std::string& remark) {
  ++passed_;
  fmt::print("  ok    {:<56} {}\n", name, remark);
  std::fflush(stdout);
}

void Tally::fail(const std::string& name, const std::string& why) {
  ++failed_;
  const std::string text = fmt::format("  {}  {}: {}\n", Ink(STDOUT_FILENO).red("FAIL"), name, why);
  failures_ += text;
  fmt::print("{}", text);
  std::fflush(stdout);
}

void Tally::skip(const std::string& name, const std::string& why) {
  ++skipped_;
  fmt::print("  skip  {}: {}\n", name, why);
  std::fflush(stdout);
}

void Tally::remark(const std::string& text) {
  fmt::print("        {}\n", text);
}

bool Tally::finish() {
  if (failed_ > 0) {
    fmt::print("\nwhat failed:\n{}", failures_);
  }
  fmt::print("\n{} passed, {} failed", passed_, failed_);
  if (skipped_ > 0) {
    fmt::print(", {} skipped", skipped_);
  }
  fmt::print("\n");
  return failed_ == 0 && passed_ + skipped_ > 0;
}

}  // namespace mp::runner
