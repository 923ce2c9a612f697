// Locks that processes share. A name is "workload/variant"; the first variant of a workload is the
// one that the others are compared with: three states on a futex and nothing else.
#include <benchmark/benchmark.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <cerrno>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "00-syscalls/check.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/lock.hpp"
#include "04-lock/rlock.hpp"
#include "04-lock/robust_lock.hpp"
#include "04-lock/semaphore.hpp"
#include "bench/at_once.hpp"

namespace {

/// What a correct lock needs at least. Not inline, as the others are not.
class BareMutex {
 public:
  [[gnu::noinline]] void lock() {
    std::uint32_t seen = 0;
    if (!word_.compare_exchange_strong(seen, 1, std::memory_order_acquire)) {
      while (word_.exchange(2, std::memory_order_acquire) != 0) {
        syscall(SYS_futex, &word_, FUTEX_WAIT, 2, nullptr, nullptr, 0);
      }
    }
  }
  [[gnu::noinline]] void unlock() {
    if (word_.exchange(0, std::memory_order_release) == 2) {
      syscall(SYS_futex, &word_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    }
  }

 private:
  std::atomic<std::uint32_t> word_{0};
};

void fail_unless_zero(int error, const char* call) {
  if (error != 0) {
    errno = error;
    mp::throw_errno(call);
  }
}

template <bool Robust>
class PthreadMutex {
 public:
  PthreadMutex() {
    pthread_mutexattr_t how;
    fail_unless_zero(pthread_mutexattr_init(&how), "pthread_mutexattr_init");
    fail_unless_zero(pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED), "setpshared");
    if (Robust) {
      fail_unless_zero(pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST), "setrobust");
    }
    fail_unless_zero(pthread_mutex_init(&mutex_, &how), "pthread_mutex_init");
  }
  void lock() { fail_unless_zero(pthread_mutex_lock(&mutex_), "pthread_mutex_lock"); }
  void unlock() { fail_unless_zero(pthread_mutex_unlock(&mutex_), "pthread_mutex_unlock"); }

 private:
  pthread_mutex_t mutex_;
};

class PosixSemaphore {
 public:
  explicit PosixSemaphore(unsigned value = 1) {
    mp::check(sem_init(&semaphore_, 1, value), "sem_init");
  }
  void lock() {
    mp::check(mp::retry([this] { return sem_wait(&semaphore_); }), "sem_wait");
  }
  void unlock() { mp::check(sem_post(&semaphore_), "sem_post"); }

 private:
  sem_t semaphore_;
};

/// The book's, which has its own shared memory, behind the names of the others.
template <class Lock>
class Ours {
 public:
  void lock() { static_cast<void>(lock_.acquire()); }
  void unlock() { lock_.release(); }

 private:
  Lock lock_;
};

/// An object in shared memory.
template <class T>
class Shared {
 public:
  template <class... Args>
  explicit Shared(Args... args)
      : region_(mp::SharedRegion::anonymous(sizeof(T))), object_(new (region_.data()) T(args...)) {}
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  mp::SharedRegion region_;
  T* object_;
};

template <class Lock>
void uncontended(benchmark::State& state) {
  const Shared<Lock> lock;
  for (auto _ : state) {
    lock->lock();
    benchmark::ClobberMemory();
    lock->unlock();
  }
}

template <class Lock>
void increments(benchmark::State& state, int processes) {
  constexpr int kRounds = 20'000;
  const Shared<Lock> lock;
  const Shared<volatile int> counter(0);
  mp::bench::at_once(state, processes, double{kRounds} * processes, [&](int /*number*/) {
    for (int round = 0; round < kRounds; ++round) {
      lock->lock();
      *counter = *counter + 1;
      lock->unlock();
    }
  });
  if (*counter % (kRounds * processes) != 0) {
    state.SkipWithError("increments are missing");
  }
}

/// There and back again: each of two processes wakes the other one, and sleeps.
template <class There, class Back>
void ping_pong(benchmark::State& state, const There& there, const Back& back) {
  constexpr int kTrips = 2'000;
  mp::bench::at_once(state, 2, kTrips, [&](int number) {
    for (int trip = 0; trip < kTrips; ++trip) {
      number == 0 ? there(true) : there(false);
      number == 0 ? back(false) : back(true);
    }
  });
}

void posix_wake_up(benchmark::State& state) {
  const Shared<PosixSemaphore> there(0U);
  const Shared<PosixSemaphore> back(0U);
  const auto use = [](PosixSemaphore& semaphore, bool post) {
    post ? semaphore.unlock() : semaphore.lock();
  };
  ping_pong(
      state, [&](bool post) { use(*there, post); }, [&](bool post) { use(*back, post); });
}

void our_wake_up(benchmark::State& state) {
  mp::Semaphore there(0);
  mp::Semaphore back(0);
  const auto use = [](mp::Semaphore& semaphore, bool post) {
    post ? semaphore.release() : semaphore.acquire();
  };
  ping_pong(
      state, [&](bool post) { use(there, post); }, [&](bool post) { use(back, post); });
}

using Robust = Ours<mp::RobustLock>;
using Boost = boost::interprocess::interprocess_mutex;

void add(const std::string& name, void (*function)(benchmark::State&)) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->UseRealTime()
      ->Repetitions(5)
      ->MinTime(0.02);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string alone = "acquire and release, alone/";
  add(alone + "bare futex mutex", uncontended<BareMutex>);
  add(alone + "`mp::Lock`", uncontended<Ours<mp::Lock>>);
  add(alone + "`mp::RLock`", uncontended<Ours<mp::RLock>>);
  add(alone + "`mp::Semaphore`", uncontended<Ours<mp::Semaphore>>);
  add(alone + "`mp::RobustLock`", uncontended<Robust>);
  add(alone + "`pthread_mutex_t`, shared", uncontended<PthreadMutex<false>>);
  add(alone + "`pthread_mutex_t`, shared and robust", uncontended<PthreadMutex<true>>);
  add(alone + "`sem_t`", uncontended<PosixSemaphore>);
  add(alone + "Boost.Interprocess", uncontended<Boost>);
  for (const int processes : {2, 4}) {
    const std::string workload = "an increment, " + std::to_string(processes) + " processes/";
    const auto with = [&](const char* variant, void (*function)(benchmark::State&, int)) {
      benchmark::RegisterBenchmark((workload + variant).c_str(), function, processes)
          ->UseManualTime()
          ->Iterations(2)
          ->Repetitions(5);
    };
    with("bare futex mutex", increments<BareMutex>);
    with("`mp::Lock`", increments<Ours<mp::Lock>>);
    with("`mp::Semaphore`", increments<Ours<mp::Semaphore>>);
    with("`mp::RobustLock`", increments<Robust>);
    with("`pthread_mutex_t`, shared", increments<PthreadMutex<false>>);
    with("`pthread_mutex_t`, shared and robust", increments<PthreadMutex<true>>);
    with("`sem_t`", increments<PosixSemaphore>);
    with("Boost.Interprocess", increments<Boost>);
  }
  const auto wake_up = [](const char* variant, void (*function)(benchmark::State&)) {
    const std::string workload = "a wake-up there and one back, two CPUs/";
    benchmark::RegisterBenchmark((workload + variant).c_str(), function)
        ->UseManualTime()
        ->Iterations(2)
        ->Repetitions(5);
  };
  wake_up("`sem_t`", posix_wake_up);
  wake_up("`mp::Semaphore`", our_wake_up);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
