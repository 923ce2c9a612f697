#include "00-syscalls/deadline.hpp"

#include <time.h>

#include <cerrno>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

std::chrono::nanoseconds monotonic_now() {
  // TODO(0.3): read CLOCK_MONOTONIC.
  throw todo("0.3 monotonic_now");
}

Deadline Deadline::in([[maybe_unused]] std::chrono::nanoseconds timeout) {
  // TODO(0.3): now + timeout, unless that overflows.
  throw todo("0.3 Deadline::in");
}

std::chrono::nanoseconds Deadline::remaining() const {
  // TODO(0.3): from now to at_, never less than zero; for ever where at_ holds nothing.
  throw todo("0.3 Deadline::remaining");
}

int poll_until([[maybe_unused]] std::span<pollfd> fds, [[maybe_unused]] Deadline deadline) {
  // TODO(0.3): poll, and after EINTR poll again with the time that is left.
  throw todo("0.3 poll_until");
}

}  // namespace mp
