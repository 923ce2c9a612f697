#pragma once

#include <chrono>
#include <cstddef>
#include <limits>

#include "support/faults.hpp"

/// What the wrapped calls (wrapped.cpp) ask the Faults object that is in force, if there is one.
namespace mp::test::staging {

struct Decision {
  int error = 0;  ///< not 0: the call fails with it, and errno is set
  std::size_t limit = std::numeric_limits<std::size_t>::max();  ///< bytes a read or write may move
};

/// Counts the call, runs the hooks before it, and says what is to become of it.
Decision enter(const Call& call);
/// Runs the hooks after a call that reached the kernel.
void leave(const Call& call);

std::chrono::nanoseconds clock_offset();
std::chrono::nanoseconds wall_offset();

}  // namespace mp::test::staging
