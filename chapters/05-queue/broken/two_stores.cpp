// Wrong: how many are in and where the next one goes are two words. Killed between the two stores,
// a process leaves a queue that counts an item which the next one overwrites.
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "01-process/process.hpp"
#include "03-array/shared_region.hpp"

struct Ring {
  volatile int count = 0;
  volatile int tail = 0;
  int items[8]{};
};

void put(Ring& ring, int item, bool dies) {
  ring.items[ring.tail] = item;
  ring.count = ring.count + 1;
  if (dies) {
    kill(getpid(), SIGKILL);
  }
  ring.tail = ring.tail + 1;
}

int main() {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(Ring));
  Ring& ring = *new (region.data()) Ring;
  mp::Process victim([&] { put(ring, 1, true); });
  victim.start();
  victim.join();
  put(ring, 2, false);
  std::printf("%d items are in:", ring.count);
  for (int i = 0; i < ring.count; ++i) {
    std::printf(" %d", ring.items[i]);
  }
  std::printf("\n");
}
