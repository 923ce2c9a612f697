#pragma once

#include <cstddef>

/// What the judge and the host (the test's process) agree on.
namespace mp::judge {

inline constexpr int kSecretFd = 3;       ///< the host reads the secret from it and closes it
inline constexpr int kChannelFd = 4;      ///< where the host finds the channel for records
inline constexpr int kChannelHome = 200;  ///< and the lowest number that it moves it to
inline constexpr std::size_t kSecretLength = 32;
inline constexpr int kHostFailed = 96;  ///< the host's exit status before any test has run
inline constexpr int kUnheard = 98;     ///< and when the channel does not take its records

}  // namespace mp::judge
