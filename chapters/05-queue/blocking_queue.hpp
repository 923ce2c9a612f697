#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>  // std::unique_lock
#include <optional>
#include <span>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/bytes.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/lock.hpp"
#include "05-queue/ring.hpp"

namespace mp {

/// A ring with a bound, where put waits for room and get waits for an item. Any number of processes
/// put and get.
///
/// One lock guards the ring. It is held for as long as one item is copied, and by nobody who
/// sleeps. A process that is killed while it holds the lock keeps it for ever: see CrashSafeQueue.
class BlockingQueue {
 public:
  /// A time limit holds for the lock, too. But whoever has less time than this, or none, waits for
  /// the lock all the same, up to this long: others hold it for as long as a copy takes, and a full
  /// look at the queue is not possible without it.
  static constexpr std::chrono::milliseconds kGrace{100};

  /// Those who wait for the same.
  struct Waiters {
    FutexWord sequence{0};  ///< changes whenever one of them may go on
    FutexWord asleep{0};    ///< how many sleep, or are about to; each counts itself in and out
  };
  /// What the processes share.
  struct State {
    Lock::State lock;     ///< for all that follows
    Waiters getters;      ///< they wait for an item
    Waiters putters;      ///< they wait for a place
    Waiters big_putters;  ///< they have a place, and wait for enough bytes
    Ring::State ring;     ///< the items
  };

  /// An empty queue, in shared memory of its own.
  /// @param maxsize  how many items it holds at most; zero or less, or more than Ring::kMost, is
  ///                 Ring::kMost (Python: 2147483647 as well).
  /// @param bytes    how many bytes, at least 1; they are rounded up to a multiple of 8. An item
  ///                 takes Ring::bytes_for() of them.
  /// @throws ValueError for none, or 32 GiB and more; std::system_error (ENOMEM).
  BlockingQueue(std::ptrdiff_t maxsize, std::size_t bytes);
  /// One in somebody's shared memory, which must outlive this object.
  /// @param state    as State{} in the beginning. @param memory  as for Ring.
  /// @param maxsize  as above, the same in all processes. @throws ValueError as Ring.
  BlockingQueue(State& state, std::span<std::byte> memory, std::ptrdiff_t maxsize);

  /// Puts a copy of an item in, behind all others, and sleeps while there is no room. The item is
  /// in the queue when this returns.
  /// @param item      any number of bytes.
  /// @param deadline  when to give up.
  /// @return whether it is in; if not, nothing has changed.
  /// @throws ValueError at once for an item that does not fit into the empty queue;
  ///         std::system_error.
  ///
  /// ### Implementation
  /// To sleep: look at the ring *with* the lock, read the sequence number, be counted, give the
  /// lock back, and sleep as long as the sequence is what was read. Whoever makes room changes it
  /// while he holds the lock, and so nobody's wake-up is missed. Wake those who can go on, and no
  /// others: one item is for one getter, one place for one putter. Only bytes may be enough for
  /// several, or for the second one and not for the first.
  bool put_until(std::span<const std::byte> item, Deadline deadline);

  /// Takes the oldest item out, and sleeps while there is none.
  /// @param deadline  when to give up.
  /// @return none if the deadline came first.
  /// @throws std::bad_alloc, and the item stays; std::system_error.
  std::optional<Bytes> get_until(Deadline deadline);

  /// How many items are in, at this moment. Takes no lock.
  [[nodiscard]] std::uint32_t size() const noexcept { return ring_.size(); }
  /// The bound.
  [[nodiscard]] std::uint32_t maxsize() const noexcept { return ring_.most(); }
  /// How many were put since the beginning, modulo 2 to the 32.
  [[nodiscard]] std::uint32_t pushed() const noexcept { return ring_.pushed(); }

 private:
  SharedRegion region_;
  State* state_;
  Ring ring_;
  Lock lock_;
};

}  // namespace mp
