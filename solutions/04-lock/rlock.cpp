#include "04-lock/rlock.hpp"

#include <limits>
#include <stdexcept>
#include <utility>

#include "00-syscalls/errors.hpp"
#include "04-lock/identity.hpp"

namespace mp {

bool RLock::is_mine() const {
  return state_->lock.owner.load(std::memory_order_relaxed) == thread_id();
}

bool RLock::acquire_until(Deadline deadline) {
  if (!is_mine()) {
    if (!Lock(state_->lock).acquire_until(deadline)) {
      return false;
    }
  } else if (state_->depth == std::numeric_limits<std::uint32_t>::max()) {
    throw std::overflow_error("acquire: taken too often");
  }
  ++state_->depth;
  return true;
}

void RLock::release() {
  if (!is_mine()) {
    throw ValueError("release: the caller does not hold this lock");
  }
  if (--state_->depth == 0) {
    Lock(state_->lock).release();
  }
}

std::uint32_t RLock::release_all() {
  if (!is_mine()) {
    throw ValueError("release_all: the caller does not hold this lock");
  }
  const std::uint32_t depth = std::exchange(state_->depth, 0);
  Lock(state_->lock).release();
  return depth;
}

void RLock::acquire_again(std::uint32_t depth) {
  Lock(state_->lock).acquire();
  state_->depth = depth;
}

}  // namespace mp
