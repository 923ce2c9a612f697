// Wrong: between the look at the word and the sleep there is a gap, and the wake-up falls into it.
#include <atomic>
#include <cstdio>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(mp::FutexWord));
  auto& ready = *new (region.data()) mp::FutexWord(0);
  auto [conn1, conn2] = mp::Pipe();  // puts the two processes into the order that is unlucky

  mp::Process waiter([&ready, conn = std::move(conn2)]() mutable {
    if (ready.load() == 0) {
      std::printf("waiter: not ready, so I go to sleep\n");
      std::fflush(stdout);
      conn.send(0);
      conn.recv<int>();
      // not with what was seen, but with what is there now
      mp::futex_wait(ready, ready.load(), mp::Deadline::never());
    }
  });
  waiter.start();
  conn1.recv<int>();
  ready.store(1);
  std::printf("parent: ready; woken: %d\n", mp::futex_wake(ready, 1));
  std::fflush(stdout);
  conn1.send(0);
  waiter.join();
}
