#include "04-lock/condition.hpp"

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

bool Condition::wait_until([[maybe_unused]] Deadline deadline) {
  // TODO(4.5): the sequence number, while nobody can notify; then the lock back, and sleep.
  throw todo("4.5 Condition::wait_until");
}

void Condition::notify([[maybe_unused]] int count) {
  // TODO(4.5): another sequence number, and a wake-up.
  throw todo("4.5 Condition::notify");
}

}  // namespace mp
