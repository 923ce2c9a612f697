#include "04-lock/lock.hpp"

#include <stdexcept>

#include "00-syscalls/errors.hpp"
#include "04-lock/identity.hpp"

namespace mp {

bool Lock::acquire_until(Deadline deadline) {
  const std::uint32_t self = thread_id();
  std::uint32_t seen = kFree;
  if (!state_->word.compare_exchange_strong(seen, kHeld, std::memory_order_acquire)) {
    if (deadline.is_never() && state_->owner.load(std::memory_order_relaxed) == self) {
      throw std::logic_error("acquire: the caller holds this lock already");
    }
    // From now on with 2: it is not known whether others sleep as well, and whoever releases the
    // lock has to assume so.
    while (state_->word.exchange(kContended, std::memory_order_acquire) != kFree) {
      if (futex_wait(state_->word, kContended, deadline) == Wake::kTimedOut) {
        return false;  // and the word stays 2: a wake-up too many does no harm
      }
    }
  }
  state_->owner.store(self, std::memory_order_relaxed);
  return true;
}

void Lock::release() {
  if (state_->owner.load(std::memory_order_relaxed) != thread_id()) {
    throw ValueError("release: the caller does not hold this lock");
  }
  state_->owner.store(0, std::memory_order_relaxed);
  if (state_->word.exchange(kFree, std::memory_order_release) == kContended) {
    futex_wake(state_->word, 1);
  }
}

bool Lock::locked() const noexcept {
  return state_->word.load(std::memory_order_relaxed) != kFree;
}

}  // namespace mp
