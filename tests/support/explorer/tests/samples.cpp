#include "support/explorer/tests/samples.hpp"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <stdexcept>

namespace mp {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT, expected, nullptr, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word, int count) {
  syscall(SYS_futex, &word, FUTEX_WAKE, count, nullptr, nullptr, 0);
}

timespec timespec_of(std::int64_t ns) {
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

}  // namespace

void Mutex::acquire() {
  std::uint32_t seen = 0;
  if (state.compare_exchange_strong(seen, 1)) {
    return;
  }
  if (seen != 2) {
    seen = state.exchange(2);
  }
  while (seen != 0) {
    futex_wait(state, 2);
    seen = state.exchange(2);
  }
}

bool Mutex::try_acquire() {
  std::uint32_t free = 0;
  return state.compare_exchange_strong(free, 1);
}

bool Mutex::acquire_for(std::int64_t ns) {
  const timespec until = timespec_of(now() + ns);
  if (try_acquire()) {
    return true;
  }
  while (state.exchange(2) != 0) {
    const long result =
        syscall(SYS_futex, &state, FUTEX_WAIT_BITSET, 2, &until, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == -1 && errno == ETIMEDOUT) {
      return false;
    }
  }
  return true;
}

void Mutex::release() {
  if (state.exchange(0) == 2) {
    futex_wake(state, 1);
  }
}

void TightMutex::acquire() {
  std::uint32_t seen = 0;
  if (state.compare_exchange_strong(seen, 1, kAcquire, kRelaxed)) {
    return;
  }
  while (state.exchange(2, kAcquire) != 0) {
    futex_wait(state, 2);
  }
}

void TightMutex::release() {
  if (state.exchange(0, kRelease) == 2) {
    futex_wake(state, 1);
  }
}

void SpinningMutex::acquire() {
  for (int i = 0; i < 5; ++i) {
    if (state.load(kRelaxed) == 0 && try_acquire()) {
      return;
    }
  }
  Mutex::acquire();
}

bool Semaphore::try_acquire() {
  std::uint32_t units = value.load();
  while (units > 0) {
    if (value.compare_exchange_weak(units, units - 1)) {
      return true;
    }
  }
  return false;
}

void Semaphore::acquire() {
  while (!try_acquire()) {
    waiters.fetch_add(1);
    futex_wait(value, 0);
    waiters.fetch_sub(1);
  }
}

void Semaphore::release() {
  value.fetch_add(1);
  if (waiters.load() > 0) {
    futex_wake(value, 1);
  }
}

void Event::wait() {
  while (flag.load(kAcquire) == 0) {
    futex_wait(flag, 0);
  }
}

void Event::set() {
  flag.store(1, kRelease);
  futex_wake(flag, INT_MAX);
}

void Condition::wait(Mutex& mutex) {
  const std::uint32_t seen = sequence.load();
  mutex.release();
  futex_wait(sequence, seen);
  mutex.acquire();
}

void Condition::notify_one() {
  sequence.fetch_add(1);
  futex_wake(sequence, 1);
}

void Ticket::acquire() {
  const std::uint32_t mine = next.fetch_add(1);
  for (std::uint32_t now = serving.load(); now != mine; now = serving.load()) {
    futex_wait(serving, now);
  }
}

void Ticket::release() {
  serving.fetch_add(1);
  futex_wake(serving, INT_MAX);
}

void NoLock::acquire() {}
void NoLock::release() {}

void LoadThenStore::acquire() {
  while (state.load() != 0) {
    futex_wait(state, 2);
  }
  state.store(2);
}

void NeverWakes::acquire() {
  while (state.exchange(1) != 0) {
    futex_wait(state, 1);
  }
}

void NeverWakes::release() {
  state.store(0);
}

void WakesTooSeldom::acquire() {
  std::uint32_t seen = 0;
  while (!state.compare_exchange_strong(seen, 1)) {
    if (seen == 2 || state.compare_exchange_strong(seen, 2)) {
      futex_wait(state, 2);
    }
    seen = 0;
  }
}

void RelaxedRelease::release() {
  if (state.exchange(0, kRelaxed) == 2) {
    futex_wake(state, 1);
  }
}

void RelaxedAcquire::acquire() {
  std::uint32_t seen = 0;
  if (state.compare_exchange_strong(seen, 1, kRelaxed)) {
    return;
  }
  while (state.exchange(2, kRelaxed) != 0) {
    futex_wait(state, 2);
  }
}

void SleepsOnWhatItReads::acquire() {
  while (state.exchange(2) != 0) {
    futex_wait(state, state.load());
  }
}

void WakesBeforeItFrees::release() {
  if (state.load() == 2) {
    futex_wake(state, 1);
  }
  state.store(0);
}

void PrivateMutex::release() {
  if (state.exchange(0) == 2) {
    syscall(SYS_futex, &state, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

void BusyMutex::acquire() {
  while (!try_acquire()) {
  }
}

bool RestartsTheClock::acquire_for(std::int64_t ns) {
  const timespec time = timespec_of(ns);
  while (state.exchange(2) != 0) {
    if (syscall(SYS_futex, &state, FUTEX_WAIT, 2, &time, nullptr, 0) == -1 && errno == ETIMEDOUT) {
      return false;
    }
  }
  return true;
}

bool ForgetsTheTime::acquire_for(std::int64_t ns) {
  static_cast<void>(ns);
  acquire();
  return true;
}

void TakesItselfForWoken::acquire() {
  if (state.exchange(2) != 0) {
    futex_wait(state, 2);
    state.store(2);
  }
}

bool WeakTry::try_acquire() {
  std::uint32_t free = 0;
  return state.compare_exchange_weak(free, 1);
}

void PlainMutex::acquire() {
  while (state != 0) {
    syscall(SYS_futex, &state, FUTEX_WAIT, 1, nullptr, nullptr, 0);
  }
  state = 1;
}

void PlainMutex::release() {
  state = 0;
  syscall(SYS_futex, &state, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void IfSemaphore::acquire() {
  if (value.load() == 0) {
    waiters.fetch_add(1);
    futex_wait(value, 0);
    waiters.fetch_sub(1);
  }
  value.fetch_sub(1);
}

void SleepsWithoutACount::wait(Mutex& mutex) {
  mutex.release();
  futex_wait(sequence, 0);
  mutex.acquire();
}

void SleepsWithoutACount::notify_one() {
  futex_wake(sequence, 1);
}

void NotifiesFirst::set() {
  futex_wake(flag, INT_MAX);
  flag.store(1, kRelease);
}

void WakesOne::set() {
  flag.store(1, kRelease);
  futex_wake(flag, 1);
}

robust_list_head& RobustMutex::head() {
  static robust_list_head mine;
  static pid_t owner = 0;
  if (owner != getpid()) {  // a child's copy is its parent's: it needs a list of its own
    owner = getpid();
    mine.list.next = &mine.list;
    mine.futex_offset = -static_cast<long>(sizeof(std::atomic<std::uint32_t>) + 4);
    mine.list_op_pending = nullptr;
    syscall(SYS_set_robust_list, &mine, sizeof mine);
  }
  return mine;
}

void RobustMutex::link() {
  node.next = head().list.next;
  head().list.next = &node;
}

void RobustMutex::unlink() {
  for (robust_list* entry = &head().list; entry->next != &head().list; entry = entry->next) {
    if (entry->next == &node) {
      entry->next = node.next;
      return;
    }
  }
}

bool RobustMutex::acquire() {
  static_assert(sizeof(word) == 4);
  const auto tid = static_cast<std::uint32_t>(syscall(SYS_gettid));
  head().list_op_pending = &node;
  std::uint32_t seen = 0;
  std::uint32_t waiters = 0;
  bool died = false;
  while (!word.compare_exchange_strong(seen, tid | waiters)) {
    if ((seen & FUTEX_TID_MASK) == 0) {  // free, or its owner died: what is set stays set
      died = (seen & FUTEX_OWNER_DIED) != 0;
      if (word.compare_exchange_strong(seen, tid | FUTEX_WAITERS)) {
        break;
      }
    } else if ((seen & FUTEX_WAITERS) != 0 ||
               word.compare_exchange_strong(seen, seen | FUTEX_WAITERS)) {
      futex_wait(word, seen | FUTEX_WAITERS);
      waiters = FUTEX_WAITERS;  // others may sleep as well: from now on as one of them
    }
    died = false;
    seen = 0;
  }
  link();
  head().list_op_pending = nullptr;
  return died;
}

void RobustMutex::release() {
  head().list_op_pending = &node;
  unlink();
  std::uint32_t held = static_cast<std::uint32_t>(syscall(SYS_gettid));
  if (!word.compare_exchange_strong(held, 0)) {
    // The mark of the waiters stays: should we be killed before the wake-up, and somebody else have
    // come in meanwhile, then it is for him to wake them.
    word.exchange(FUTEX_WAITERS);
    futex_wake(word, 1);
  }
  head().list_op_pending = nullptr;
}

void FreesAndThenWakes::release() {
  head().list_op_pending = &node;
  unlink();
  if ((word.exchange(0) & FUTEX_WAITERS) != 0) {
    futex_wake(word, 1);
  }
  head().list_op_pending = nullptr;
}

bool NoPending::acquire() {
  const auto tid = static_cast<std::uint32_t>(syscall(SYS_gettid));
  static_cast<void>(head());
  std::uint32_t seen = 0;
  bool died = false;
  while (!word.compare_exchange_strong(seen, tid | FUTEX_WAITERS)) {
    if ((seen & FUTEX_TID_MASK) == 0) {
      died = true;
      if (word.compare_exchange_strong(seen, tid | FUTEX_WAITERS)) {
        break;
      }
    } else if ((seen & FUTEX_WAITERS) != 0) {
      futex_wait(word, seen);
    }
    died = false;
    seen = 0;
  }
  link();
  return died;
}

bool DropsTheWaiters::acquire() {
  const auto tid = static_cast<std::uint32_t>(syscall(SYS_gettid));
  head().list_op_pending = &node;
  std::uint32_t seen = 0;
  bool died = false;
  while (!word.compare_exchange_strong(seen, tid)) {
    if ((seen & FUTEX_TID_MASK) == 0) {
      died = true;
      if (word.compare_exchange_strong(seen, tid)) {
        break;
      }
    } else if ((seen & FUTEX_WAITERS) != 0 ||
               word.compare_exchange_strong(seen, seen | FUTEX_WAITERS)) {
      futex_wait(word, seen | FUTEX_WAITERS);
    }
    died = false;
    seen = 0;
  }
  link();
  head().list_op_pending = nullptr;
  return died;
}

bool LinksTooLate::acquire() {
  const auto tid = static_cast<std::uint32_t>(syscall(SYS_gettid));
  head().list_op_pending = &node;
  std::uint32_t seen = 0;
  bool died = false;
  while (!word.compare_exchange_strong(seen, tid | FUTEX_WAITERS)) {
    if ((seen & FUTEX_TID_MASK) == 0) {
      died = true;
      if (word.compare_exchange_strong(seen, tid | FUTEX_WAITERS)) {
        break;
      }
    } else {
      futex_wait(word, seen);
    }
    died = false;
    seen = 0;
  }
  head().list_op_pending = nullptr;
  link();
  return died;
}

void FreesBeforeItsTime::release() {
  head().list_op_pending = &node;
  unlink();
  const std::uint32_t held = word.exchange(0);
  head().list_op_pending = nullptr;
  if ((held & FUTEX_WAITERS) != 0) {
    futex_wake(word, 1);
  }
}

std::int32_t load(const std::atomic<std::int32_t>& word, std::memory_order order) {
  return word.load(order);
}

void store(std::atomic<std::int32_t>& word, std::int32_t value, std::memory_order order) {
  word.store(value, order);
}

std::int32_t add(std::atomic<std::int32_t>& word, std::int32_t value, std::memory_order order) {
  return word.fetch_add(value, order);
}

bool exchange_weak(std::atomic<std::int32_t>& word, std::int32_t expected, std::int32_t desired) {
  return word.compare_exchange_weak(expected, desired);
}

std::int32_t by_operators(std::atomic<std::int32_t>& word, std::atomic<bool>& flag) {
  flag = true;
  ++word;
  word = word + 1;
  return flag ? word.load() : 0;
}

void fence(std::memory_order order) {
  std::atomic_thread_fence(order);
}

long futex(void* word, int operation, std::uint32_t value, const timespec* timeout,
           std::uint32_t bitset) {
  const long result = syscall(SYS_futex, word, operation, value, timeout, nullptr, bitset);
  return result == -1 ? -errno : result;
}

void wait_by_library(const std::atomic<std::int32_t>& word, std::int32_t old) {
  word.wait(old);
}

std::int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

int count_calls() {
  static int calls = 0;
  return ++calls;
}

int count_thread_calls() {
  static thread_local int calls = 0;
  return ++calls;
}

void copy(void* target, const void* source, std::size_t size) {
  memcpy(target, source, size);
}
void clear(void* target, std::size_t size) {
  memset(target, 0, size);
}
void plain_increment(int& number) {
  ++number;
}

std::uint64_t wide_load(const std::atomic<std::uint64_t>& word) {
  return word.load();
}

void write_by_assembly(int& number) {
#if defined(__x86_64__)
  asm volatile("lock incl %0" : "+m"(number));
#else
  asm volatile("" : "+m"(number));
#endif
}

void throw_something() {
  throw std::runtime_error("something");
}

int catch_something(void (*between)()) {
  try {
    throw std::runtime_error("mine");
  } catch (const std::runtime_error& error) {
    between();
    return strcmp(error.what(), "mine");
  }
}

}  // namespace mp
