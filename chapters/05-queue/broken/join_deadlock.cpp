// Wrong: waits for the end of a process that waits for room in a queue which only the waiting one
// would empty.
#include <cstdio>

#include "01-process/process.hpp"
#include "05-queue/queue.hpp"

int main() {
  mp::Queue<int> q(9);
  mp::Process p([&] {
    for (int i = 0; i < 10; ++i) {
      q.put(i);
    }
  });
  p.start();
  p.join();  // first get, then join
  while (!q.empty()) {
    std::printf("%d ", q.get());
  }
}
