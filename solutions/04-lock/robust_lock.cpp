#include "04-lock/robust_lock.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "04-lock/identity.hpp"

namespace mp {

namespace {

/// The locks that this thread holds, as the kernel reads them when the thread ends.
class HeldLocks {
 public:
  /// The calling thread's. fork leaves the kernel of the child without one.
  static HeldLocks& mine() {
    static thread_local HeldLocks held;
    if (const std::uint32_t self = thread_id(); held.registered_ != self) {
      held.head_.list.next = &held.head_.list;
      held.head_.futex_offset = static_cast<long>(offsetof(RobustLock::State, word)) -
                                static_cast<long>(offsetof(RobustLock::State, entry));
      held.head_.list_op_pending = nullptr;
      check(syscall(SYS_set_robust_list, &held.head_, sizeof held.head_), "set_robust_list");
      held.registered_ = self;
    }
    return held;
  }

  /// While it lives, the kernel looks at this lock as well, whether it is in the list or not.
  class Pending {
   public:
    Pending(HeldLocks& held, robust_list& entry) : held_(held) {
      held_.head_.list_op_pending = &entry;
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    ~Pending() {
      std::atomic_signal_fence(std::memory_order_seq_cst);
      held_.head_.list_op_pending = nullptr;
    }
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

   private:
    HeldLocks& held_;
  };

  void add(robust_list& entry) {
    entry.next = head_.list.next;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // whole before it can be reached
    head_.list.next = &entry;
  }
  void remove(const robust_list& entry) {
    for (robust_list* at = &head_.list; at->next != &head_.list; at = at->next) {
      if (at->next == &entry) {
        at->next = entry.next;
        break;
      }
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

 private:
  robust_list_head head_{};
  std::uint32_t registered_ = 0;
};

constexpr auto kOwner = std::uint32_t{FUTEX_TID_MASK};
constexpr auto kWaiters = std::uint32_t{FUTEX_WAITERS};
constexpr auto kOwnerDied = std::uint32_t{FUTEX_OWNER_DIED};
/// The same bit while the word has an owner, who is alive then: somebody has come to sleep since he
/// took the lock.
constexpr auto kCame = kOwnerDied;
constexpr auto kCameToSleep = kWaiters | kCame;

}  // namespace

Acquired RobustLock::acquire_until(Deadline deadline) {
  HeldLocks& held = HeldLocks::mine();
  const std::uint32_t self = thread_id();
  FutexWord& word = state_->word;
  if (deadline.is_never() && (word.load(std::memory_order_relaxed) & kOwner) == self) {
    throw std::logic_error("acquire: the caller holds this lock already");
  }
  const HeldLocks::Pending pending(held, state_->entry);
  std::uint32_t seen = 0;
  while (!word.compare_exchange_strong(seen, self | (seen & kWaiters), std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
    if ((seen & kOwner) == 0) {
      continue;  // free, or its owner is dead: once more, with what is in it
    }
    if (deadline.remaining() == std::chrono::nanoseconds::zero()) {
      return Acquired::kNo;  // who does not sleep leaves no mark
    }
    if ((seen & kCameToSleep) == kCameToSleep ||
        word.compare_exchange_strong(seen, seen | kCameToSleep)) {
      futex_wait(word, seen | kCameToSleep, deadline);
    }
    seen = 0;
  }
  held.add(state_->entry);
  return (seen & kOwnerDied) != 0 ? Acquired::kOwnerDied : Acquired::kYes;
}

void RobustLock::release() {
  HeldLocks& held = HeldLocks::mine();
  FutexWord& word = state_->word;
  if ((word.load(std::memory_order_relaxed) & kOwner) != thread_id()) {
    throw ValueError("release: the caller does not hold this lock");
  }
  const HeldLocks::Pending pending(held, state_->entry);
  held.remove(state_->entry);
  std::uint32_t seen = word.load(std::memory_order_relaxed);
  if ((seen & kCameToSleep) == kWaiters) {
    // A mark from before. If nobody sleeps now, while no one else can take the lock, and nobody
    // comes until the word is free, then it means nothing any more. (An error comes again below.)
    const bool nobody = syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0) == 0;
    if (nobody && word.compare_exchange_strong(seen, 0, std::memory_order_release)) {
      return;
    }
  }
  // The mark of the waiters stays. Should this process be killed before the wake-up, or the woken
  // one before it has the lock, and somebody else have come in meanwhile, then it is for him to
  // wake the next one.
  if ((word.fetch_and(kWaiters, std::memory_order_release) & kWaiters) != 0) {
    futex_wake(word, 1);
  }
}

}  // namespace mp
