#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace explorer {

/// Where in the code something happened: the address after the call, and the return addresses of
/// the functions around it, innermost first. A line is found from them only for a report.
struct Site {
  std::array<const void*, 4> frames{};
};

/// How an event is drawn.
enum class Tone {
  kPlain,
  kSleep,   ///< goes to sleep, or wakes
  kFault,   ///< something that seldom happens did: a spurious return, a death
  kFailed,  ///< the step at which the error shows
};

/// One step of one process. In `text`, "{}" stands for the name of the word.
struct Event {
  int process = -1;
  std::string text;
  const void* word = nullptr;
  std::size_t place = 0;  ///< where the word is in shared memory: "{8}" in a sentence is its name
  std::string name;       ///< of the word, where the test gave it one
  Site site{};
  Tone tone = Tone::kPlain;
};

/// One execution, written down.
struct Trace {
  std::vector<std::string> lanes;  ///< the names of the processes
  std::vector<Event> events;
};

}  // namespace explorer
