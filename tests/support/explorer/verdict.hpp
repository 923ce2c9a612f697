#pragma once

#include <string>

namespace explorer {

/// The classes of error that the explorer tells apart.
enum class Verdict {
  kRight,            ///< nothing wrong within the bounds
  kExclusion,        ///< more are inside at once than may be
  kDataRace,         ///< two accesses of plain data, and nothing orders one before the other
  kDeadlock,         ///< all sleep, and nobody is left to wake them
  kLostWakeup,       ///< the same, and the wake-up came before the sleep, or never came
  kLivelock,         ///< steps without end, and without getting anywhere
  kStranger,         ///< released by somebody who does not hold it
  kOverCount,        ///< a count is higher than it may be
  kProperty,         ///< something the test demands does not hold
  kPastDeadline,     ///< waits, though its time is over
  kException,        ///< an exception left a process
  kPrivateFutex,     ///< FUTEX_PRIVATE_FLAG on a word that processes share
  kRefused,          ///< something that the model does not know
  kNotReproducible,  ///< the same schedule led elsewhere
};

/// The class in a few words: "lost wake-up".
const char* words(Verdict verdict);

/// The sentence of kNotReproducible.
inline constexpr const char* kElsewhere =
    "the same schedule led elsewhere: the outcome depends on something that the explorer does not "
    "control (a random number, the real time, an address, a variable outside of the world)";

struct Failure {
  Verdict verdict = Verdict::kRight;
  std::string sentence;  ///< what happened, with names of processes, words and values
};

}  // namespace explorer
