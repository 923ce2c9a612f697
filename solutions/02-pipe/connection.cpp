#include "02-pipe/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/full_io.hpp"

namespace mp {

Connection::Connection(UniqueFd fd, bool readable, bool writable)
    : fd_(std::move(fd)), readable_(readable), writable_(writable) {
  if (closed()) {
    throw ValueError("a connection needs a descriptor");
  }
  if (!readable && !writable) {
    throw ValueError("a connection must be readable, writable or both");
  }
}

void Connection::send_bytes_until(std::span<const std::byte> message, Deadline deadline) {
  const int fd = require_writable();
  Sent sent = Sent::kPart;
  try {
    sent = write_frame(fd, message, deadline);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::broken_pipe) {
      stop_writing();  // who knows how much of it has been sent
    }
    throw;
  }
  if (sent == Sent::kPart) {
    stop_writing();
    throw TimeoutError("timed out in the middle of sending a message");
  }
  if (sent == Sent::kNothing) {
    throw TimeoutError("timed out before anything was sent");
  }
}

Bytes Connection::recv_bytes_until(Deadline deadline, std::size_t maxlength) {
  next_length(maxlength, deadline);
  return in_step([&] {
    if (!read_body(fd_.get(), incoming_, deadline)) {
      throw TimeoutError("timed out in the middle of receiving a message");
    }
    return std::exchange(incoming_, {}).body;
  });
}

std::size_t Connection::recv_bytes_into(std::span<std::byte> buffer) {
  const std::size_t length = next_length(kMaxMessage, Deadline::never());
  if (length > buffer.size() || incoming_.received > 0) {  // it needs memory of its own, or has it
    Bytes message = recv_bytes();
    if (length > buffer.size()) {
      throw BufferTooShort(std::move(message));
    }
    std::copy(message.begin(), message.end(), buffer.begin());
    return length;
  }
  return in_step([&] {
    const Transfer read = read_exactly(fd_.get(), buffer.first(length));
    incoming_ = {};
    if (read.stop != Stop::kDone) {
      throw BadMessage("end of file inside a message: " + std::to_string(read.count) + " of " +
                       std::to_string(length) + " bytes have come");
    }
    return length;
  });
}

std::size_t Connection::next_length(std::size_t maxlength, Deadline deadline) {
  const int fd = require_readable();
  const auto length = in_step([&] { return read_header(fd, incoming_, deadline); });
  if (!length) {
    throw TimeoutError("timed out before a message came");
  }
  if (*length > maxlength) {
    stop_reading();
    throw BadMessage("a message of " + std::to_string(*length) + " bytes, where " +
                     std::to_string(maxlength) + " are allowed");
  }
  return *length;
}

void Connection::stop_reading() noexcept {
  incoming_ = {};
  readable_ = false;
  if (!writable_) {
    close();
  }
}

void Connection::stop_writing() noexcept {
  // Whatever is sent from now on would be taken for the rest of the message that was cut off.
  shutdown(fd_.get(), SHUT_WR);  // fails only if the peer is gone, and then nobody is to be told
  writable_ = false;
  if (!readable_) {
    close();
  }
}

void Connection::close() noexcept {
  fd_.reset();
  incoming_ = {};
}

int Connection::fileno() const {
  if (closed()) {
    throw ValueError("handle is closed");
  }
  return fd_.get();
}

int Connection::require_readable() const {
  const int fd = fileno();
  if (!readable_) {
    throw ValueError("connection is write-only");
  }
  return fd;
}

int Connection::require_writable() const {
  const int fd = fileno();
  if (!writable_) {
    throw ValueError("connection is read-only");
  }
  return fd;
}

}  // namespace mp
