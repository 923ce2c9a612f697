#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "00-syscalls/deadline.hpp"
#include "04-lock/futex.hpp"
#include "05-queue/ring.hpp"
#include "05-queue/spin.hpp"

namespace mp {

/// A bounded queue of items of one size, for one process that puts and one that gets: no lock, and
/// no system call as long as neither has to wait for long.
///
/// Who has to wait looks again a number of times before it sleeps: another processor needs less
/// than a microsecond, and going to sleep and being woken takes tens of them. But if the other side
/// needs *this* processor, looking keeps it from working.
///
/// A process may be killed at any instruction. An item is in the queue, whole, or it is not; but
/// the other side sleeps on if it was not woken.
class FastRing {
 public:
  /// What the processes share. All zeros is an empty queue. As in Ring, a position is how many have
  /// gone by, and in which slot the next one is.
  struct State {
    alignas(Ring::kApart) std::atomic<Ring::Position> tail{};  ///< the putter's end
    alignas(Ring::kApart) std::atomic<Ring::Position> head{};  ///< the getter's end
    alignas(Ring::kApart) FutexWord getter_asleep{0};  ///< 1: the getter sleeps, or is about to
    FutexWord putter_asleep{0};                        ///< 1: the putter does
  };

  /// A handle of this process on somebody's shared memory; there may have been others before.
  /// @param state      all zeros in the beginning; it must outlive this object.
  /// @param memory     where the items lie; as many as fit are the capacity.
  /// @param item_size  of each, in bytes.
  /// @param spins      how often to look before going to sleep; 0 is never.
  /// @throws ValueError if not even one fits, more than Ring::kMost, or `item_size` is 0.
  FastRing(State& state, std::span<std::byte> memory, std::size_t item_size, int spins = kSpins);

  /// Puts an item in, and waits while there is no room. One process at a time may do that.
  /// @param item  item_size bytes. @param deadline  when to give up.
  /// @return whether it is in. @throws ValueError for another number of bytes; std::system_error.
  ///
  /// ### Implementation
  /// Each side keeps what it saw last of the other's index, and looks again only when that says
  /// full (or empty): the other processor writes it all the time. Publish with release, look with
  /// acquire. To sleep: set your flag, look once more, and sleep *on the flag* as long as it is 1.
  /// Whoever publishes clears the flag, if it is set, and wakes; who stops waiting on his own takes
  /// his flag back. A flag and the index of the other side are two words: what orders them has to
  /// be sequentially consistent.
  bool put_until(std::span<const std::byte> item, Deadline deadline);

  /// Takes the oldest item out, and waits while there is none. One process at a time may do that.
  /// @param item  where to: item_size bytes; unchanged if there is none.
  /// @param deadline  when to give up. @return whether there was one.
  /// @throws as put_until().
  bool get_until(std::span<std::byte> item, Deadline deadline);

  /// How many items are in, at this moment. For any process.
  [[nodiscard]] std::uint32_t size() const noexcept;
  /// How many there may be.
  [[nodiscard]] std::uint32_t capacity() const noexcept { return capacity_; }

 private:
  State* state_;
  std::byte* memory_;
  std::size_t item_size_;
  std::uint32_t capacity_;
  int spins_;
  std::uint32_t seen_head_ = 0;  ///< this process's, as the putter: it may be behind
  std::uint32_t seen_tail_ = 0;  ///< this process's, as the getter: it may be behind
};

}  // namespace mp
