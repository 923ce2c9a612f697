#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/bytes.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/in_shared_memory.hpp"
#include "05-queue/crash_safe.hpp"

namespace mp {

/// A queue that knows when the work is done: whoever has got an item says so when it has dealt with
/// it, and others wait until that was said of every item that was put. JoinableQueue without its
/// type.
///
/// How many are unfinished is no counter of its own, which somebody could be killed in front of. It
/// is what was put, which the ring counts in the same store that publishes an item, less what is
/// done. Who is killed with an item leaves it unfinished for ever.
class TaskQueue {
 public:
  /// What the processes share, beside the queue's.
  struct State {
    FutexWord done{0};  ///< how many were finished, modulo 2 to the 32
    /// 0 if nobody waits in join, or is about to. Those who died there count for ever.
    FutexWord joining{0};
  };

  /// An empty queue. @param maxsize, bytes  as for CrashSafeQueue. @throws as CrashSafeQueue.
  TaskQueue(std::ptrdiff_t maxsize, std::size_t bytes) : queue_(maxsize, bytes) {}
  /// One in somebody's shared memory, which must outlive this object. As for CrashSafeQueue.
  TaskQueue(State& state, CrashSafeQueue::State& queue, std::span<std::byte> memory,
            std::ptrdiff_t maxsize, int spins = kSpins)
      : state_(state), queue_(queue, memory, maxsize, spins) {}

  /// As CrashSafeQueue::put_until(). @throws ValueError as well, if this process has called
  /// close().
  bool put_until(std::span<const std::byte> item, Deadline deadline);
  /// As CrashSafeQueue::get_until(). @throws ValueError as well, if this process has called
  /// close().
  std::optional<Bytes> get_until(Deadline deadline);

  /// Says that an item is done. Python: `task_done()`.
  /// @throws ValueError if that was said of as many as were put; nothing changes then.
  ///         std::system_error.
  ///
  /// ### Implementation
  /// Compare and count in one step. Who waits in join goes on when nothing is unfinished, and not
  /// before; so the last one wakes, and nobody else.
  void task_done();

  /// Waits until nothing is unfinished. Python: `join()`.
  /// @param deadline  when to give up. @return whether nothing is.
  /// @throws std::system_error.
  ///
  /// ### Implementation
  /// Say that you wait, look, and sleep as long as `done` is what you saw; CrashSafeQueue::kNap at
  /// most, for the last one may be killed before it wakes you.
  bool join_until(Deadline deadline);

  /// No more puts and gets by this process (and by children that it forks from now on). Others are
  /// not concerned, and task_done() and join() go on. May be repeated. Python: `close()`.
  void close() noexcept;
  /// Whether this process has called close().
  [[nodiscard]] bool closed() const noexcept { return closed_; }

  /// How many items are in, at this moment.
  [[nodiscard]] std::uint32_t size() const noexcept { return queue_.size(); }
  /// The bound.
  [[nodiscard]] std::uint32_t maxsize() const noexcept { return queue_.maxsize(); }

 private:
  InSharedMemory<State> state_;
  CrashSafeQueue queue_;
  bool closed_ = false;
};

}  // namespace mp
