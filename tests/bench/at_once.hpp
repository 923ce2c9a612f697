#pragma once

#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <climits>
#include <functional>
#include <new>
#include <vector>

#include "00-syscalls/check.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"
#include "bench/processors.hpp"

/// Lets several processes do something at the same time, for chapters 03 to 05.
namespace mp::bench {

/// Where the processes of a benchmark run.
enum class Placement {
  kEach,      ///< the first one on one processor, the second one on the next one, and round again
  kOne,       ///< all on one
  kUnpinned,  ///< where the scheduler likes
};

/// The time from a common start until all of `processes` have done `work`, one iteration of
/// `state`; each of them gets its number. It is reported for one of `operations`.
inline void at_once(benchmark::State& state, int processes, double operations,
                    const std::function<void(int)>& work, Placement placement = Placement::kEach) {
  const SharedRegion region = SharedRegion::anonymous(2 * sizeof(FutexWord));
  auto* const words = reinterpret_cast<FutexWord*>(region.data());
  for (auto _ : state) {
    FutexWord& ready = *new (words) FutexWord(0);
    FutexWord& gate = *new (words + 1) FutexWord(0);
    std::vector<pid_t> pids;
    for (int number = 0; number < processes; ++number) {
      pids.push_back(check(fork(), "fork"));
      if (pids.back() == 0) {
        if (placement != Placement::kUnpinned) {
          run_on(placement == Placement::kOne ? 0 : number);
        }
        ready.fetch_add(1);
        futex_wake(ready, 1);
        while (gate.load() == 0) {
          futex_wait(gate, 0, Deadline::never());
        }
        work(number);
        _exit(0);
      }
    }
    for (std::uint32_t seen = 0; (seen = ready.load()) < static_cast<std::uint32_t>(processes);) {
      futex_wait(ready, seen, Deadline::never());
    }
    const auto start = std::chrono::steady_clock::now();
    gate.store(1);
    futex_wake(gate, INT_MAX);
    for (const pid_t pid : pids) {
      check(retry([pid] { return waitpid(pid, nullptr, 0); }), "waitpid");
    }
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(time.count() / operations);
  }
}

}  // namespace mp::bench
