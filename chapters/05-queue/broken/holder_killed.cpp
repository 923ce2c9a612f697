// Wrong, where processes are killed: who waits for an item holds a lock that does not know when its
// owner has come to its end. CPython's queues do that.
#include <cstdio>
#include <mutex>

#include "01-process/process.hpp"
#include "02-pipe/pipe.hpp"
#include "04-lock/lock.hpp"

int main() {
  auto [reader, writer] = mp::Pipe(false);
  auto [ready, tell] = mp::Pipe(false);
  mp::Lock reading;
  mp::Process victim([&reading, &reader = reader, &tell = tell] {
    const std::lock_guard guard(reading);
    tell.send(1);
    reader.recv<int>();
  });
  victim.start();
  ready.recv<int>();
  victim.kill();
  victim.join();

  writer.send(42);
  std::printf("parent: an item is in, and nobody else is there\n");
  std::fflush(stdout);
  const std::lock_guard guard(reading);
  std::printf("got %d\n", reader.recv<int>());
}
