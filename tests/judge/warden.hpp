#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "judge/verdict.hpp"

namespace mp::judge {

struct WardenOrders {
  std::string host;
  std::string module;
  std::string test;
  std::chrono::duration<double> time_limit;
};

/// Runs one test and judges it. To be called in a process of its own, which this function turns
/// into a warden: leader of a session, not dumpable, the new parent of every orphan below it.
///
/// Ends every process that the test has left, and cleans its folder for temporary files up.
/// Ends with the process that created it.
/// @throws std::system_error when the machine does not let it work.
Verdict watch_over(const WardenOrders& orders);

/// Removes the folder for temporary files of a warden that has ended without doing so.
void remove_folders_of(pid_t warden);

}  // namespace mp::judge
