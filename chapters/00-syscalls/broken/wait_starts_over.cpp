// Wrong: after EINTR the wait starts over with the whole time-out. With a signal every 20 ms a
// wait of 50 ms has no end; this program gives up after 25 rounds so that it ends at all.
#include <poll.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>

namespace {

constexpr int kTimeoutMs = 50;
constexpr int kMaxRounds = 25;

extern "C" void ignore_signal(int) {}

// Waits for nothing but the time; returns how often a signal came between.
int wait_for_timeout() {
  int rounds = 0;
  while (poll(nullptr, 0, kTimeoutMs) == -1 && errno == EINTR && ++rounds < kMaxRounds) {
    // interrupted: wait again
  }
  return rounds;
}

}  // namespace

int main() {
  struct sigaction action {};
  action.sa_handler = ignore_signal;
  action.sa_flags = SA_RESTART;  // restarts a read, but never a poll
  const itimerval every_20_ms{{0, 20000}, {0, 20000}};
  if (sigaction(SIGALRM, &action, nullptr) == -1 ||
      setitimer(ITIMER_REAL, &every_20_ms, nullptr) == -1) {
    return 1;
  }
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC
  const auto begin = Clock::now();
  const int rounds = wait_for_timeout();
  const auto took = std::chrono::floor<std::chrono::milliseconds>(Clock::now() - begin);
  std::printf("asked for %d ms, waited %lld ms, interrupted %d times\n", kTimeoutMs,
              static_cast<long long>(took.count()), rounds);
}
