// Wrong: each access is protected by the array's lock, but `a[0] += 1` is two of them. The program
// writes down who did what, and prints an update that was lost.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>

#include "01-process/process.hpp"
#include "03-array/array.hpp"

namespace {

struct Increment {
  int read_at;     // when, on a clock that counts what all have done
  int value;       // what was read; one more was written
  int written_at;  // when
};

constexpr int kRounds = 200'000;

/// Prints an increment of `other` that came in between the two halves of one of `one`'s.
bool print_lost(const mp::RawArray<Increment>& one, const mp::RawArray<Increment>& other) {
  for (const Increment& a : one) {
    const Increment* const b =
        std::ranges::lower_bound(other, a.read_at, std::ranges::less{}, &Increment::read_at);
    if (b != other.end() && a.value == b->value && b->written_at < a.written_at) {
      std::printf("one:       reads %d\n", a.value);
      std::printf("the other: reads %d\n", b->value);
      std::printf("the other: writes %d\n", b->value + 1);
      std::printf("one:       writes %d\n", a.value + 1);
      return true;
    }
  }
  return false;
}

}  // namespace

int main() {
  const mp::Array<int> a({1'000});
  const mp::RawArray<Increment> logs[] = {mp::RawArray<Increment>(kRounds),
                                          mp::RawArray<Increment>(kRounds)};
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(std::atomic<int>));
  auto& clock = *new (region.data()) std::atomic<int>(0);

  const auto count = [&](const mp::RawArray<Increment>& log) {
    for (Increment& entry : log) {
      entry.value = a[0];
      entry.read_at = clock.fetch_add(1);
      a[0] = entry.value + 1;
      entry.written_at = clock.fetch_add(1);
    }
  };
  mp::Process p1([&] { count(logs[0]); });
  mp::Process p2([&] { count(logs[1]); });
  p1.start();
  p2.start();
  p1.join();
  p2.join();
  if (!print_lost(logs[0], logs[1])) {
    print_lost(logs[1], logs[0]);
  }
  std::printf("%d increments were made, and %d are there\n", 2 * kRounds, a[0] - 1'000);
}
