#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/explorer/explorer.hpp"
#include "support/explorer/source_lines.hpp"

namespace explorer {

/// A trace made ready to be shown: lines of source looked up, words named, what is too long cut.
class Script {
 public:
  struct Step {
    int number = 0;  ///< from 1; 0 stands for "so many more of the same kind"
    int process = 0;
    std::string where;  ///< "lock.cpp:31"
    std::string text;
    Tone tone = Tone::kPlain;
  };

  explicit Script(const Exploration& found);

  [[nodiscard]] const std::vector<std::string>& lanes() const { return lanes_; }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  /// The lines of source that occur, each once, in the order of file and line.
  [[nodiscard]] const std::vector<Place>& source() const { return source_; }
  /// The sentence with the words' names in it.
  [[nodiscard]] const std::string& sentence() const { return sentence_; }

 private:
  void name_words(const Exploration& found, const SourceLines& lines);
  [[nodiscard]] std::string name(const void* word) const;

  std::vector<std::string> lanes_;
  std::vector<Step> steps_;
  std::vector<Place> source_;
  std::string sentence_;
  std::map<const void*, std::string> names_;
};

/// The name of the word that a line of source works on: `state_` in `state_.load(…)`, in
/// `syscall(SYS_futex, &state_, …)`. Empty when it cannot be told.
std::string guess_name(std::string_view line);

/// The name of what a line assigns to: `next` in `node->next = &head;`. Empty when it does not.
std::string guess_assigned(std::string_view line);

/// Breaks a text at blanks into lines of at most `width` characters.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);

/// The steps as lanes side by side.
std::string lanes(const Script& script);

/// The same as a figure, by the rules of docs/svg.py.
std::string figure(const Script& script, std::string_view title);

}  // namespace explorer
