// Start and join of a child that does nothing. A name is "workload/variant"; the first variant of
// a workload is the one that the others are compared with.

#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "01-process/spawn.hpp"

namespace {

constexpr std::size_t kMebibyte = std::size_t{1024} * 1024;

/// Memory that fork has to copy the page tables of, and nothing else: the pages stay shared.
class Ballast {
 public:
  explicit Ballast(std::size_t size) : size_(size) {
    if (size_ == 0) {
      return;
    }
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) {
      mp::throw_errno("mmap");
    }
    // Pages of 2 MiB have 512 times fewer table entries. Whether there are any depends on the
    // machine; a kernel built without them (EINVAL) has nothing to forbid.
    if (madvise(memory_, size_, MADV_NOHUGEPAGE) == -1 && errno != EINVAL) {
      mp::throw_errno("madvise");
    }
    std::memset(memory_, 1, size_);
  }
  ~Ballast() {
    if (size_ != 0) {
      munmap(memory_, size_);
    }
  }
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;

 private:
  std::size_t size_;
  void* memory_ = nullptr;
};

void wait_for(pid_t pid) {
  mp::check(mp::retry([pid] { return waitpid(pid, nullptr, 0); }), "waitpid");
}

void bare_fork(benchmark::State& state, std::size_t ballast_size) {
  const Ballast ballast(ballast_size);
  for (auto _ : state) {
    const pid_t pid = mp::check(fork(), "fork");
    if (pid == 0) {
      _exit(0);
    }
    wait_for(pid);
  }
}

// Half way: fork, with the buffers flushed on both sides.
void spawn(benchmark::State& state, std::size_t ballast_size) {
  const Ballast ballast(ballast_size);
  for (auto _ : state) {
    wait_for(mp::spawn("child", [] {}));
  }
}

void process(benchmark::State& state, std::size_t ballast_size) {
  const Ballast ballast(ballast_size);
  for (auto _ : state) {
    mp::Process process([] {});
    process.start();
    process.join();
  }
}

// Few at a time and often, so that a busy moment of the machine meets one repetition and not all.
// The number is fixed: a search for it would build the ballast again and again.
void add(const char* name, void (*run)(benchmark::State&, std::size_t), std::size_t ballast_size) {
  benchmark::RegisterBenchmark(name, run, ballast_size)
      ->UseRealTime()
      ->Iterations(ballast_size == 0 ? 20 : 5)
      ->Repetitions(ballast_size == 0 ? 25 : 5);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::size_t kBallast = 200 * kMebibyte;
  add("start and join/`fork`, `_exit`, `waitpid`", bare_fork, 0);
  add("start and join/`mp::spawn`, `waitpid`", spawn, 0);
  add("start and join/`mp::Process`", process, 0);
  add("the same, parent with 200 MiB/`fork`, `_exit`, `waitpid`", bare_fork, kBallast);
  add("the same, parent with 200 MiB/`mp::Process`", process, kBallast);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
