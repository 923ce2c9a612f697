// What the way into the kernel costs. A name is "workload/variant"; the first variant of a
// workload is the one that the others are compared with.

#include <benchmark/benchmark.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <chrono>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "00-syscalls/raw_syscall.hpp"

namespace {

// Short and often, so that a busy moment of the machine meets one repetition and not all.
constexpr double kSeconds = 0.01;
constexpr int kRepetitions = 5;

[[gnu::noinline]] pid_t plain_function() {
  asm volatile("");  // a function that does nothing visible would not be called at all
  return 1;
}

void call_function(benchmark::State& state) {
  for (auto _ : state) {
    pid_t result = plain_function();
    benchmark::DoNotOptimize(result);
  }
}

void call_kernel(benchmark::State& state) {
  for (auto _ : state) {
    pid_t result = mp::raw_getpid();
    benchmark::DoNotOptimize(result);
  }
}

void clock_in_vdso(benchmark::State& state) {
  for (auto _ : state) {
    auto now = mp::monotonic_now();
    benchmark::DoNotOptimize(now);
  }
}

void clock_in_kernel(benchmark::State& state) {
  timespec now{};
  for (auto _ : state) {
    mp::check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), "clock_gettime");
    benchmark::DoNotOptimize(now);
  }
}

/// A descriptor on which nothing ever arrives.
class Silent {
 public:
  Silent() : fd_(mp::check(eventfd(0, EFD_CLOEXEC), "eventfd")) {}
  ~Silent() { close(fd_); }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;
  [[nodiscard]] pollfd asked() const { return {.fd = fd_, .events = POLLIN, .revents = 0}; }

 private:
  int fd_;
};

void bare_poll(benchmark::State& state) {
  const Silent silent;
  pollfd fd = silent.asked();
  for (auto _ : state) {
    mp::check(poll(&fd, 1, 0), "poll");
  }
}

void poll_with_passed_deadline(benchmark::State& state) {
  const Silent silent;
  pollfd fd = silent.asked();
  const auto passed = mp::Deadline::after(std::chrono::seconds(0));
  for (auto _ : state) {
    mp::poll_until({&fd, 1}, passed);
  }
}

void add(const char* name, void (*run)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name, run)->UseRealTime()->MinTime(kSeconds)->Repetitions(
      kRepetitions);
}

}  // namespace

int main(int argc, char** argv) {
  add("a call/a function of the program", call_function);
  add("a call/`raw_getpid()`", call_kernel);
  add("the clock/`monotonic_now()`, through the vDSO", clock_in_vdso);
  add("the clock/`syscall(SYS_clock_gettime)`", clock_in_kernel);
  add("looking without waiting/`poll` with time-out 0", bare_poll);
  add("looking without waiting/`poll_until` with a passed deadline", poll_with_passed_deadline);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
