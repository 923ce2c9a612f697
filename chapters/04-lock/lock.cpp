#include "04-lock/lock.hpp"

#include <stdexcept>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "04-lock/identity.hpp"

namespace mp {

bool Lock::acquire_until([[maybe_unused]] Deadline deadline) {
  // TODO(4.2): 0 to 1; else exchange 2, and sleep while it is 2. The owner, last.
  throw todo("4.2 Lock::acquire_until");
}

void Lock::release() {
  // TODO(4.2): whose is it? The owner, first; then 0; then a wake-up, if somebody sleeps.
  throw todo("4.2 Lock::release");
}

bool Lock::locked() const noexcept {
  // TODO(4.2): a look at the word.
  return false;
}

}  // namespace mp
