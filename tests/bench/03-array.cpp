// Counting in shared memory, and reading it. A name is "workload/variant"; the first variant of a
// workload is the one that the others are compared with.
#include <benchmark/benchmark.h>

#include <atomic>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "03-array/array.hpp"
#include "bench/at_once.hpp"

namespace {

constexpr int kRounds = 20'000;  // of each process

void counted(benchmark::State& state, int processes, const std::function<void()>& increment) {
  mp::bench::at_once(state, processes, double{kRounds} * processes, [&](int /*number*/) {
    for (int round = 0; round < kRounds; ++round) {
      increment();
    }
  });
}

void atomic(benchmark::State& state, int processes) {
  const mp::SharedRegion region = mp::SharedRegion::anonymous(sizeof(std::atomic<int>));
  auto& counter = *new (region.data()) std::atomic<int>(0);
  counted(state, processes, [&] { counter.fetch_add(1); });
}

void element(benchmark::State& state, int processes) {
  const mp::Array<int> a(1);
  counted(state, processes, [&] {
    const std::lock_guard guard(a.get_lock());
    a[0] += 1;
  });
}

void object(benchmark::State& state, int processes) {
  const mp::Array<int> a(1);
  counted(state, processes, [&] {
    const std::lock_guard guard(a.get_lock());
    a.get_obj()[0] += 1;
  });
}

void raw_loop(benchmark::State& state) {
  const mp::RawArray<int> a(1'000);
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::vector<int>(a.begin(), a.end()));
  }
}

void snapshot(benchmark::State& state) {
  const mp::Array<int> a(1'000);
  for (auto _ : state) {
    benchmark::DoNotOptimize(a.snapshot());
  }
}

void each(benchmark::State& state) {
  const mp::Array<int> a(1'000);
  for (auto _ : state) {
    std::vector<int> values;
    for (const int value : a) {
      values.push_back(value);
    }
    benchmark::DoNotOptimize(values);
  }
}

void add(const std::string& name, void (*function)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->UseRealTime()
      ->Repetitions(5)
      ->MinTime(0.01);
}

}  // namespace

int main(int argc, char** argv) {
  for (const int processes : {1, 2, 4}) {
    const std::string workload =
        "an increment, " + std::to_string(processes) + (processes == 1 ? " process" : " processes");
    const auto with = [&](const char* variant, void (*function)(benchmark::State&, int)) {
      benchmark::RegisterBenchmark((workload + "/" + variant).c_str(), function, processes)
          ->UseManualTime()
          ->Iterations(2)
          ->Repetitions(5);
    };
    with("`std::atomic`, `fetch_add`", atomic);
    with("`mp::Array`, `get_lock()`, `a[0] += 1`", element);
    with("`mp::Array`, `get_lock()`, `get_obj()[0] += 1`", object);
  }
  add("a copy of 1,000 integers/`mp::RawArray`, no lock", raw_loop);
  add("a copy of 1,000 integers/`mp::Array`, `snapshot()`", snapshot);
  add("a copy of 1,000 integers/`mp::Array`, one by one", each);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
