#include "judge/verdict.hpp"

#include <array>
#include <stdexcept>

namespace mp::judge {

namespace {

constexpr std::array kWords = {"passed",  "failed", "todo", "skipped",
                               "crashed", "hung",   "left", "broken"};

void put(std::string& text, const std::string& field) {
  text += std::to_string(field.size()) + ':' + field;
}

std::string take(const std::string& text, std::size_t& at) {
  const std::size_t colon = text.find(':', at);
  if (colon == std::string::npos) {
    throw std::runtime_error("the warden ended before its report was complete");
  }
  const std::size_t size = std::stoul(text.substr(at, colon - at));
  if (size > text.size() - colon - 1) {
    throw std::runtime_error("the warden ended in the middle of its report");
  }
  at = colon + 1 + size;
  return text.substr(colon + 1, size);
}

}  // namespace

const char* word(Outcome outcome) {
  return kWords.at(static_cast<std::size_t>(outcome));
}

std::string pack(const Verdict& verdict) {
  std::string text;
  put(text, verdict.test);
  put(text, std::to_string(static_cast<int>(verdict.outcome)));
  put(text, verdict.did);
  put(text, verdict.expected);
  put(text, verdict.seen);
  put(text, verdict.read);
  put(text, verdict.picture);
  put(text, verdict.output);
  put(text, std::to_string(verdict.seconds));
  put(text, std::to_string(verdict.details.size()));
  for (const std::string& detail : verdict.details) {
    put(text, detail);
  }
  return text;
}

Verdict unpack(const std::string& text) {
  std::size_t at = 0;
  Verdict verdict;
  verdict.test = take(text, at);
  verdict.outcome = static_cast<Outcome>(std::stoi(take(text, at)));
  verdict.did = take(text, at);
  verdict.expected = take(text, at);
  verdict.seen = take(text, at);
  verdict.read = take(text, at);
  verdict.picture = take(text, at);
  verdict.output = take(text, at);
  verdict.seconds = std::stod(take(text, at));
  const std::size_t details = std::stoul(take(text, at));
  for (std::size_t i = 0; i < details; ++i) {
    verdict.details.push_back(take(text, at));
  }
  return verdict;
}

}  // namespace mp::judge
