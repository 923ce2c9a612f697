#pragma once

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "00-syscalls/deadline.hpp"
#include "00-syscalls/errors.hpp"
#include "02-pipe/connection.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/full_io.hpp"
#include "support/lesson.hpp"

namespace mp::test {

/// The code under test at one end of a socket, and at the other end the test, with bare calls.
struct Line {
  explicit Line(bool readable = true, bool writable = true)
      : conn(UniqueFd(ends.give()), readable, writable) {}

  Ends ends;
  mp::Connection conn;
};

/// The code under test at both ends, without Pipe(), which is another exercise.
inline std::pair<mp::Connection, mp::Connection> two_connections() {
  std::array<int, 2> fds{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), "socketpair");
  UniqueFd first(fds[0]);
  UniqueFd second(fds[1]);
  return {mp::Connection(std::move(first)), mp::Connection(std::move(second))};
}

/// "Do not wait."
inline Deadline passed() {
  return Deadline::after(std::chrono::seconds(0));
}

/// For what needs no time at all: a wrong answer that waits says so, and does not hang.
inline Deadline soon() {
  return Deadline::after(std::chrono::seconds(3));
}

/// A message in words: its text; in hexadecimal if that cannot be printed; for a long one its
/// length and a number made of its bytes.
inline std::string message(std::string_view bytes) {
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (bytes.size() > 30) {
    return "a message of " + std::to_string(bytes.size()) + " bytes (their hash: " +
           std::to_string(std::hash<std::string_view>()(bytes) % 1'000'000) + ")";
  }
  if (std::all_of(bytes.begin(), bytes.end(), printable)) {
    return "the message \"" + std::string(bytes) + "\"";
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += hex.empty() ? "" : " ";
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return "the message of " + std::to_string(bytes.size()) + " bytes " + hex;
}

/// What came of an action, in words: what it returned, or what it threw.
template <class F>
std::string outcome(F action) {
  try {
    return action();
  } catch (const EOFError&) {
    return "EOFError";
  } catch (const BadMessage&) {
    return "BadMessage";
  } catch (const TimeoutError&) {
    return "TimeoutError";
  } catch (const UnpicklingError&) {
    return "UnpicklingError";
  } catch (const BufferTooShort& error) {
    return "BufferTooShort with " + message(as_text(error.message));
  } catch (const ValueError& error) {
    return "ValueError \"" + std::string(error.what()) + "\"";
  } catch (const std::system_error& error) {
    return std::string("std::system_error ") + strerrorname_np(error.code().value());
  } catch (const std::bad_alloc&) {
    return "std::bad_alloc";
  } catch (const std::exception& error) {
    detail::not_written_yet(error);
    return detail::type_in_flight() + " \"" + error.what() + "\"";
  }
}

inline constexpr const char* kClosed = "ValueError \"handle is closed\"";
inline constexpr const char* kReadOnly = "ValueError \"connection is read-only\"";
inline constexpr const char* kWriteOnly = "ValueError \"connection is write-only\"";

/// Compares two outcomes: "recv_bytes(): EOFError".
inline bool expect_outcome(const std::string& call, const std::string& seen,
                           const std::string& expected) {
  return expect(seen == expected, call + ": " + expected, call + ": " + seen);
}

/// Whether a call of kReadCalls or kWriteCalls would wait in the kernel if it had to, for ever.
inline bool may_block(const Call& call) {
  const bool with_flags = call.name.starts_with("recv") || call.name.starts_with("send");
  const bool with_message = call.name.ends_with("msg");
  const long flags = with_flags ? call.args[with_message ? 2 : 3] : 0;
  const int fd = static_cast<int>(call.args[0]);
  return (flags & MSG_DONTWAIT) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
}

/// The memory that a call of kWriteCalls hands over.
inline std::vector<iovec> parts_of_write(const Call& call) {
  if (call.name == "sendmsg") {
    const auto* const header = pointer<msghdr>(call.args[1]);
    return {header->msg_iov, header->msg_iov + header->msg_iovlen};
  }
  if (call.name == "writev") {
    const auto* const parts = pointer<iovec>(call.args[1]);
    return {parts, parts + call.args[2]};
  }
  const auto* const bytes = pointer<std::byte>(call.args[1]);
  return {part_of({bytes, static_cast<std::size_t>(call.args[2])})};
}

inline std::size_t size_of_write(const Call& call) {
  std::size_t size = 0;
  for (const iovec& part : parts_of_write(call)) {
    size += part.iov_len;
  }
  return size;
}

/// While it lives, a call that would wait without a limit, for what does not come, throws: so a
/// wrong answer says what it does, and does not hang.
class NoEndlessWait {
 public:
  NoEndlessWait() {
    before(faults_, kReadCalls, [](const Call& call) {
      if (may_block(call) && !is_ready(call, POLLIN)) {
        throw std::runtime_error(
            "(the grader stopped it) it would wait for ever for bytes that do not come");
      }
    });
    before(faults_, kWriteCalls, [](const Call& call) {
      constexpr std::size_t kAlwaysRoom = 16'400;  // if there is room at all
      if (may_block(call) && (size_of_write(call) > kAlwaysRoom || !is_ready(call, POLLOUT))) {
        throw std::runtime_error("it would wait for room for ever");
      }
    });
  }

 private:
  static bool is_ready(const Call& call, short events) {
    pollfd item{static_cast<int>(call.args[0]), events, 0};
    return ::poll(&item, 1, 0) != 0;
  }

  Faults faults_;
};

/// As recv(), from a process that is still sending; or while the test has a Faults object of its
/// own, because there can be only one.
inline std::string live_recv(mp::Connection& conn, Deadline deadline = soon(),
                             std::size_t maxlength = kMaxMessage) {
  return outcome([&] { return message(as_text(conn.recv_bytes_until(deadline, maxlength))); });
}

/// Receives what is there, or the part of it that is.
inline std::string recv(mp::Connection& conn, Deadline deadline = soon(),
                        std::size_t maxlength = kMaxMessage) {
  const NoEndlessWait guard;
  return live_recv(conn, deadline, maxlength);
}

inline std::string live_recv_into(mp::Connection& conn, std::span<char> buffer) {
  return outcome([&] {
    const std::size_t length = conn.recv_bytes_into(std::as_writable_bytes(buffer));
    if (length > buffer.size()) {
      return "a length of " + std::to_string(length) + " for a buffer of " +
             std::to_string(buffer.size());
    }
    return message({buffer.data(), length});
  });
}

/// Receives what is there.
inline std::string recv_into(mp::Connection& conn, std::span<char> buffer) {
  const NoEndlessWait guard;
  return live_recv_into(conn, buffer);
}

inline std::string live_send(mp::Connection& conn, std::string_view text,
                             Deadline deadline = soon()) {
  return outcome([&] {
    conn.send_bytes_until(as_span(text), deadline);
    return std::string("sent");
  });
}

inline std::string send(mp::Connection& conn, std::string_view text, Deadline deadline = soon()) {
  const NoEndlessWait guard;
  return live_send(conn, text, deadline);
}

inline bool expect_recv(mp::Connection& conn, const std::string& expected) {
  return expect_outcome("recv_bytes()", recv(conn), expected);
}

inline bool expect_send(mp::Connection& conn, std::string_view text, const std::string& expected) {
  return expect_outcome("send_bytes()", send(conn, text), expected);
}

/// Expects that messages still arrive: in these directions, and no others.
inline bool expect_usable(Line& line, bool receives = true, bool sends = true) {
  if (!expect_eq("readable()", line.conn.readable(), receives) ||
      !expect_eq("writable()", line.conn.writable(), sends)) {
    return false;
  }
  if (sends && (!expect_send(line.conn, "and on", "sent") ||
                !expect_outcome("at the other end", message(line.ends.take(10)),
                                message(frame("and on"))))) {
    return false;
  }
  if (receives) {
    line.ends.put(frame("and back"));
    return expect_recv(line.conn, message("and back"));
  }
  return true;
}

/// Expects what is left of a connection that has made an end of receiving.
inline bool expect_end_of_receiving(Line& line, bool duplex) {
  if (!duplex) {
    return expect_eq("closed()", line.conn.closed(), true) && expect_recv(line.conn, kClosed);
  }
  return expect_eq("closed()", line.conn.closed(), false) && expect_recv(line.conn, kWriteOnly) &&
         expect_usable(line, false, true);
}

/// Expects what is left of a connection that has made an end of sending: also for the other end,
/// which has read everything by now.
inline bool expect_end_of_sending(Line& line, bool duplex) {
  if (!expect(readable(line.ends.other()) && line.ends.take_all().empty(),
              "the other end to see the end of file, whoever holds a copy of this end",
              "it would wait for more")) {
    return false;
  }
  if (!duplex) {
    return expect_eq("closed()", line.conn.closed(), true) && expect_send(line.conn, "x", kClosed);
  }
  return expect_eq("closed()", line.conn.closed(), false) &&
         expect_send(line.conn, "x", kReadOnly) && expect_usable(line, true, false);
}

/// How many bytes there are to read.
inline int unread(int fd) {
  int count = 0;
  must(ioctl(fd, FIONREAD, &count), "ioctl(FIONREAD)");
  return count;
}

/// Bytes that differ from each other, many of them in little time.
inline std::string many_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = random.below(std::size_t{1} << 31);
  for (std::size_t at = 0; at < size; at += sizeof state) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const std::uint64_t word = state ^ state >> 33U;
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, size - at));
  }
  return bytes;
}

}  // namespace mp::test
