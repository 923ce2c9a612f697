// Wrong: a process is killed while it holds a lock that does not know of death.
#include <csignal>
#include <cstdio>

#include "01-process/process.hpp"
#include "04-lock/lock.hpp"

int main() {
  mp::Lock lock;
  mp::Process owner([&lock] {
    lock.acquire();
    std::raise(SIGKILL);
  });
  owner.start();
  owner.join();
  std::printf("parent: the owner's exit code is %d; locked: %s\n", owner.exitcode().value(),
              lock.locked() ? "yes" : "no");
  std::fflush(stdout);
  lock.acquire();
}
