#include "04-lock/rlock.hpp"

#include <limits>
#include <stdexcept>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "04-lock/identity.hpp"

namespace mp {

bool RLock::is_mine() const {
  // TODO(4.3): who is the owner, and who am I?
  throw todo("4.3 RLock::is_mine");
}

bool RLock::acquire_until([[maybe_unused]] Deadline deadline) {
  // TODO(4.3): Lock(state_->lock), unless it is the caller's already; then count.
  throw todo("4.3 RLock::acquire_until");
}

void RLock::release() {
  // TODO(4.3): count; the last one gives the lock back.
  throw todo("4.3 RLock::release");
}

std::uint32_t RLock::release_all() {
  // TODO(4.3): how often it was taken; none is left.
  throw todo("4.3 RLock::release_all");
}

void RLock::acquire_again([[maybe_unused]] std::uint32_t depth) {
  // TODO(4.3): the lock, and the count as it was.
  throw todo("4.3 RLock::acquire_again");
}

}  // namespace mp
