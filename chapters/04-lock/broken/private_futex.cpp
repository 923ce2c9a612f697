// Wrong: with FUTEX_PRIVATE_FLAG the kernel looks for sleepers in the caller's own process.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(mp::FutexWord));
  auto& word = *new (region.data()) mp::FutexWord(0);
  mp::Process waiter([&word] {
    syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, nullptr, nullptr, 0);
  });
  waiter.start();
  long woken = 0;
  for (int i = 0; i < 1'000'000 && woken == 0; ++i) {  // long enough for it to be asleep
    woken = mp::check(
        syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0),
        "futex");
  }
  std::printf("parent: a million wake-ups, and woken: %ld\n", woken);
  std::fflush(stdout);
  waiter.join();
}
