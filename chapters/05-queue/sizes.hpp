#pragma once

#include <cstddef>
#include <cstdint>

#include "05-queue/ring.hpp"

namespace mp {

/// How many items a queue holds at most. Python's way: zero or less means without a bound.
constexpr std::uint32_t bound_of(std::ptrdiff_t maxsize) noexcept {
  return maxsize > 0 && maxsize < std::ptrdiff_t{Ring::kMost} ? static_cast<std::uint32_t>(maxsize)
                                                              : Ring::kMost;
}

/// As many bytes, in whole units of a ring.
constexpr std::size_t whole_units(std::size_t bytes) noexcept {
  return (bytes + Ring::kUnit - 1) / Ring::kUnit * Ring::kUnit;
}

}  // namespace mp
