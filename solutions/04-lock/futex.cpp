#include "04-lock/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"

namespace mp {

static_assert(sizeof(FutexWord) == 4 && FutexWord::is_always_lock_free,
              "the kernel looks at four bytes, and at nothing else");

Wake futex_wait(const FutexWord& word, std::uint32_t expected, Deadline deadline) {
  timespec until{};
  if (const auto moment = deadline.moment()) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*moment);
    until.tv_sec = seconds.count();
    until.tv_nsec = (*moment - seconds).count();
  }
  // A moment, not a time from now: however often a signal interrupts, it stays where it is.
  const long result = retry([&] {
    return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, expected,
                   deadline.is_never() ? nullptr : &until, nullptr, FUTEX_BITSET_MATCH_ANY);
  });
  if (result == 0) {
    return Wake::kWoken;
  }
  if (errno == EAGAIN) {
    return Wake::kChanged;
  }
  if (errno == ETIMEDOUT) {
    return Wake::kTimedOut;
  }
  throw_errno("futex(FUTEX_WAIT_BITSET)");
}

int futex_wake(const FutexWord& word, int count) {
  return static_cast<int>(check(syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0),
                                "futex(FUTEX_WAKE)"));
}

}  // namespace mp
