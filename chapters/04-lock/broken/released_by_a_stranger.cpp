// Wrong: a semaphore as a lock, which anybody may release. One release too many, and two are
// inside.
#include <atomic>
#include <cstdio>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "04-lock/semaphore.hpp"

int main() {
  mp::Semaphore lock(1);
  auto [conn1, conn2] = mp::Pipe();

  mp::Process p1([&lock, conn = std::move(conn2)]() mutable {
    lock.acquire();
    std::printf("P1: inside\n");
    std::fflush(stdout);
    conn.send(0);
    conn.recv<int>();
    std::printf("P1: still inside\n");
    std::fflush(stdout);
    lock.release();
  });
  p1.start();
  conn1.recv<int>();

  mp::Process p2([&lock] {
    if (!lock.try_acquire()) {
      std::printf("P2: taken, so I give up, and tidy up\n");
    }
    lock.release();  // it never had the lock
  });
  p2.start();
  p2.join();

  mp::Process p3([&lock] {
    lock.acquire();
    std::printf("P3: inside\n");
    lock.release();
  });
  p3.start();
  p3.join();
  conn1.send(0);
  p1.join();
}
