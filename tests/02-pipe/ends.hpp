#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "support/faults.hpp"
#include "support/kid.hpp"

namespace mp::test {

/// The two ends of a stream socket pair, made without the code under test, which gets mine().
class Ends {
 public:
  Ends() { must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_.data()), "socketpair"); }
  ~Ends() {
    close_mine();
    close_other();
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  [[nodiscard]] int mine() const { return fds_[0]; }
  [[nodiscard]] int other() const { return fds_[1]; }

  /// The end for the code under test, which owns it from now on.
  [[nodiscard]] int give() { return std::exchange(fds_[0], -1); }

  void close_mine() { close_one(fds_[0]); }
  void close_other() { close_one(fds_[1]); }

  /// Writes to the other end, which must have room for it.
  void put(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count =
          ::send(other(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count == -1 && errno == EINTR) {
        continue;
      }
      bytes.remove_prefix(static_cast<std::size_t>(must(count, "send to the other end")));
    }
  }

  /// Reads from the other end until `size` bytes, the end of file, or nothing for `patience_ms`.
  [[nodiscard]] std::string take(std::size_t size, int patience_ms = 2000) const {
    std::string bytes;
    std::array<char, 65536> piece{};
    while (bytes.size() < size) {
      pollfd item{other(), POLLIN, 0};
      const int ready = ::poll(&item, 1, patience_ms);
      if (ready == -1 && errno == EINTR) {
        continue;
      }
      if (ready == 0) {
        break;
      }
      const ssize_t count =
          ::recv(other(), piece.data(), std::min(piece.size(), size - bytes.size()), MSG_DONTWAIT);
      if (count <= 0) {
        break;
      }
      bytes.append(piece.data(), static_cast<std::size_t>(count));
    }
    return bytes;
  }

  /// Everything that is there now.
  [[nodiscard]] std::string take_all() const { return take(std::size_t{1} << 30, 0); }

 private:
  static void close_one(int& fd) {
    if (fd != -1) {
      ::close(std::exchange(fd, -1));
    }
  }

  std::array<int, 2> fds_{-1, -1};
};

/// `value` in `count` bytes, the highest one first.
inline std::string big_endian(std::uint64_t value, int count) {
  std::string bytes;
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xff);
  }
  return bytes;
}

/// A frame as CPython writes it, for a body of less than 2 GiB.
inline std::string frame(std::string_view body) {
  return big_endian(body.size(), 4).append(body);
}

inline std::span<const std::byte> as_span(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Numbers that differ from run to run and can be had again: a test says its seed in did(), and
/// LEARN_SEED=n in the environment sets it.
class Random {
 public:
  Random() : seed_(choose()), engine_(seed_) {}

  /// " (LEARN_SEED=42)", for did().
  [[nodiscard]] std::string words() const { return " (LEARN_SEED=" + std::to_string(seed_) + ")"; }
  /// A number from 0 to below - 1.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
  std::string bytes(std::size_t size) {
    std::string text(size, '\0');
    for (char& c : text) {
      c = static_cast<char>(engine_());
    }
    return text;
  }

 private:
  static std::uint32_t choose() {
    const char* const given = std::getenv("LEARN_SEED");
    return given != nullptr ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10))
                            : std::random_device{}();
  }

  std::uint32_t seed_;
  std::mt19937 engine_;
};

/// The calls by which bytes are read, and those by which they are written.
inline constexpr std::array<std::string_view, 5> kReadCalls{"read", "readv", "recv", "recvfrom",
                                                            "recvmsg"};
inline constexpr std::array<std::string_view, 5> kWriteCalls{"write", "writev", "send", "sendto",
                                                             "sendmsg"};
/// The calls that wait for a descriptor.
inline constexpr std::array<std::string_view, 2> kPollCalls{"poll", "ppoll"};

using Names = std::span<const std::string_view>;

inline void shorten(Faults& faults, Names names, std::size_t bytes) {
  for (const std::string_view name : names) {
    faults.shorten(name, bytes);
  }
}

inline void before(Faults& faults, Names names, const std::function<void(const Call&)>& hook) {
  for (const std::string_view name : names) {
    faults.before(name, hook);
  }
}

inline void after(Faults& faults, Names names, const std::function<void(const Call&)>& hook) {
  for (const std::string_view name : names) {
    faults.after(name, hook);
  }
}

/// Makes the calls fail; `times` and `skip` count for each name on its own.
inline void fail(Faults& faults, Names names, int error, int times = 1, int skip = 0) {
  for (const std::string_view name : names) {
    faults.fail(name, error, times, skip);
  }
}

/// How many calls of these names there were.
inline int count(const Faults& faults, Names names) {
  int sum = 0;
  for (const std::string_view name : names) {
    sum += faults.count(name);
  }
  return sum;
}

/// For this many milliseconds a call of poll or ppoll may wait; -1 for ever.
inline double poll_patience_ms(const Call& call) {
  const double seconds = patience(call);
  return seconds > 1e9 ? -1 : seconds * 1e3;
}

}  // namespace mp::test
