#include "02-pipe/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/full_io.hpp"

namespace mp {

Connection::Connection(UniqueFd fd, bool readable, bool writable)
    : fd_(std::move(fd)), readable_(readable), writable_(writable) {
  // TODO(2.4): what makes no connection?
  throw todo("2.4 Connection");
}

void Connection::send_bytes_until([[maybe_unused]] std::span<const std::byte> message,
                                  [[maybe_unused]] Deadline deadline) {
  // TODO(2.4): write_frame; then see how much of it was sent.
  throw todo("2.4 Connection::send_bytes_until");
}

Bytes Connection::recv_bytes_until([[maybe_unused]] Deadline deadline,
                                   [[maybe_unused]] std::size_t maxlength) {
  // TODO(2.4): next_length, then read_body in step; the message leaves incoming_ empty.
  throw todo("2.4 Connection::recv_bytes_until");
}

std::size_t Connection::recv_bytes_into([[maybe_unused]] std::span<std::byte> buffer) {
  // TODO(2.4): straight into the buffer, if it fits and nothing of it has come yet.
  throw todo("2.4 Connection::recv_bytes_into");
}

std::size_t Connection::next_length([[maybe_unused]] std::size_t maxlength,
                                    [[maybe_unused]] Deadline deadline) {
  // TODO(2.4): read_header in step; is it in time, is it allowed?
  throw todo("2.4 Connection::next_length");
}

void Connection::stop_reading() noexcept {
  // TODO(2.4): from now on write-only, or closed.
}

void Connection::stop_writing() noexcept {
  // TODO(2.4): tell the receiver; from now on read-only, or closed.
}

void Connection::close() noexcept {
  // TODO(2.4): the descriptor, and what has arrived of a message.
}

int Connection::fileno() const {
  // TODO(2.4): "handle is closed"?
  throw todo("2.4 Connection::fileno");
}

int Connection::require_readable() const {
  // TODO(2.4): "handle is closed"? "connection is write-only"?
  throw todo("2.4 Connection::require_readable");
}

int Connection::require_writable() const {
  // TODO(2.4): "handle is closed"? "connection is read-only"?
  throw todo("2.4 Connection::require_writable");
}

}  // namespace mp
