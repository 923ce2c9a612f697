#include "00-syscalls/deadline.hpp"

#include <time.h>

#include <algorithm>
#include <cerrno>

#include "00-syscalls/check.hpp"

namespace mp {

using std::chrono::nanoseconds;

std::chrono::nanoseconds monotonic_now() {
  timespec now{};
  // Not CLOCK_REALTIME: an administrator, NTP or a virtual machine's host may set that one.
  check(clock_gettime(CLOCK_MONOTONIC, &now), "clock_gettime");
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

Deadline Deadline::in(nanoseconds timeout) {
  const nanoseconds now = monotonic_now();
  return Deadline(timeout > nanoseconds::max() - now ? nanoseconds::max() : now + timeout);
}

nanoseconds Deadline::remaining() const {
  if (!at_) {
    return nanoseconds::max();
  }
  return std::max(*at_ - monotonic_now(), nanoseconds::zero());
}

int poll_until(std::span<pollfd> fds, Deadline deadline) {
  for (;;) {
    // The time left is computed anew for each round: a signal every 50 ms must not make a wait
    // of 60 ms last for ever.
    timespec left{};
    if (!deadline.is_never()) {
      const nanoseconds time = deadline.remaining();
      const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
      left.tv_sec = seconds.count();
      left.tv_nsec = (time - seconds).count();
    }
    const int ready = ppoll(fds.data(), fds.size(), deadline.is_never() ? nullptr : &left, nullptr);
    if (ready == -1 && errno == EINTR) {
      continue;
    }
    return check(ready, "ppoll");
  }
}

}  // namespace mp
