#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace explorer {

/// How many processes one world may have. Interleavings grow so fast that more would not be
/// explored in a lifetime; three find nearly every mistake that locks have.
constexpr int kMaxProcesses = 6;

using Stamp = std::uint32_t;

/// What a process knows of the others: for each, up to which of its moments everything that it did
/// happens before what comes now. Two accesses are ordered exactly when the later one's clock has
/// reached the earlier one's moment; otherwise nothing orders them, whatever the clock on the wall
/// said.
class VectorClock {
 public:
  Stamp& operator[](int process) { return stamps_[static_cast<std::size_t>(process)]; }
  Stamp operator[](int process) const { return stamps_[static_cast<std::size_t>(process)]; }

  /// Learns all that `other` knows.
  void join(const VectorClock& other) {
    for (std::size_t i = 0; i < stamps_.size(); ++i) {
      stamps_[i] = stamps_[i] < other.stamps_[i] ? other.stamps_[i] : stamps_[i];
    }
  }

  /// Whether moment `stamp` of `process` happens before what this clock belongs to.
  [[nodiscard]] bool has_seen(int process, Stamp stamp) const { return (*this)[process] >= stamp; }

  bool operator==(const VectorClock&) const = default;

 private:
  std::array<Stamp, kMaxProcesses> stamps_{};
};

}  // namespace explorer
