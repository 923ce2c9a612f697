// Wrong: one lock for both ends. Who waits for a message holds it, and nobody can send one.
#include <cstdio>
#include <mutex>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "04-lock/lock.hpp"

int main() {
  auto [reader, writer] = mp::Pipe(false);
  auto [ready, tell] = mp::Pipe(false);
  mp::Lock lock;

  mp::Process getter([&lock, &reader = reader, &tell = tell] {
    const std::lock_guard guard(lock);
    tell.send(1);
    std::printf("got %d\n", reader.recv<int>());
  });
  getter.start();
  ready.recv<int>();
  std::printf("parent: the getter waits; now I put\n");
  std::fflush(stdout);
  {
    const std::lock_guard guard(lock);
    writer.send(42);
  }
  getter.join();
}
