#include "05-queue/blocking_queue.hpp"

#include <new>

#include "00-syscalls/todo.hpp"
#include "05-queue/sizes.hpp"

namespace mp {

BlockingQueue::BlockingQueue(std::ptrdiff_t maxsize, std::size_t bytes)
    : region_(SharedRegion::anonymous(sizeof(State) + whole_units(bytes))),
      state_(new (region_.data()) State),
      ring_(state_->ring, {region_.data() + sizeof(State), whole_units(bytes)}, bound_of(maxsize)),
      lock_(state_->lock) {}

BlockingQueue::BlockingQueue(State& state, std::span<std::byte> memory, std::ptrdiff_t maxsize)
    : region_(SharedRegion::anonymous(0)),
      state_(&state),
      ring_(state.ring, memory, bound_of(maxsize)),
      lock_(state.lock) {}

bool BlockingQueue::put_until([[maybe_unused]] std::span<const std::byte> item,
                              [[maybe_unused]] Deadline deadline) {
  // TODO(5.3): put it in, if there is room; else sleep until there is, and look again.
  throw todo("5.3 BlockingQueue::put_until");
}

std::optional<Bytes> BlockingQueue::get_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.3): take one out, if there is one; else sleep until there is, and look again.
  throw todo("5.3 BlockingQueue::get_until");
}

}  // namespace mp
