#include "04-lock/semaphore.hpp"

#include <string>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

Semaphore::Semaphore([[maybe_unused]] std::uint32_t value, [[maybe_unused]] std::uint32_t bound) {
  // TODO(4.4): refuse what is more than kMost, or more than its bound; then begin there.
  throw todo("4.4 Semaphore::Semaphore");
}

bool Semaphore::acquire_until([[maybe_unused]] Deadline deadline) {
  // TODO(4.4): count down if there is something left; else be counted as a waiter, and sleep.
  throw todo("4.4 Semaphore::acquire_until");
}

void Semaphore::release() {
  // TODO(4.4): count up, if the bound allows it; wake one, if there is one.
  throw todo("4.4 Semaphore::release");
}

std::uint32_t Semaphore::get_value() const noexcept {
  // TODO(4.4): a look at the value.
  return 0;
}

}  // namespace mp
