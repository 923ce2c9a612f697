#include "04-lock/event.hpp"

#include <climits>

#include "00-syscalls/todo.hpp"

namespace mp {

bool Event::is_set() const noexcept {
  // TODO(4.6): a look at bit 0.
  return false;
}

void Event::set() {
  // TODO(4.6): bit 0, and one more in the count, in one step; then wake all.
  throw todo("4.6 Event::set");
}

void Event::clear() noexcept {
  // TODO(4.6): bit 0 only.
}

bool Event::wait_until([[maybe_unused]] Deadline deadline) const {
  // TODO(4.6): sleep until it is set, or the count is another one.
  throw todo("4.6 Event::wait_until");
}

}  // namespace mp
