#pragma once

#include <chrono>

#include "00-syscalls/deadline.hpp"

namespace mp {

/// Whether there is no time left.
inline bool has_passed(Deadline deadline) {
  return !deadline.is_never() && deadline.remaining() == std::chrono::nanoseconds::zero();
}

/// The deadline, or `time` from now, whichever comes first.
inline Deadline at_most(Deadline deadline, std::chrono::nanoseconds time) {
  return deadline.is_never() || deadline.remaining() > time ? Deadline::after(time) : deadline;
}

/// The deadline, or `time` from now, whichever comes last.
inline Deadline at_least(Deadline deadline, std::chrono::nanoseconds time) {
  return deadline.is_never() || deadline.remaining() > time ? deadline : Deadline::after(time);
}

}  // namespace mp
