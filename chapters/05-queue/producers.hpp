#pragma once

#include <linux/futex.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "00-syscalls/errors.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/identity.hpp"
#include "04-lock/robust_lock.hpp"

namespace mp {

/// Who puts into a queue, for those who want to know when nobody is left. Whether a process lives,
/// the kernel knows, and it tells by a robust lock that the process holds all its life. (Given.)
class Producers {
 public:
  /// How many may be registered at the same time.
  static constexpr std::size_t kMost = 32;

  /// What the processes share. All zeros: none has ever come.
  struct State {
    FutexWord registered{0};                      ///< how many have come since the beginning
    std::array<RobustLock::State, kMost> places;  ///< each held by one that puts
  };

  /// One place, held by the thread that took it, until the object ends, or the thread does, in
  /// whatever way. A forked child has a copy, which means nothing.
  class Place {
   public:
    /// For a lock that the calling thread has just taken, and gives back with this object.
    explicit Place(RobustLock::State& state) noexcept : state_(state) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (owner_ == thread_id() && (state_.word.load() & FUTEX_TID_MASK) == owner_) {
        RobustLock(state_).release();
      }
    }

   private:
    RobustLock::State& state_;
    std::uint32_t owner_ = thread_id();
  };

  /// Takes a place for the calling thread.
  /// @throws ValueError if all are taken; std::system_error.
  static Place take_place(State& state) {
    for (RobustLock::State& place : state.places) {
      if (RobustLock(place).try_acquire() != Acquired::kNo) {
        state.registered.fetch_add(1);
        return Place(place);
      }
    }
    throw ValueError("there are " + std::to_string(kMost) + " producers already");
  }

  /// Whether some have come, and all of them are gone.
  static bool are_gone(const State& state) noexcept {
    const std::uint32_t registered = state.registered.load();
    const bool all_free = std::ranges::none_of(state.places, [](const RobustLock::State& place) {
      return (place.word.load() & FUTEX_TID_MASK) != 0;
    });
    // Who came meanwhile may be at a place that was looked at already, and still be there.
    return registered != 0 && all_free && state.registered.load() == registered;
  }
};

}  // namespace mp
