#include "judge/rules.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

namespace mp::judge {

namespace {

std::string demangle(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? text.get() : name;
}

bool is_mangled(const std::string& name) {
  return name.starts_with("_Z");
}

/// The allowed functions: one a line, `#` begins a comment, a `*` at the end stands for anything.
class AllowList {
 public:
  AllowList(const std::string& file, const std::vector<std::string>& more)
      : names_(more.begin(), more.end()) {
    std::ifstream in(file);
    if (!in) {
      throw std::runtime_error("cannot read " + file);
    }
    for (std::string line; std::getline(in, line);) {
      line = line.substr(0, line.find_first_of("# "));
      if (line.ends_with('*')) {
        prefixes_.push_back(line.substr(0, line.size() - 1));
      } else if (!line.empty()) {
        names_.insert(line);
      }
    }
  }

  [[nodiscard]] bool allows(const std::string& name) const {
    return names_.contains(name) ||
           std::any_of(prefixes_.begin(), prefixes_.end(),
                       [&](const std::string& prefix) { return name.starts_with(prefix); });
  }

 private:
  std::set<std::string> names_;
  std::vector<std::string> prefixes_;
};

/// C++ libraries that are ready-made versions of what the book builds, or the judge's own.
std::optional<std::string> forbidden_library(const std::string& function) {
  for (const char* prefix : {"std::thread", "std::jthread", "std::this_thread", "std::mutex",
                             "std::condition_variable", "std::__detail::__platform_", "std::future",
                             "std::promise", "testing::", "mp::test::", "mp::judge::", "boost::"}) {
    if (function.starts_with(prefix)) {
      return function;
    }
  }
  return std::nullopt;
}

/// Whether a learner's file may define that. What it defines comes before what a library does, so
/// the name of a call, allowed or not, is not to be defined, nor anything of the graders' own.
bool may_define(const Symbol& symbol, const std::string& name) {
  if (!is_mangled(symbol.name)) {
    return symbol.name.starts_with("DW.ref.") || symbol.name.starts_with("__odr_asan") ||
           symbol.name == "__clang_call_terminate";  // made up by compilers
  }
  for (const char* part : {"mp::test::", "mp::judge::", "testing::"}) {
    if (name.find(part) != std::string::npos) {
      return false;
    }
  }
  // Weak definitions of mangled names are instances of templates: everybody has those.
  return symbol.weak || name.find("mp::") != std::string::npos;
}

std::optional<std::string> broken_by_symbols(const RulesQuestion& question) {
  const AllowList allowed(question.allowed, question.calls);
  for (const Symbol& symbol : global_symbols(question.object)) {
    const std::string name = is_mangled(symbol.name) ? demangle(symbol.name) : symbol.name;
    if (symbol.defined) {
      if (!may_define(symbol, name)) {
        return "it defines `" + name + "` for everybody; what is yours belongs in namespace mp";
      }
    } else if (is_mangled(symbol.name)) {
      if (const auto found = forbidden_library(name)) {
        return "it uses `" + *found + "`, a ready-made version of what the book builds";
      }
    } else if (!allowed.allows(symbol.name)) {
      return "it calls `" + symbol.name + "`, which is not on the list of chapter " +
             question.chapter;
    }
  }
  return std::nullopt;
}

/// The source with its comments and literals blanked out, so that words in them break no rule.
std::string without_comments(const std::string& source) {
  enum class State { kCode, kLine, kBlock, kString, kCharacter };
  std::string text = source;
  State state = State::kCode;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i];
    const bool pair = i + 1 < source.size();
    if (state == State::kCode) {
      const bool separator = i > 0 && std::isdigit(static_cast<unsigned char>(source[i - 1])) != 0;
      if (pair && source.compare(i, 2, "//") == 0) {
        state = State::kLine;
      } else if (pair && source.compare(i, 2, "/*") == 0) {
        state = State::kBlock;
      } else if (c == '"') {
        state = State::kString;
        continue;  // the quotes stay: `#include "…"` is still to be seen
      } else if (c == '\'' && !separator) {  // not that of 1'000
        state = State::kCharacter;
      }
    } else if (pair && c == '\\' && state != State::kBlock) {  // what follows ends nothing
      text[i++] = ' ';
    } else if ((state == State::kLine && c == '\n') || (state == State::kString && c == '"') ||
               (state == State::kCharacter && c == '\'') ||
               (state == State::kBlock && c == '/' && source[i - 1] == '*')) {
      text[i] = c == '/' ? ' ' : c;
      state = State::kCode;
      continue;
    }
    if (state != State::kCode && source[i] != '\n') {
      text[i] = ' ';
    }
  }
  return text;
}

std::optional<std::string> broken_by_source(const RulesQuestion& question) {
  static const std::regex include_line(
      R"(^\s*#\s*include\s*<(mutex|shared_mutex|thread|condition_variable|semaphore|latch|barrier|)"
      R"(future|stop_token|pthread\.h|semaphore\.h|mqueue\.h|threads\.h|dlfcn\.h|link\.h|boost/.*|)"
      R"(gtest/.*|gmock/.*)>)");
  static const std::regex assembly(R"(\b(asm|__asm|__asm__)\b)");
  // The explorer sees the file compiled once more, in another way; it has to be the same code.
  static const std::regex directive(R"(^\s*(?:#|%:)\s*(?!include\b|pragma\s+once\b)(\w+))");
  static const std::regex asks(
      R"(\b(__SANITIZE_\w*|__OPTIMIZE__|MP_THREAD_SANITIZER|__PRETTY_FUNCTION__|typeid|)"
      R"(source_location|__tsan_\w+|weak|__weak__|explored)\b|\b(__builtin_(?!bswap)\w+))");
  std::ifstream in(question.source);
  if (!in) {
    throw std::runtime_error("cannot read " + question.source);
  }
  const std::string text =
      without_comments({std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()});
  std::size_t number = 0;
  for (std::size_t start = 0; start < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    std::smatch match;
    if (std::regex_search(line, match, include_line)) {
      return "line " + std::to_string(number + 1) + " includes <" + match[1].str() +
             ">, which the rules leave out";
    }
    if (std::regex_search(line, match, directive)) {
      return "line " + std::to_string(number + 1) + " holds `#" + match[1].str() +
             "`; of the preprocessor, only #include is left";
    }
    if (std::regex_search(line, match, asks)) {
      return "line " + std::to_string(number + 1) + " asks how it is compiled, with `" +
             (match[1].matched ? match[1].str() : match[2].str()) +
             "`; the same code has to be graded and used";
    }
    if (std::regex_search(line, match, assembly)) {
      return "line " + std::to_string(number + 1) + " holds inline assembly";
    }
  }
  return std::nullopt;
}

}  // namespace

Verdict check_rules(const RulesQuestion& question) {
  Verdict verdict;
  verdict.test = "Rules";
  verdict.outcome = Outcome::kPassed;
  auto broken = broken_by_symbols(question);
  if (!broken) {
    broken = broken_by_source(question);
  }
  if (broken) {
    verdict.outcome = Outcome::kFailed;
    verdict.did = "read what your file includes, calls and defines";
    verdict.expected = "thin system calls and the language's own library (the rules of the game)";
    verdict.seen = *broken;
    verdict.read = "chapters/00-syscalls/README.md, \"What \"raw\" means in this book\"";
  }
  return verdict;
}

}  // namespace mp::judge
