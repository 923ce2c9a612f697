#include "05-queue/simple_queue.hpp"

#include "02-pipe/pipe.hpp"

namespace mp {

LockedPipe::LockedPipe() : LockedPipe(Pipe(false)) {}

LockedPipe::LockedPipe(std::pair<Connection, Connection> ends)
    : reader_(std::move(ends.first)), writer_(std::move(ends.second)) {}

void LockedPipe::put_bytes(std::span<const std::byte> message) {
  const std::lock_guard guard(writing_);
  writer_.send_bytes(message);
}

Bytes LockedPipe::get_bytes() {
  const std::lock_guard guard(reading_);
  return reader_.recv_bytes();
}

bool LockedPipe::empty() const {
  return !reader_.poll();
}

void LockedPipe::close() noexcept {
  reader_.close();
  writer_.close();
}

}  // namespace mp
