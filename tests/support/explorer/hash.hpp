#pragma once

#include <cstdint>

namespace explorer {

/// Adds a number to a fingerprint. The order in which numbers are added counts.
constexpr std::uint64_t mix(std::uint64_t fingerprint, std::uint64_t number) {
  fingerprint ^= number + 0x9e3779b97f4a7c15 + (fingerprint << 6) + (fingerprint >> 2);
  fingerprint *= 0xff51afd7ed558ccd;
  return fingerprint ^ (fingerprint >> 32);
}

}  // namespace explorer
