#include "runner/build.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "00-syscalls/check.hpp"
#include "judge/command.hpp"
#include "judge/owned_fd.hpp"

namespace mp::runner {

namespace {

/// Without the root of the repository in front, paths are short enough to be read.
std::string shorten(const Book& book, std::string line) {
  const std::string root = book.source.string() + "/";
  for (std::size_t at = 0; (at = line.find(root, at)) != std::string::npos;) {
    line.erase(at, root.size());
  }
  return line;
}

bool is_error(const std::string& line) {
  return line.find("error:") != std::string::npos || line.find("undefined ") != std::string::npos ||
         line.find("multiple definition") != std::string::npos ||
         line.find("duplicate symbol") != std::string::npos ||
         line.find("No space left") != std::string::npos;
}

std::vector<std::string> lines_of(const Book& book, const std::string& output) {
  std::vector<std::string> lines;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);) {
    lines.push_back(shorten(book, line));
  }
  return lines;
}

/// A message and the lines of source and marker that gcc and clang print below it.
std::string with_source(const std::vector<std::string>& lines,
                        std::vector<std::string>::const_iterator message) {
  std::string text = *message;
  for (auto line = std::next(message); line != lines.end() && line - message < 6; ++line) {
    if (line->find(" | ") == std::string::npos) {
      break;
    }
    text += "\n" + *line;
  }
  return text;
}

}  // namespace

BuildResult build(const Book& book, const std::vector<std::string>& targets, bool keep_going) {
  const std::string lock = book.build / ".build-lock";
  const std::string opening = "open " + lock;
  const judge::OwnedFd fd(check(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666), opening));
  check(retry([&] { return flock(fd.get(), LOCK_EX); }), "flock");
  std::vector<std::string> words = {"ninja", "-C", book.build.string()};
  if (keep_going) {
    words.insert(words.end(), {"-k", "0"});
  }
  words.insert(words.end(), targets.begin(), targets.end());
  const judge::CommandResult result = judge::run_command(words);
  return {result.exitcode == 0, result.output};
}

std::string first_warning(const Book& book, const std::string& output, const std::string& file) {
  const std::vector<std::string> lines = lines_of(book, output);
  const auto warning = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.starts_with(file) && line.find("warning:") != std::string::npos;
  });
  return warning == lines.end() ? "" : with_source(lines, warning);
}

std::string first_error(const Book& book, const std::string& output) {
  const std::vector<std::string> lines = lines_of(book, output);
  const auto error = std::find_if(lines.begin(), lines.end(), is_error);
  if (error == lines.end()) {
    return shorten(book, output);
  }
  static const std::regex undefined(
      R"(undefined (?:symbol|reference)[^`']*?[:`' ]+(mp::[^`'\n]+))");
  std::smatch match;
  if (std::regex_search(*error, match, undefined)) {
    return "your file has to define `" + match[1].str() +
           "`, inside of namespace mp and with the parameters of the contract; the linker found "
           "none";
  }
  return with_source(lines, error);
}

}  // namespace mp::runner
