#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "03-array/shared_region.hpp"

namespace mp {

/// A State that processes share: in memory of its own, or in somebody else's. (Given.)
template <class State>
class InSharedMemory {
  static_assert(std::is_trivially_destructible_v<State>, "nobody could say who is the last to go");
  static_assert(std::is_standard_layout_v<State>, "it must be the same in every program");

 public:
  /// In memory of its own: a new State.
  template <class... Args>
  explicit InSharedMemory(std::in_place_t /*tag*/, Args&&... args)
      : own_(SharedRegion::anonymous(sizeof(State))),
        state_(new (own_.data()) State{std::forward<Args>(args)...}) {}
  InSharedMemory() : InSharedMemory(std::in_place) {}
  /// In somebody else's, as it is.
  explicit InSharedMemory(State& state) noexcept
      : own_(SharedRegion::anonymous(0)), state_(&state) {}
  InSharedMemory(InSharedMemory&&) noexcept = default;             ///< `other` has none then.
  InSharedMemory& operator=(InSharedMemory&&) noexcept = default;  ///< Gives up its own.

  /// The State.
  State& operator*() const noexcept { return *state_; }
  /// The State.
  State* operator->() const noexcept { return state_; }

 private:
  SharedRegion own_;
  State* state_;
};

}  // namespace mp
