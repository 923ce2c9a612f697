// Wrong: the time left is cut down to whole milliseconds. 0.9 ms becomes 0, which for poll means
// "do not wait", and the last stretch before each deadline is spun through.
#include <poll.h>

#include <chrono>
#include <cstdio>

namespace {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC
using std::chrono::milliseconds;

// Waits for nothing but the deadline; returns how many calls of poll it took.
int wait_until(Clock::time_point deadline) {
  int calls = 0;
  for (auto now = Clock::now(); now < deadline; now = Clock::now()) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - now);  // rounds down
    if (poll(nullptr, 0, static_cast<int>(left.count())) == -1) {
      return -1;
    }
    ++calls;
  }
  return calls;
}

}  // namespace

int main() {
  int calls = 0;
  for (int i = 0; i < 20; ++i) {
    const int more = wait_until(Clock::now() + std::chrono::microseconds(900));
    if (more == -1) {
      return 1;
    }
    calls += more;
  }
  std::printf("20 waits took %d calls of poll\n", calls);
}
