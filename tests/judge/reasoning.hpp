#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "judge/records.hpp"
#include "judge/verdict.hpp"

namespace mp::judge {

/// Everything that the warden has seen of a test.
struct Evidence {
  std::string test;
  pid_t host = 0;
  int exitcode = 0;  ///< n, or -signal
  bool over_time = false;
  bool fork_bomb = false;
  bool dismissed = false;  ///< the warden was told to end, by its creator's death or by a signal
  std::chrono::duration<double> time_limit{0};
  std::chrono::duration<double> elapsed{0};
  std::vector<std::string> autopsy;  ///< taken before the end was enforced
  std::vector<std::string> left;     ///< orphans, names: found by the warden
  std::string output;
};

/// The judgement. A test has passed only when its records came in order from one process, that
/// process ended with 0, nothing else was on the channel, nobody and nothing was left, in time.
Verdict judge(const Records& records, const Evidence& evidence);

}  // namespace mp::judge
