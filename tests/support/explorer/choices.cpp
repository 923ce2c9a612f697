#include "support/explorer/choices.hpp"

#include <charconv>

namespace explorer {

namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

/// Takes a number and the letter after it off the front.
std::optional<int> take_number(std::string_view& text, char unit) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || length >= text.size() || *end != unit) {
    return std::nullopt;
  }
  text.remove_prefix(length + 1);
  return number;
}

}  // namespace

std::optional<int> Choices::choose(int count, int context) {
  if (depth_ == path_.size()) {
    path_.push_back({count, 0, context});
  }
  Choice& choice = path_[depth_++];
  if (choice.count == 0) {
    choice.count = count;
    choice.context = context;
  }
  if (choice.count != count || choice.context != context || choice.taken >= count) {
    return std::nullopt;
  }
  return choice.taken;
}

bool Choices::advance() {
  // What lies deeper than the last execution came belongs to a schedule that was followed.
  path_.resize(depth_ < path_.size() ? depth_ : path_.size());
  while (!path_.empty() && path_.back().taken + 1 == path_.back().count) {
    path_.pop_back();
  }
  if (path_.empty()) {
    return false;
  }
  ++path_.back().taken;
  return true;
}

std::string Choices::schedule(Bounds bounds) const {
  std::string text =
      std::to_string(bounds.preemptions) + "p" + std::to_string(bounds.faults) + "f-";
  const std::size_t start = text.size();
  for (std::size_t i = 0; i < depth_ && i < path_.size(); ++i) {
    text += kDigits[static_cast<std::size_t>(path_[i].taken)];
  }
  while (text.size() > start && text.back() == '0') {
    text.pop_back();
  }
  return text;
}

std::optional<Bounds> Choices::follow(std::string_view schedule) {
  reset();
  const auto preemptions = take_number(schedule, 'p');
  const auto faults = preemptions ? take_number(schedule, 'f') : std::nullopt;
  if (!faults || schedule.empty() || schedule.front() != '-') {
    return std::nullopt;
  }
  for (const char digit : schedule.substr(1)) {
    const auto taken = kDigits.find(digit);
    if (taken == std::string_view::npos) {
      return std::nullopt;
    }
    path_.push_back({0, static_cast<int>(taken), 0});
  }
  return Bounds{*preemptions, *faults};
}

}  // namespace explorer
