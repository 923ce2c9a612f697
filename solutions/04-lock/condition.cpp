#include "04-lock/condition.hpp"

#include "00-syscalls/errors.hpp"

namespace mp {

bool Condition::wait_until(Deadline deadline) {
  const std::uint32_t seen = state_->sequence.load();  // while nobody can notify
  if (!lock_->is_mine()) {
    throw ValueError("wait: the caller does not hold the lock");
  }
  state_->waiters.fetch_add(1);
  const std::uint32_t depth = lock_->release_all();
  const auto back = [&] {
    lock_->acquire_again(depth);
    state_->waiters.fetch_sub(1);
  };
  Wake wake = Wake::kWoken;
  try {
    wake = futex_wait(state_->sequence, seen, deadline);
  } catch (...) {
    back();
    throw;
  }
  back();
  return wake != Wake::kTimedOut;
}

void Condition::notify(int count) {
  if (!lock_->is_mine()) {
    throw ValueError("notify: the caller does not hold the lock");
  }
  if (count > 0 && state_->waiters.load() > 0) {  // the kernel wakes one when it is told 0
    state_->sequence.fetch_add(1);
    futex_wake(state_->sequence, count);
  }
}

}  // namespace mp
