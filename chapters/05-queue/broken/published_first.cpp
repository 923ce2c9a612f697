// Wrong: says that there is an item, and writes it then.
#include <atomic>
#include <cstdio>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "03-array/shared_region.hpp"

struct Ring {
  std::atomic<int> tail{0};
  int items[8]{};
};

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(Ring));
  Ring& ring = *new (region.data()) Ring;
  auto [seen, tell] = mp::Pipe(false);  // the order that is unlucky

  mp::Process putter([&ring, &tell = tell] {
    const int tail = ring.tail.load();
    ring.tail.store(tail + 1);
    tell.send(1);
    std::abort();  // or any other end, or a pause
    ring.items[tail] = 42;
  });
  putter.start();
  seen.recv<int>();
  std::printf("%d item is in, and it is %d\n", ring.tail.load(), ring.items[0]);
  putter.join();
}
