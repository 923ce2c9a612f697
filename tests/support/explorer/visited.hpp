#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace explorer {

/// The moments at which the search has been, by fingerprint, each with the least number of
/// preemptions that it had cost to come there. A moment that cost as little before need not be
/// searched again: whatever follows it has been seen, or will be.
///
/// Open addressing, since this is asked at every step of every execution.
class Visited {
 public:
  void clear() {
    slots_.assign(slots_.size() > kLarge ? kLarge : slots_.size(), Slot{});
    used_ = 0;
  }

  /// Notes the moment. @return true when it was there already at no higher cost.
  bool seen(std::uint64_t fingerprint, int preemptions) {
    if (2 * (used_ + 1) > slots_.size()) {
      grow();
    }
    fingerprint |= 1;  // 0 marks a free slot
    Slot& slot = find(fingerprint);
    if (slot.fingerprint == 0) {
      slot = {fingerprint, preemptions};
      ++used_;
      return false;
    }
    if (slot.preemptions <= preemptions) {
      return true;
    }
    slot.preemptions = preemptions;
    return false;
  }

 private:
  static constexpr std::size_t kLarge = 1UL << 12;

  struct Slot {
    std::uint64_t fingerprint = 0;
    int preemptions = 0;
  };

  Slot& find(std::uint64_t fingerprint) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = (fingerprint >> 8) & mask;
    while (slots_[at].fingerprint != 0 && slots_[at].fingerprint != fingerprint) {
      at = (at + 1) & mask;
    }
    return slots_[at];
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? kLarge : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.fingerprint != 0) {
        find(slot.fingerprint) = slot;
      }
    }
  }

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace explorer
