#include "05-queue/crash_safe.hpp"

#include <new>

#include "00-syscalls/todo.hpp"
#include "05-queue/sizes.hpp"

namespace mp {

CrashSafeQueue::CrashSafeQueue(std::ptrdiff_t maxsize, std::size_t bytes)
    : region_(SharedRegion::anonymous(sizeof(State) + whole_units(bytes))),
      state_(new (region_.data()) State),
      ring_(state_->ring, {region_.data() + sizeof(State), whole_units(bytes)}, bound_of(maxsize)),
      putting_(state_->putting),
      getting_(state_->getting) {}

CrashSafeQueue::CrashSafeQueue(State& state, std::span<std::byte> memory, std::ptrdiff_t maxsize,
                               int spins)
    : region_(SharedRegion::anonymous(0)),
      state_(&state),
      ring_(state.ring, memory, bound_of(maxsize)),
      putting_(state.putting),
      getting_(state.getting),
      spins_(spins) {}

Producers::Place CrashSafeQueue::register_producer() {
  return Producers::take_place(state_->producers);
}

bool CrashSafeQueue::put_until([[maybe_unused]] std::span<const std::byte> item,
                               [[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as in 5.3, with a robust lock for this end, and what the dead may have left undone.
  throw todo("5.5 CrashSafeQueue::put_until");
}

std::optional<Bytes> CrashSafeQueue::get_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as in 5.3, with a robust lock for this end, and what the dead may have left undone.
  throw todo("5.5 CrashSafeQueue::get_until");
}

std::optional<Bytes> CrashSafeQueue::try_get([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): yours, if you like: one look at the ring, with the lock.
  throw todo("5.5 CrashSafeQueue::try_get");
}

std::optional<Bytes> CrashSafeQueue::get_or_eof_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as get_until(), unless no producer is left.
  throw todo("5.5 CrashSafeQueue::get_or_eof_until");
}

}  // namespace mp
