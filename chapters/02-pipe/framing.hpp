#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/bytes.hpp"

namespace mp {

/// The longest message: 1 TiB. A header that announces more is garbage, not a message.
inline constexpr std::uint64_t kMaxMessage = std::uint64_t{1} << 40;

/// The header of a frame: the length of the message that follows it.
///
/// These are CPython's frames, so that a Python process can sit at the other end:
///
///     up to 0x7fffffff bytes    4 bytes: the length, signed, big-endian
///     more                      4 bytes: -1, then 8 bytes: the length, unsigned, big-endian
struct Header {
  std::array<std::byte, 12> bytes{};  ///< of which the first `size` count
  std::size_t size = 0;               ///< 4 or 12

  /// The bytes that count.
  [[nodiscard]] std::span<const std::byte> span() const { return std::span(bytes).first(size); }
};

/// The header for a message of `length` bytes.
/// @throws ValueError if it is longer than kMaxMessage.
/// Python: `struct.pack("!i", n)` and `struct.pack("!Q", n)`.
Header encode_header(std::uint64_t length);

/// The length that a header announces.
/// @param bytes  what has arrived of the header, from its first byte on.
/// @return none if there must be more of it: fewer than 4 bytes, or -1 and fewer than 12. Bytes
///         behind the header are not looked at.
/// @throws BadMessage for a negative length other than -1, and for one above kMaxMessage.
std::optional<std::uint64_t> decode_header(std::span<const std::byte> bytes);

/// A message on its way in: what has arrived of it. When a deadline comes in the middle, nothing
/// is lost: the next read_header() and read_body() go on from here.
struct Incoming {
  Header header;             ///< `size` counts what has arrived of it
  Bytes body;                ///< as long as the header says; empty until the header is complete
  std::size_t received = 0;  ///< how many bytes of `body` have arrived
};

/// Reads the header of the next message, or what is missing of it.
/// @param fd        a stream socket.
/// @param incoming  the message; its `header` is filled in. One whose header is complete is not
///                  read again.
/// @param deadline  for all of it.
/// @return the length of the message; none if the deadline came first.
/// @throws EOFError if the end of file is where a header would begin: no message is lost.
///         BadMessage if it is inside the header: `incoming` is as new then, and the next call
///         finds the end of file. BadMessage as decode_header(): such a header stays where it is,
///         and every further call throws. std::system_error.
///
/// ### Implementation
/// Read 4 bytes and ask decode_header(); read 8 more only if it wants them. A byte too many would
/// be the first one of the body. A short header that is there is read with one system call, and so
/// is a body.
std::optional<std::uint64_t> read_header(int fd, Incoming& incoming,
                                         Deadline deadline = Deadline::never());

/// Reads the body of a message whose header is complete, or what is missing of it. The body gets
/// its memory here, once, before its first byte is read, and nobody writes to it before there are
/// bytes for it. An empty body needs no system call.
/// @param fd        a stream socket.
/// @param incoming  the message; `body` and `received` are filled in.
/// @param deadline  for all of it.
/// @return whether the message is complete; false if the deadline came first.
/// @throws BadMessage if the end of file comes before the last byte, also before the first one:
///         `incoming` is as new then. std::bad_alloc if there is no memory for it: nothing is read
///         then, `incoming` is as before, and it may be tried again. std::system_error.
bool read_body(int fd, Incoming& incoming, Deadline deadline = Deadline::never());

/// How much of a message has been sent.
enum class Sent {
  kWhole,    ///< all of it
  kNothing,  ///< nothing: the deadline came first. It may be tried again.
  kPart,     ///< a part: the deadline came in the middle. Nothing that follows can be read.
};

/// Sends one message: header and body with one system call, if the kernel takes them.
/// @param fd        a stream socket.
/// @param body      the message, which is not copied. May be empty.
/// @param deadline  for all of it.
/// @throws ValueError if it is longer than kMaxMessage: nothing is sent. std::system_error.
Sent write_frame(int fd, std::span<const std::byte> body, Deadline deadline = Deadline::never());

}  // namespace mp
