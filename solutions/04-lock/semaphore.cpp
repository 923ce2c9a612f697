#include "04-lock/semaphore.hpp"

#include <string>

#include "00-syscalls/errors.hpp"

namespace mp {

Semaphore::Semaphore(std::uint32_t value, std::uint32_t bound) {
  if (value > bound || bound > kMost) {
    throw ValueError("a semaphore of " + std::to_string(value) + " is too large");
  }
  state_->value.store(value);
  state_->bound = bound;
}

bool Semaphore::acquire_until(Deadline deadline) {
  const auto try_once = [this] {
    std::uint32_t seen = state_->value.load();
    while (seen > 0) {
      if (state_->value.compare_exchange_weak(seen, seen - 1)) {
        return true;
      }
    }
    return false;
  };
  if (try_once()) {
    return true;
  }
  // release() counts up first and looks for waiters then; here it is the other way round, so one of
  // the two sees the other. That takes sequential consistency.
  state_->waiters.fetch_add(1);
  bool taken = false;
  bool in_time = true;
  try {
    while (!taken && in_time) {
      in_time = futex_wait(state_->value, 0, deadline) != Wake::kTimedOut;
      taken = try_once();
    }
  } catch (...) {
    state_->waiters.fetch_sub(1);
    throw;
  }
  state_->waiters.fetch_sub(1);
  return taken;
}

void Semaphore::release() {
  std::uint32_t seen = state_->value.load();
  do {
    if (seen >= state_->bound) {
      throw ValueError("release: the semaphore is at its bound, " + std::to_string(seen));
    }
  } while (!state_->value.compare_exchange_weak(seen, seen + 1));
  if (state_->waiters.load() > 0) {
    futex_wake(state_->value, 1);
  }
}

std::uint32_t Semaphore::get_value() const noexcept {
  return state_->value.load();
}

}  // namespace mp
