#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "support/explorer/memory_model.hpp"
#include "support/explorer/scheduler.hpp"

namespace explorer {

/// The kernel's side of futex(2): on which words processes sleep, and who is woken. Which of
/// several sleepers a wake-up takes is not promised to anybody, so all of them are tried.
class FutexModel {
 public:
  FutexModel(Scheduler& scheduler, MemoryModel& memory) : scheduler_(scheduler), memory_(memory) {}

  void reset();

  /// FUTEX_WAIT and FUTEX_WAIT_BITSET.
  /// @param deadline  on the virtual clock in ns; -1: none.
  /// @return 0, or the error: EAGAIN, ETIMEDOUT, EINTR.
  int wait(const void* address, std::uint32_t expected, std::uint32_t bitset, std::int64_t deadline,
           const void* code);

  /// FUTEX_WAKE and FUTEX_WAKE_BITSET. @return how many were woken.
  int wake(const void* address, int count, std::uint32_t bitset, const void* code);

  /// nanosleep(2) and its kin: sleeps without a word. @return 0 or EINTR.
  int sleep_until(std::int64_t deadline, const void* code);

  /// What the kernel does when a process ends: it goes through the robust list (set_robust_list(2))
  /// and hands on the locks that the process held.
  void process_ended(Process& process);

  // For the scheduler.

  /// A sleeper left its queue without having been woken by another.
  void left(Process& process);
  /// " on state, which ...": the end of a sentence about one who sleeps for ever.
  [[nodiscard]] std::string on_what(const Process& process) const;
  /// Whether the wake-up that it needed came already.
  [[nodiscard]] bool missed(const Process& process) const;
  [[nodiscard]] std::uint64_t fingerprint() const;

 private:
  struct Queue {
    std::uint64_t identity = 0;  ///< fingerprint of who came and who was woken, in order
    int empty_wake = 0;          ///< the step of the last wake-up that found nobody
  };
  Queue& queue(int word) { return queues_[static_cast<std::size_t>(word)]; }

  /// Wakes as a system call of `as` does; whom, is added to `names`.
  int wake(int word, int count, std::uint32_t bitset, Process& as, std::string& names);
  /// One entry of a robust list. @return whether the kernel goes on to the next one.
  bool hand_on(const void* entry, long offset, bool pending, Process& process);

  Scheduler& scheduler_;
  MemoryModel& memory_;
  std::array<Queue, kMaxWords> queues_{};
};

}  // namespace explorer
