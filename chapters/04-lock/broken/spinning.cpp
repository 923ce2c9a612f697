// Wrong: whoever waits for the lock asks again and again, and does nothing else.
#include <time.h>

#include <atomic>
#include <cstdio>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "01-process/process.hpp"
#include "03-array/shared_region.hpp"

namespace {

long milliseconds(clockid_t clock) {
  timespec time{};
  mp::check(clock_gettime(clock, &time), "clock_gettime");
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(std::atomic<bool>));
  auto& taken = *new (region.data()) std::atomic<bool>(true);
  mp::Process waiter([&taken] {
    const long begin = milliseconds(CLOCK_MONOTONIC);
    while (taken.exchange(true)) {
    }
    std::printf("waited for %ld ms, with %ld ms of processor time\n",
                milliseconds(CLOCK_MONOTONIC) - begin, milliseconds(CLOCK_PROCESS_CPUTIME_ID));
  });
  waiter.start();
  mp::poll_until({}, mp::Deadline::after(std::chrono::seconds(1)));  // the work that is protected
  taken.store(false);
  waiter.join();
}
