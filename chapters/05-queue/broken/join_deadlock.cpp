// Wrong: waits for the end of a process that waits for room in a queue which only the waiting one
// would empty.
#include <cstdio>

#include "01-process/process.hpp"
#include "05-queue/blocking_queue.hpp"

int main() {
  mp::BlockingQueue q(9, 4096);
  mp::Process p([&] {
    for (int i = 0; i < 10; ++i) {
      q.put_until(mp::bytes_of("an item"), mp::Deadline::never());
    }
  });
  p.start();
  std::printf("parent: first the child, then the items\n");
  std::fflush(stdout);
  p.join();
  while (const auto item = q.get_until(mp::Deadline::after(std::chrono::seconds(0)))) {
    std::printf("%d bytes\n", static_cast<int>(item->size()));
  }
}
