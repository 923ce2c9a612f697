#include "05-queue/ring.hpp"

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

Ring::Ring(State& state, std::span<std::byte> memory, std::uint32_t most)
    : state_(&state), memory_(memory), most_(most) {
  // TODO(5.2): refuse memory and numbers that make no ring.
}

void Ring::check_fits([[maybe_unused]] std::size_t size) const {
  // TODO(5.2): refuse what is larger than the empty ring.
}

bool Ring::try_push([[maybe_unused]] std::span<const std::byte> record) {
  // TODO(5.2): fill the units behind the tail, if they are free; then publish them with one store.
  throw todo("5.2 Ring::try_push");
}

std::optional<Bytes> Ring::try_pop() {
  // TODO(5.2): copy the record at the head, if there is one; then give its units back.
  throw todo("5.2 Ring::try_pop");
}

std::uint32_t Ring::size() const noexcept {
  // TODO(5.2): the records between the ends, at one moment.
  return 0;
}

bool Ring::has_room([[maybe_unused]] std::size_t size) const noexcept {
  // TODO(5.2): as try_push() finds out, but for any process.
  return false;
}

std::uint32_t Ring::pushed() const noexcept {
  // TODO(5.2): what the tail says.
  return 0;
}

}  // namespace mp
