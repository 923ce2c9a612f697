// Wrong: the getter looks for an item, and then says that it sleeps. In between, the putter puts
// one and finds nobody asleep.
#include <atomic>
#include <cstdio>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"

struct Queue {
  std::atomic<int> items{0};
  mp::FutexWord asleep{0};
};

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(Queue));
  Queue& queue = *new (region.data()) Queue;
  auto [conn1, conn2] = mp::Pipe();  // puts the two processes into the order that is unlucky

  mp::Process getter([&queue, &conn = conn2] {
    if (queue.items.load() == 0) {
      conn.send(0);
      conn.recv<int>();
      queue.asleep.store(1);
      std::printf("getter: nothing was there, so I sleep\n");
      std::fflush(stdout);
      mp::futex_wait(queue.asleep, 1, mp::Deadline::never());
    }
  });
  getter.start();
  conn1.recv<int>();
  queue.items.store(1);
  std::printf("putter: one item is in; somebody sleeps: %s\n",
              queue.asleep.load() == 1 ? "yes" : "no");
  std::fflush(stdout);
  conn1.send(0);
  getter.join();
}
