#include "support/explorer/report.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace explorer {

namespace {

constexpr std::size_t kMostSteps = 60;  // what is longer goes round in circles: its ends are shown
constexpr std::size_t kFirst = 25;
constexpr std::size_t kLast = 20;

bool in_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The identifier that ends at `end`, with an index behind it: `slots[i]`.
std::string identifier_before(std::string_view line, std::size_t end) {
  std::size_t start = end;
  int depth = 0;
  while (start > 0) {
    const char c = line[start - 1];
    depth += c == ']' ? 1 : 0;
    if (depth == 0 && !in_identifier(c)) {
      break;
    }
    depth -= c == '[' ? 1 : 0;
    --start;
  }
  return std::string(line.substr(start, end - start));
}

/// The last part of `&this->word_.state`, from `start` on.
std::string identifier_after(std::string_view line, std::size_t start) {
  std::size_t end = start;
  while (end < line.size() &&
         (in_identifier(line[end]) ||
          std::string_view(".->&* ").find(line[end]) != std::string_view::npos)) {
    ++end;
  }
  while (end > start && !in_identifier(line[end - 1])) {
    --end;
  }
  return identifier_before(line, end);
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string guess_name(std::string_view line) {
  for (const std::string_view call :
       {".load(", ".store(", ".exchange(", ".fetch_", ".compare_exchange", ".test_and_set(",
        ".clear(", "->load(", "->store(", "->exchange(", "->fetch_", "->compare_exchange"}) {
    if (const auto at = line.find(call); at != std::string_view::npos) {
      return identifier_before(line, at);
    }
  }
  for (const std::string_view call : {"SYS_futex, ", "futex_wait(", "futex_wake("}) {
    if (const auto at = line.find(call); at != std::string_view::npos) {
      return identifier_after(line, at + call.size());
    }
  }
  return "";
}

std::string guess_assigned(std::string_view line) {
  for (const std::string_view sign : {" = ", " += ", " -= "}) {
    if (const auto at = line.find(sign); at != std::string_view::npos) {
      return identifier_before(line, at);
    }
  }
  return "";
}

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string rest = text;
  while (rest.size() > width) {
    auto cut = rest.rfind(' ', width);
    if (cut == std::string::npos || cut == 0) {
      cut = width;
    }
    lines.push_back(rest.substr(0, cut));
    rest.erase(0, rest[cut] == ' ' ? cut + 1 : cut);
  }
  lines.push_back(std::move(rest));
  return lines;
}

void Script::name_words(const Exploration& found, const SourceLines& lines) {
  // Atomic operations name their word best; a futex call may be in a function that has another
  // name for it.
  std::map<std::string, int> uses;
  for (const bool futex : {false, true}) {
    for (const Event& event : found.trace.events) {
      if (event.word == nullptr || names_.contains(event.word)) {
        continue;
      }
      std::string guess = event.name;
      for (const Place& place : lines.at(event.site)) {
        if (!guess.empty()) {
          break;
        }
        if ((place.text.find("futex") != std::string::npos) == futex) {
          guess = guess_name(place.text);
        }
      }
      if (guess.empty() && event.text.ends_with(" write")) {
        guess = guess_assigned(lines.where(event.site).text);
      }
      if (!guess.empty()) {
        const int use = ++uses[guess];
        names_[event.word] = use == 1 ? guess : guess + " (" + std::to_string(use) + ")";
      }
    }
  }
}

std::string Script::name(const void* word) const {
  const auto known = names_.find(word);
  return known == names_.end() ? "a field" : known->second;
}

Script::Script(const Exploration& found) : lanes_(found.trace.lanes) {
  const SourceLines lines(found.trace);
  name_words(found, lines);

  sentence_ = found.detail;
  for (const Event& event : found.trace.events) {
    if (event.word != nullptr) {
      replace_all(sentence_, "{" + std::to_string(event.place) + "}", name(event.word));
    }
  }

  std::set<std::pair<std::string, int>> seen;
  const auto& events = found.trace.events;
  const bool circles = found.verdict == Verdict::kLivelock;
  const std::size_t first = circles ? kFirst / 2 : kFirst;
  const std::size_t last = circles ? kLast / 3 : kLast;
  const bool cut = events.size() > (circles ? first + last : kMostSteps);
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (cut && i == first) {
      const std::size_t skipped = events.size() - first - last;
      steps_.push_back({0, 0, "", std::to_string(skipped) + " more steps of this kind", {}});
      i += skipped;
    }
    const Event& event = events[i];
    const Place place = lines.where(event.site);
    Step step{static_cast<int>(i) + 1, event.process, place.short_name(), event.text, event.tone};
    if (event.word != nullptr) {
      replace_all(step.text, "{}", name(event.word));
    }
    steps_.push_back(std::move(step));
    if (!place.file.empty() && seen.emplace(place.file, place.line).second) {
      source_.push_back(place);
    }
  }
  std::sort(source_.begin(), source_.end(), [](const Place& a, const Place& b) {
    return std::pair(a.file, a.line) < std::pair(b.file, b.line);
  });
}

std::string lanes(const Script& script) {
  const std::size_t count = std::max<std::size_t>(script.lanes().size(), 1);
  const std::size_t width = count <= 2 ? 42 : count == 3 ? 32 : 26;
  std::size_t where = 5;
  for (const Script::Step& step : script.steps()) {
    where = std::max(where, step.where.size());
  }
  const auto padded = [](std::string text, std::size_t size) {
    text.resize(std::max(text.size(), size), ' ');
    return text;
  };
  const auto trimmed = [](std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string head = "  step  " + padded("where", where) + "  ";
  for (const std::string& lane : script.lanes()) {
    head += padded("| " + lane, width);
  }
  std::string text = trimmed(head);
  for (const Script::Step& step : script.steps()) {
    if (step.number == 0) {
      text += "   ...  " + padded("", where) + "  (" + step.text + ")\n";
      continue;
    }
    std::string number = std::to_string(step.number);
    number.insert(0, number.size() < 6 ? 6 - number.size() : 0, ' ');
    const char* const mark = step.tone == Tone::kFailed  ? "!"
                             : step.tone == Tone::kFault ? "*"
                                                         : "|";
    bool first = true;
    for (const std::string& part : wrapped(step.text, width - 3)) {
      std::string line =
          first ? number + "  " + padded(step.where, where) + "  " : padded("", 6 + 2 + where + 2);
      for (int lane = 0; lane < static_cast<int>(count); ++lane) {
        line += lane == step.process ? padded(std::string(mark) + " " + part, width)
                                     : padded("|", width);
      }
      text += trimmed(line);
      first = false;
    }
  }
  return text;
}

std::string Exploration::sentence() const {
  if (!failed()) {
    return words(verdict);
  }
  return std::string(words(verdict)) + ": " + Script(*this).sentence();
}

std::string Exploration::report() const {
  const std::string effort =
      std::to_string(executions) + (executions == 1 ? " interleaving" : " interleavings");
  if (!failed()) {
    return std::string(words(verdict)) + " in " + effort +
           (complete ? ", all that there are within the bounds\n"
                     : "; the budget ended the search\n");
  }
  const Script script(*this);
  std::string text =
      std::string(words(verdict)) + ": " + script.sentence() + "\n\n" + lanes(script) + "\n";
  for (const Place& place : script.source()) {
    text += "  " + place.short_name() + ":  " + place.text + "\n";
  }
  const auto count = [](int number, const std::string& thing) {
    return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
  };
  text += "\nFound in " + effort + "; this one needs " + count(preemptions, "preemption") +
          " and " + count(faults, "fault") + " (*).\nTo see it again: replay(\"" + schedule +
          "\")\n";
  return text;
}

std::string Exploration::svg() const {
  return figure(Script(*this), sentence());
}

}  // namespace explorer
