#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "00-syscalls/errors.hpp"
#include "05-queue/ring.hpp"

namespace mp {

/// How many items a queue holds at most. Python's way: zero or less means without a bound.
constexpr std::uint32_t bound_of(std::ptrdiff_t maxsize) noexcept {
  return maxsize > 0 && maxsize < std::ptrdiff_t{Ring::kMost} ? static_cast<std::uint32_t>(maxsize)
                                                              : Ring::kMost;
}

/// As many bytes, in whole units of a ring.
/// @throws ValueError if a ring cannot have so many, before anybody asks the kernel for them.
inline std::size_t whole_units(std::size_t bytes) {
  const std::size_t units = bytes / Ring::kUnit + (bytes % Ring::kUnit != 0 ? 1 : 0);
  if (units == 0 || units > std::numeric_limits<std::uint32_t>::max()) {
    throw ValueError("a queue of " + std::to_string(bytes) +
                     " bytes: it takes at least 1, and less than 32 GiB");
  }
  return units * Ring::kUnit;
}

}  // namespace mp
