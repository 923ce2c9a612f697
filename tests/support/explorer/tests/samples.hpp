#pragma once

#include <linux/futex.h>
#include <atomic>
#include <cstdint>

/// Code under test: right and wrong synchronisation, as people write it. samples.cpp is compiled
/// twice, as namespace mp and, for the explorer, as namespace explored.
namespace mp {

// ------------------------------------------------------------------------------ locks that are
// right

/// Three states: 0 free, 1 held, 2 held and somebody may sleep.
struct Mutex {
  std::atomic<std::uint32_t> state{0};
  void acquire();
  bool try_acquire();
  bool acquire_for(std::int64_t ns);  // an absolute deadline
  void release();
};

/// The same, and no order is stronger than it has to be.
struct TightMutex : Mutex {
  void acquire();
  void release();
};

/// Tries a few times before it sleeps.
struct SpinningMutex : Mutex {
  void acquire();
};

struct Semaphore {
  std::atomic<std::uint32_t> value;
  std::atomic<std::uint32_t> waiters{0};
  explicit Semaphore(std::uint32_t units) : value(units) {}
  void acquire();
  bool try_acquire();
  void release();
};

struct Event {
  std::atomic<std::uint32_t> flag{0};
  void wait();
  void set();
};

struct Condition {
  std::atomic<std::uint32_t> sequence{0};
  void wait(Mutex& mutex);
  void notify_one();
};

struct Ticket {  // fair: whoever came first
  std::atomic<std::uint32_t> next{0};
  std::atomic<std::uint32_t> serving{0};
  void acquire();
  void release();
};

// ------------------------------------------------------------------------------ locks that are
// wrong

struct NoLock : Mutex {  // does nothing at all
  void acquire();
  void release();
};
struct LoadThenStore : Mutex {  // looks, and then takes it
  void acquire();
};
struct NeverWakes : Mutex {  // two states; release wakes nobody
  void acquire();
  void release();
};
struct WakesTooSeldom : Mutex {  // takes over as if nobody else slept
  void acquire();
};
struct RelaxedRelease : Mutex {
  void release();
};
struct RelaxedAcquire : Mutex {
  void acquire();
};
struct SleepsOnWhatItReads : Mutex {  // checks, and sleeps if nothing changes from now on
  void acquire();
};
struct WakesBeforeItFrees : Mutex {
  void release();
};
struct PrivateMutex : Mutex {  // FUTEX_WAKE_PRIVATE
  void release();
};
struct BusyMutex : Mutex {  // never sleeps
  void acquire();
};
struct RestartsTheClock : Mutex {  // a relative time, all of it again after each wake-up
  bool acquire_for(std::int64_t ns);
};
struct ForgetsTheTime : Mutex {
  bool acquire_for(std::int64_t ns);
};
struct TakesItselfForWoken : Mutex {  // a return of futex is not the lock
  void acquire();
};
struct WeakTry : Mutex {  // compare_exchange_weak, once
  bool try_acquire();
};
struct PlainMutex {  // no atomic at all
  std::uint32_t state = 0;
  void acquire();
  void release();
};
struct IfSemaphore : Semaphore {  // checks once, not again after the sleep
  using Semaphore::Semaphore;
  void acquire();
};
struct SleepsWithoutACount : Condition {  // the wake-up between unlock and sleep is lost
  void wait(Mutex& mutex);
  void notify_one();
};
struct NotifiesFirst : Event {  // wakes, and then sets the flag
  void set();
};
struct WakesOne : Event {
  void set();
};

// ----------------------------------------------------------------------------------- the robust
// ones

/// The kernel's robust list: the word holds the owner's tid, FUTEX_WAITERS and FUTEX_OWNER_DIED.
struct RobustMutex {
  std::atomic<std::uint32_t> word{0};
  robust_list node{};
  /// @return true when the owner before died.
  bool acquire();
  void release();

 protected:
  static robust_list_head& head();  // one for each process
  void link();
  void unlink();
};
struct NoPending : RobustMutex {  // says nowhere that it is about to take it
  bool acquire();
};
struct DropsTheWaiters : RobustMutex {  // takes over, and forgets who else sleeps
  bool acquire();
};
struct LinksTooLate : RobustMutex {  // clears the pending mark before the lock is in the list
  bool acquire();
};
struct FreesAndThenWakes : RobustMutex {  // the wake-up is lost when a third one comes between
  void release();
};
struct FreesBeforeItsTime : RobustMutex {  // the pending mark is gone before the wake-up
  void release();
};

// ------------------------------------------------------------------------------- one operation
// each

std::int32_t load(const std::atomic<std::int32_t>& word, std::memory_order order);
void store(std::atomic<std::int32_t>& word, std::int32_t value, std::memory_order order);
std::int32_t add(std::atomic<std::int32_t>& word, std::int32_t value, std::memory_order order);
bool exchange_weak(std::atomic<std::int32_t>& word, std::int32_t expected, std::int32_t desired);
void fence(std::memory_order order);
/// Members of std::atomic that compilers make functions of: ++, =, and those of atomic<bool>.
std::int32_t by_operators(std::atomic<std::int32_t>& word, std::atomic<bool>& flag);

/// @return 0 or more, or minus errno.
long futex(void* word, int operation, std::uint32_t value, const timespec* timeout = nullptr,
           std::uint32_t bitset = 0);

void wait_by_library(const std::atomic<std::int32_t>& word, std::int32_t old);
std::int64_t now();
int count_calls();         ///< of this process: a static variable
int count_thread_calls();  ///< the same, thread-local
void copy(void* target, const void* source, std::size_t size);
void clear(void* target, std::size_t size);
void plain_increment(int& number);
std::uint64_t wide_load(const std::atomic<std::uint64_t>& word);
void write_by_assembly(int& number);
void throw_something();
int catch_something(void (*between)());

}  // namespace mp
