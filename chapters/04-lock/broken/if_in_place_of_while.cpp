// Wrong: whoever is woken takes it for granted that what he waited for is true.
#include <cstdio>
#include <mutex>

#include "01-process/process.hpp"
#include "03-array/raw_array.hpp"
#include "04-lock/condition.hpp"

int main() {
  mp::RLock lock;
  mp::Condition changed(lock);
  const mp::RawArray<int> shared(2);
  int& waiting = shared[0];
  int& items = shared[1];

  const auto consume = [&] {
    const std::lock_guard guard(lock);
    ++waiting;
    if (items == 0) {
      changed.wait();
    }
    --items;
  };
  mp::Process p1(consume);
  mp::Process p2(consume);
  p1.start();
  p2.start();
  for (bool both = false; !both;) {  // who counts both with the lock knows that both wait
    const std::lock_guard guard(lock);
    both = waiting == 2;
  }
  {
    const std::lock_guard guard(lock);
    items = 1;
    changed.notify_all();
  }
  p1.join();
  p2.join();
  std::printf("one item was made, two were taken: %d is left\n", items);
}
