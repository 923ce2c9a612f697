#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "02-pipe/connection.hpp"
#include "02-pipe/ends.hpp"
#include "support/becomes.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

// What the graders of pipe, wait and pass_fd set their scenes with.
namespace mp::test {

/// How long a test waits for what comes at once when the code is right.
inline constexpr std::chrono::seconds kLimit{2};

/// Two connections, made without the code under test.
inline std::pair<Connection, Connection> joined() {
  std::array<int, 2> ends{};
  must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {Connection(UniqueFd(ends[0])), Connection(UniqueFd(ends[1]))};
}

/// The next message as text, or in brackets what there is in its place.
inline std::string next_message(Connection& connection) {
  try {
    return as_text(connection.recv_bytes_until(Deadline::after(kLimit)));
  } catch (const EOFError&) {
    return "(the end of file)";
  } catch (const TimeoutError&) {
    return "(nothing for 2 s)";
  }
}

inline void send_text(Connection& connection, std::string_view text) {
  connection.send_bytes_until(as_span(text), Deadline::after(kLimit));
}

/// Expects a std::system_error with this errno. @return its text.
template <class F>
std::string expect_error(int error, F action) {
  const std::string wanted = std::string("std::system_error with ") + strerrorname_np(error);
  int seen = error;
  std::string text = expect_throw<std::system_error>(wanted, [&] {
    try {
      action();
    } catch (const std::system_error& thrown) {
      seen = thrown.code().value();
      throw;
    }
  });
  if (seen != error) {
    const char* const name = strerrorname_np(seen);
    expect(false, "an exception: " + wanted,
           "a std::system_error with " + (name == nullptr ? std::to_string(seen) : name));
  }
  return text;
}

/// While it lives, this process can have only `more` descriptors more.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(int more) {
    must(getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
    std::vector<UniqueFd> trial;  // the kernel hands out the lowest numbers that are free
    for (int i = 0; i <= more; ++i) {
      trial.emplace_back(must(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), "fcntl"));
    }
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(trial.back().get());
    must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;

 private:
  rlimit before_{};
};

/// Runs `action` while this process can have only `more` descriptors more.
///
/// UndefinedBehaviorSanitizer opens a pipe when it sees a type for the first time, so it gets to
/// see a std::system_error before, and other exceptions only when the limit is gone.
template <class F>
auto with_descriptors(int more, F action) {
  (void)std::system_error(EMFILE, std::generic_category(), "for the sanitizer").code();
  std::optional<DescriptorLimit> limit(std::in_place, more);
  try {
    return action();
  } catch (...) {
    limit.reset();
    throw;
  }
}

}  // namespace mp::test
