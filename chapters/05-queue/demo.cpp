// Five processes put a number into a queue, one after the other, and say how many are in it.
#include <cstdio>

#include "01-process/process.hpp"
#include "05-queue/queue.hpp"

int main() {
  mp::Queue<int> q(9);
  for (int i = 0; i < 5; ++i) {
    mp::Process p([&, i] {
      q.put(i);
      std::printf("---> %d %zu\n", i, q.qsize());
    });
    p.start();
    p.join();
  }
}
