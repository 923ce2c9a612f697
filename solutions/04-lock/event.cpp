#include "04-lock/event.hpp"

#include <climits>

namespace mp {

namespace {

constexpr std::uint32_t kSet = 1;
constexpr std::uint32_t kOnce = 2;  // the count begins at the second bit

}  // namespace

bool Event::is_set() const noexcept {
  return (state_->word.load(std::memory_order_acquire) & kSet) != 0;
}

void Event::set() {
  std::uint32_t seen = state_->word.load(std::memory_order_relaxed);
  std::uint32_t wanted = 0;
  do {
    // Set already, it still has to be written: whoever waits for it next must see what this process
    // did before.
    wanted = (seen & kSet) != 0 ? seen : (seen + kOnce) | kSet;
  } while (!state_->word.compare_exchange_weak(seen, wanted, std::memory_order_release,
                                               std::memory_order_relaxed));
  if (wanted != seen) {
    futex_wake(state_->word, INT_MAX);
  }
}

void Event::clear() noexcept {
  state_->word.fetch_and(~kSet, std::memory_order_relaxed);
}

bool Event::wait_until(Deadline deadline) const {
  const std::uint32_t first = state_->word.load(std::memory_order_acquire);
  // Not set, and not set since: a set() that a clear() has followed at once counts, too.
  const auto has_come = [first](std::uint32_t seen) {
    return (seen & kSet) != 0 || seen / kOnce != first / kOnce;
  };
  std::uint32_t seen = first;
  while (!has_come(seen)) {
    const Wake wake = futex_wait(state_->word, seen, deadline);
    seen = state_->word.load(std::memory_order_acquire);
    if (wake == Wake::kTimedOut) {
      return has_come(seen);
    }
  }
  return true;
}

}  // namespace mp
