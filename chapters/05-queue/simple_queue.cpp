#include "05-queue/simple_queue.hpp"

#include "00-syscalls/todo.hpp"
#include "02-pipe/pipe.hpp"

namespace mp {

LockedPipe::LockedPipe() : LockedPipe(Pipe(false)) {}

LockedPipe::LockedPipe(std::pair<Connection, Connection> ends)
    : reader_(std::move(ends.first)), writer_(std::move(ends.second)) {}

void LockedPipe::put_bytes([[maybe_unused]] std::span<const std::byte> message) {
  // TODO(5.1): one sender at a time, whatever happens in between.
  throw todo("5.1 LockedPipe::put_bytes");
}

Bytes LockedPipe::get_bytes() {
  // TODO(5.1): one receiver at a time, whatever happens in between.
  throw todo("5.1 LockedPipe::get_bytes");
}

bool LockedPipe::empty() const {
  // TODO(5.1): is there anything to receive?
  throw todo("5.1 LockedPipe::empty");
}

void LockedPipe::close() noexcept {
  // TODO(5.1): both ends.
}

}  // namespace mp
