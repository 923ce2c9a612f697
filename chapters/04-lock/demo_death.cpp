// A process is killed while it holds a lock. The next one gets the lock, and is told.
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "01-process/process.hpp"
#include "03-array/raw_array.hpp"
#include "04-lock/robust_lock.hpp"

int main() {
  const mp::RawArray<int> account({100, 0});  // money, which only moves
  mp::RobustLock lock;

  mp::Process p([&] {
    const mp::RobustLock::Guard guard(lock);
    account[0] -= 30;
    std::raise(SIGKILL);  // between the two halves
    account[1] += 30;
  });
  p.start();
  p.join();
  std::printf("exit code %d, and the accounts hold %d and %d\n", p.exitcode().value(), account[0],
              account[1]);

  const mp::RobustLock::Guard guard(lock);
  if (guard.owner_died()) {
    account[1] = 100 - account[0];
    std::printf("the owner has died; mended: %d and %d\n", account[0], account[1]);
  }
}
