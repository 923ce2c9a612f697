// Four processes, one number, and a lock: no increment is lost.
#include <cstdio>
#include <mutex>
#include <vector>

#include "01-process/process.hpp"
#include "03-array/raw_array.hpp"
#include "04-lock/lock.hpp"

int main() {
  const mp::RawValue<int> counter(0);
  mp::Lock lock;
  std::vector<mp::Process> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (int round = 0; round < 100'000; ++round) {
        const std::lock_guard guard(lock);
        counter.value() += 1;
      }
    });
  }
  for (mp::Process& worker : workers) {
    worker.start();
  }
  for (mp::Process& worker : workers) {
    worker.join();
  }
  std::printf("%d\n", counter.value());
}
