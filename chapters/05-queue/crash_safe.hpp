#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/bytes.hpp"
#include "03-array/shared_region.hpp"
#include "04-lock/futex.hpp"
#include "04-lock/robust_lock.hpp"
#include "05-queue/producers.hpp"
#include "05-queue/ring.hpp"
#include "05-queue/sizes.hpp"
#include "05-queue/spin.hpp"

namespace mp {

/// A bounded queue that goes on when one of its users is killed, at any instruction: no item is
/// torn, none is lost whose put had returned, none comes twice, and those who wait go on. (An item
/// that the dead had just taken out is gone with it.)
///
/// There is a robust lock for each end, so that putting and getting do not get in each other's way.
/// Neither is held by anybody who sleeps.
class CrashSafeQueue {
 public:
  /// As BlockingQueue::kGrace.
  static constexpr std::chrono::milliseconds kGrace{100};
  /// Who sleeps looks up after so long. The kernel wakes those who wait for a dead owner's lock; of
  /// one who dies between changing the ring and waking those who wait for that, it knows nothing.
  static constexpr std::chrono::milliseconds kNap{50};

  /// Those who wait for the same.
  struct Waiters {
    FutexWord sequence{0};  ///< changes whenever one of them may go on
    FutexWord asleep{0};    ///< 1 if somebody sleeps, or is about to, or did so before it died
  };
  /// What the processes share.
  struct State {
    alignas(Ring::kApart) RobustLock::State putting;  ///< for those who put
    alignas(Ring::kApart) RobustLock::State getting;  ///< for those who get
    alignas(Ring::kApart) Waiters getters;            ///< they wait for an item
    Waiters putters;                                  ///< they wait for a place
    Waiters big_putters;         ///< they have a place, and wait for enough bytes
    Producers::State producers;  ///< those who have registered
    Ring::State ring;            ///< the items
  };

  /// An empty queue, in shared memory of its own.
  /// @param maxsize, bytes  as for BlockingQueue. @throws as BlockingQueue.
  CrashSafeQueue(std::ptrdiff_t maxsize, std::size_t bytes)
      : region_(SharedRegion::anonymous(sizeof(State) + whole_units(bytes))),
        state_(new (region_.data()) State),
        ring_(state_->ring, {region_.data() + sizeof(State), whole_units(bytes)},
              bound_of(maxsize)),
        putting_(state_->putting),
        getting_(state_->getting) {}
  /// One in somebody's shared memory, which must outlive this object.
  /// @param state    as State{} in the beginning.
  /// @param memory   as for Ring.
  /// @param maxsize  as for BlockingQueue, the same in all processes.
  /// @param spins    how often it may look again before it sleeps, which exercise 5.6 is about; 0
  ///                 is never. It is right without.
  /// @throws ValueError as Ring.
  CrashSafeQueue(State& state, std::span<std::byte> memory, std::ptrdiff_t maxsize,
                 int spins = kSpins)
      : region_(SharedRegion::anonymous(0)),
        state_(&state),
        ring_(state.ring, memory, bound_of(maxsize)),
        putting_(state.putting),
        getting_(state.getting),
        spins_(spins) {}

  /// As BlockingQueue::put_until(). Killed before the item is published, it is not in the queue;
  /// killed after that, it is.
  ///
  /// ### Implementation
  /// Whoever gets a lock from a dead owner has nothing to mend: one store to the ring does all or
  /// nothing. But the dead may not have come to wake those whom it should have woken, so wake all.
  ///
  /// Two locks, so nobody's lock covers both the look at the ring and the step from there to sleep.
  /// The sleeper says that it sleeps *first*, and looks once more then; the other one changes the
  /// ring first, and looks then whether somebody sleeps. One of the two sees the other, if all four
  /// are sequentially consistent. Who wakes clears the flag first, and sets it again if it has
  /// woken as many as it wanted to, for there may be more; and it has the lock until it is through.
  bool put_until(std::span<const std::byte> item, Deadline deadline);

  /// As BlockingQueue::get_until().
  std::optional<Bytes> get_until(Deadline deadline);

  /// Registers the calling thread as one that puts, for those who get with get_or_eof_until().
  /// Putting needs no registration. (Given.)
  /// @return the registration; it ends with the object, or with the thread.
  /// @throws ValueError if there are Producers::kMost; std::system_error.
  [[nodiscard]] Producers::Place register_producer();

  /// As get_until(), for who does not want to wait for nobody. Python has no such thing: its
  /// consumers wait for ever when all producers are dead.
  /// @param deadline  when to give up.
  /// @throws EOFError if nothing is in the queue, and all that have registered as producers are
  ///         gone, and there was one; kNap later than that at most. As get_until().
  ///
  /// ### Implementation
  /// First look whether a producer is left, and then whether an item is: the last one may have put
  /// one in between.
  std::optional<Bytes> get_or_eof_until(Deadline deadline);

  /// How many items are in, at this moment. Takes no lock.
  [[nodiscard]] std::uint32_t size() const noexcept { return ring_.size(); }
  /// The bound.
  [[nodiscard]] std::uint32_t maxsize() const noexcept { return ring_.most(); }
  /// How many were put since the beginning, modulo 2 to the 32.
  [[nodiscard]] std::uint32_t pushed() const noexcept { return ring_.pushed(); }

 private:
  /// One look at the ring, with the lock.
  std::optional<Bytes> try_get(Deadline deadline);

  SharedRegion region_;
  State* state_;
  Ring ring_;
  RobustLock putting_;
  RobustLock getting_;
  int spins_ = kSpins;
};

}  // namespace mp
