#include "05-queue/fast_ring.hpp"

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

FastRing::FastRing(State& state, std::span<std::byte> memory, std::size_t item_size, int spins)
    : state_(&state), memory_(memory.data()), item_size_(item_size), capacity_(1), spins_(spins) {
  // TODO(5.6): how many items fit? Refuse what makes no queue.
}

bool FastRing::put_until([[maybe_unused]] std::span<const std::byte> item,
                         [[maybe_unused]] Deadline deadline) {
  // TODO(5.6): wait for room, if there is none; write, publish, and wake a getter that sleeps.
  throw todo("5.6 FastRing::put_until");
}

bool FastRing::get_until([[maybe_unused]] std::span<std::byte> item,
                         [[maybe_unused]] Deadline deadline) {
  // TODO(5.6): wait for an item, if there is none; read, give back, and wake a putter that sleeps.
  throw todo("5.6 FastRing::get_until");
}

std::uint32_t FastRing::size() const noexcept {
  // TODO(5.6): what lies between the two ends.
  return 0;
}

}  // namespace mp
