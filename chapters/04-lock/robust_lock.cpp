#include "04-lock/robust_lock.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "04-lock/identity.hpp"

namespace mp {

Acquired RobustLock::acquire_until([[maybe_unused]] Deadline deadline) {
  // TODO(4.7): the thread's list, told to the kernel; the lock pending; the word; the list.
  throw todo("4.7 RobustLock::acquire_until");
}

void RobustLock::release() {
  // TODO(4.7): the lock pending; the list; the word; the wake-up.
  throw todo("4.7 RobustLock::release");
}

}  // namespace mp
