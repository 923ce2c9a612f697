#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "judge/verdict.hpp"

namespace mp::judge {

/// What to run, and on what terms.
struct Request {
  std::string host;                ///< the program that loads modules
  std::string module;              ///< the module under test
  std::vector<std::string> tests;  ///< "Suite.Name" each, as the *reference's* module lists them
  std::chrono::duration<double> time_limit{5};  ///< for each test
  int jobs = 4;                                 ///< how many tests at once
};

/// Runs each test in a process of its own, watched by a warden of its own, and judges it.
///
/// Whoever tests leave behind is ended, and no test's end depends on another's. Names that appear
/// in /dev/shm or /tmp while several tests run are nobody's in particular: if any are
/// abandoned() there, the tests are run once more, one at a time.
/// @return the verdicts, in the order of `request.tests`.
/// @throws std::system_error, std::runtime_error when the machine does not let the judge work.
std::vector<Verdict> grade(const Request& request);

/// How much slower than the machine on which the limits were chosen this one is right now, from a
/// few forks: 1 to 8. A time limit is multiplied by it.
double slowness();

}  // namespace mp::judge
