#include "02-pipe/framing.hpp"

#include <string>

#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/full_io.hpp"

namespace mp {

namespace {

constexpr std::uint64_t kLongestShort = 0x7fffffff;  // what 4 bytes hold, with a sign
constexpr std::size_t kShortHeader = 4;
constexpr std::size_t kLongHeader = 12;

void put_big_endian(std::span<std::byte> bytes, std::uint64_t value) {
  for (std::size_t i = bytes.size(); i > 0; --i) {
    bytes[i - 1] = static_cast<std::byte>(value);
    value >>= 8;
  }
}

std::uint64_t get_big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) {
    value = value << 8 | std::to_integer<std::uint64_t>(byte);
  }
  return value;
}

}  // namespace

Header encode_header(std::uint64_t length) {
  if (length > kMaxMessage) {
    throw ValueError("a message of " + std::to_string(length) + " bytes is too long");
  }
  Header header;
  const std::span bytes(header.bytes);
  if (length <= kLongestShort) {
    header.size = kShortHeader;
    put_big_endian(bytes.first<kShortHeader>(), length);
  } else {
    header.size = kLongHeader;
    put_big_endian(bytes.first<kShortHeader>(), 0xffffffff);  // -1
    put_big_endian(bytes.last<kLongHeader - kShortHeader>(), length);
  }
  return header;
}

std::optional<std::uint64_t> decode_header(std::span<const std::byte> bytes) {
  if (bytes.size() < kShortHeader) {
    return std::nullopt;
  }
  const auto four = static_cast<std::int32_t>(get_big_endian(bytes.first<kShortHeader>()));
  if (four >= 0) {
    return four;
  }
  if (four != -1) {  // CPython takes these for empty messages
    throw BadMessage("a message of negative length: " + std::to_string(four));
  }
  if (bytes.size() < kLongHeader) {
    return std::nullopt;
  }
  const std::uint64_t length =
      get_big_endian(bytes.subspan<kShortHeader, kLongHeader - kShortHeader>());
  if (length > kMaxMessage) {
    throw BadMessage("a message of " + std::to_string(length) + " bytes is too long");
  }
  return length;
}

std::optional<std::uint64_t> read_header(int fd, Incoming& incoming, Deadline deadline) {
  Header& header = incoming.header;
  for (;;) {
    if (const auto length = decode_header(header.span())) {
      return length;
    }
    const std::size_t wanted = header.size < kShortHeader ? kShortHeader : kLongHeader;
    const auto missing = std::span(header.bytes).first(wanted).subspan(header.size);
    const Transfer read = read_exactly(fd, missing, deadline);
    header.size += read.count;
    if (read.stop == Stop::kTimedOut) {
      return std::nullopt;
    }
    if (read.stop == Stop::kEndOfFile) {
      if (header.size == 0) {
        throw EOFError();
      }
      incoming = {};  // nothing more of it will come: the next call finds the end of file
      throw BadMessage("end of file inside the header of a message");
    }
  }
}

bool read_body(int fd, Incoming& incoming, Deadline deadline) {
  const std::uint64_t length = decode_header(incoming.header.span()).value();
  if (incoming.body.size() != length) {
    incoming.body = Bytes(length);
  }
  const auto missing = std::span<std::byte>(incoming.body).subspan(incoming.received);
  const Transfer read = read_exactly(fd, missing, deadline);
  incoming.received += read.count;
  if (read.stop == Stop::kEndOfFile) {
    const std::size_t received = incoming.received;
    incoming = {};
    throw BadMessage("end of file inside a message: " + std::to_string(received) + " of " +
                     std::to_string(length) + " bytes have come");
  }
  return read.stop == Stop::kDone;
}

Sent write_frame(int fd, std::span<const std::byte> body, Deadline deadline) {
  const Header header = encode_header(body.size());
  std::array parts{part_of(header.span()), part_of(body)};
  const Transfer sent = write_all(fd, parts, deadline);
  if (sent.stop == Stop::kDone) {
    return Sent::kWhole;
  }
  return sent.count == 0 ? Sent::kNothing : Sent::kPart;
}

}  // namespace mp
