#include "judge/autopsy_waits.hpp"

#include <linux/futex.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include "judge/autopsy_fds.hpp"
#include "judge/target_memory.hpp"
#include "support/syscall_names.hpp"

namespace mp::judge {
namespace {

constexpr std::size_t kMostShown = 8;

bool is(const Call& call, std::string_view name) {
  return test::syscall_name(call.number) == name;
}

std::string hex(std::uint64_t value) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(value));
  return text.data();
}

// --- time -------------------------------------------------------------------------------------

std::string seconds_text(double seconds) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), seconds < 1 ? "%.0f ms" : "%.10g s",
                seconds < 1 ? seconds * 1000 : seconds);
  return text.data();
}

double seconds_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// How long it is until `clock` shows `deadline`, rounded to milliseconds.
std::string time_left(const timespec& deadline, clockid_t clock) {
  timespec now{};
  if (::clock_gettime(clock, &now) != 0) {
    return "an unknown time";
  }
  const double left = std::max(seconds_of(deadline) - seconds_of(now), 0.0);
  return seconds_text(static_cast<double>(static_cast<long long>(left * 1000)) / 1000);
}

constexpr const char* kNoTimeout = " with no time-out";

std::string timeout_ms(int milliseconds) {
  return milliseconds < 0 ? kNoTimeout : " with a time-out of " + seconds_text(milliseconds / 1e3);
}

/// The time-out in the timespec at `address`; a null pointer means none.
std::string timeout_at(pid_t pid, std::uint64_t address) {
  if (address == 0) {
    return kNoTimeout;
  }
  const auto time = peek<timespec>(pid, address);
  return time ? " with a time-out of " + seconds_text(seconds_of(*time)) : " with a time-out";
}

// --- several descriptors ----------------------------------------------------------------------

std::string events_text(unsigned events) {
  std::vector<std::string> names;
  for (const auto& [bit, name] :
       {std::pair{POLLIN, "POLLIN"}, {POLLPRI, "POLLPRI"}, {POLLOUT, "POLLOUT"}}) {
    if ((events & static_cast<unsigned>(bit)) != 0) {
      names.emplace_back(name);
    }
  }
  return names.empty() ? "errors only" : joined(names, names.size());
}

/// ` on fd 3 (POLLIN; pipe:[7]; …) and fd 4 (…)`.
std::string watched_text(pid_t pid, const std::vector<Watched>& all, Scene& scene) {
  std::vector<std::string> pieces;
  for (const Watched& one : all) {
    if (pieces.size() >= kMostShown) {  // the rest is only counted
      pieces.emplace_back();
      continue;
    }
    const bool output_only = (one.events & POLLOUT) != 0 && (one.events & POLLIN) == 0;
    const Wants wants = output_only ? Wants::kOutput : Wants::kInput;
    pieces.push_back("fd " + std::to_string(one.fd) + " (" + events_text(one.events) + "; " +
                     about_descriptor(pid, one.fd, wants, scene) + ")");
  }
  return pieces.empty() ? " on no descriptor" : " on " + joined(pieces, kMostShown);
}

std::vector<Watched> polled(const Call& call) {
  std::vector<Watched> watched;
  const std::uint64_t count = std::min<std::uint64_t>(call.arguments[1], 1024);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto one = peek<pollfd>(call.pid, call.arguments[0] + i * sizeof(pollfd));
    if (one && one->fd >= 0) {  // poll skips an entry with a negative descriptor
      watched.push_back({one->fd, static_cast<unsigned>(static_cast<unsigned short>(one->events))});
    }
  }
  return watched;
}

/// The descriptors of the three sets of select(2), which lie at arguments 1 to 3.
std::vector<Watched> selected(const Call& call) {
  constexpr std::array<unsigned, 3> kEvents{POLLIN, POLLOUT, POLLPRI};
  std::vector<Watched> watched;
  const int count = std::clamp(int_argument(call, 0), 0, 4096);
  for (std::size_t set = 0; set < kEvents.size(); ++set) {
    std::uint64_t word = 0;
    for (int fd = 0; fd < count; ++fd) {
      const auto bit = static_cast<unsigned>(fd) % 64;
      if (bit == 0) {
        const auto offset = static_cast<std::uint64_t>(fd) / 8;
        const std::uint64_t start = call.arguments[set + 1];
        word = start == 0 ? 0 : peek<std::uint64_t>(call.pid, start + offset).value_or(0);
      }
      if ((word >> bit & 1) != 0) {
        watched.push_back({fd, kEvents[set]});
      }
    }
  }
  return watched;
}

/// What an epoll instance watches. One line of its file for each:
/// `tfd:        3 events:       19 data: …`, the events in hexadecimal.
std::vector<Watched> in_epoll_set(const Call& call) {
  std::vector<Watched> watched;
  const std::string file = "fdinfo/" + std::to_string(int_argument(call, 0));
  std::istringstream info(read_proc(call.pid, file).value_or(""));
  for (std::string line; std::getline(info, line);) {
    std::istringstream words(line);
    std::string label;
    std::string events;
    Watched one;
    if (words >> label >> one.fd >> events >> std::hex >> one.events && label == "tfd:") {
      watched.push_back(one);
    }
  }
  return watched;
}

// --- futex ------------------------------------------------------------------------------------

std::string operation_text(int operation) {
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
      return "FUTEX_WAIT";
    case FUTEX_WAIT_BITSET:
      return "FUTEX_WAIT_BITSET";
    case FUTEX_LOCK_PI:
      return "FUTEX_LOCK_PI";
    case FUTEX_WAIT_REQUEUE_PI:
      return "FUTEX_WAIT_REQUEUE_PI";
    default:
      return "operation " + std::to_string(operation & FUTEX_CMD_MASK);
  }
}

/// FUTEX_WAIT takes a length of time, all others a point in time.
std::string futex_timeout(const Call& call, int operation) {
  const std::uint64_t address = call.arguments[3];
  if (address == 0 || (operation & FUTEX_CMD_MASK) == FUTEX_WAIT) {
    return timeout_at(call.pid, address);
  }
  const bool real =
      (operation & FUTEX_CLOCK_REALTIME) != 0 || (operation & FUTEX_CMD_MASK) == FUTEX_LOCK_PI;
  const auto deadline = peek<timespec>(call.pid, address);
  return deadline ? " with a time-out in " +
                        time_left(*deadline, real ? CLOCK_REALTIME : CLOCK_MONOTONIC)
                  : " with a time-out";
}

std::string word_text(std::uint32_t value) {
  return value < 0x10000 ? std::to_string(value) : hex(value);
}

/// `; the word is 1, as expected`, and whose id it holds, as locks of glibc and PI futexes do.
std::string value_text(const Call& call, int operation, const Scene& scene) {
  const auto word = peek<std::uint32_t>(call.pid, call.arguments[0]);
  if (!word) {
    return "; the word could not be read";
  }
  std::string text = "; the word is " + word_text(*word);
  if ((operation & FUTEX_CMD_MASK) != FUTEX_LOCK_PI) {  // which expects no value
    const auto expected = static_cast<std::uint32_t>(call.arguments[2]);
    text += *word == expected ? ", as expected"
                              : " now, no longer the expected " + word_text(expected) +
                                    ", but nothing has woken it";
  }
  const auto owner = static_cast<pid_t>(*word & FUTEX_TID_MASK);
  const auto pids = scene.pids();
  // 1 and 2 are states of a lock far more often than they are ids.
  if (owner > 2 && std::find(pids.begin(), pids.end(), owner) != pids.end()) {
    text += "; its lower bits are the id of " + scene.who_and_state(owner);
  }
  return text + ((*word & FUTEX_OWNER_DIED) != 0 ? "; FUTEX_OWNER_DIED is set" : "");
}

/// Says it where no other process can end the wait: the most common mistake with futexes here.
std::string reach_text(const Call& call, int operation, const std::string& memory) {
  const bool flag = (operation & FUTEX_PRIVATE_FLAG) != 0;
  if (!flag && memory != "private memory") {
    return "";
  }
  const auto stat = read_stat(call.pid);
  return std::string(flag ? "; FUTEX_PRIVATE_FLAG is set" : "; the memory is not shared") +
         ", so no other process can wake it" +
         (stat && stat->threads == 1 ? ", and it has no other thread" : "");
}

}  // namespace

int int_argument(const Call& call, std::size_t index) {
  return static_cast<int>(static_cast<std::uint32_t>(call.arguments[index]));
}

std::vector<Watched> watched_descriptors(const Call& call) {
  if (is(call, "poll") || is(call, "ppoll")) {
    return polled(call);
  }
  if (is(call, "select") || is(call, "pselect6")) {
    return selected(call);
  }
  const std::string_view name = test::syscall_name(call.number);
  return name.starts_with("epoll_") ? in_epoll_set(call) : std::vector<Watched>{};
}

std::string in_poll(const Call& call, Scene& scene) {
  const bool plain = is(call, "poll");
  const std::string timeout =
      plain ? timeout_ms(int_argument(call, 2)) : timeout_at(call.pid, call.arguments[2]);
  const std::vector<Watched> watched = polled(call);
  const std::string hopeless =
      watched.empty() && timeout == kNoTimeout ? ": only a signal ends it" : "";
  return (plain ? "poll" : "ppoll") + timeout + watched_text(call.pid, watched, scene) + hopeless;
}

std::string in_select(const Call& call, Scene& scene) {
  std::string timeout = timeout_at(call.pid, call.arguments[4]);
  const auto time = peek<timeval>(call.pid, call.arguments[4]);
  const bool plain = is(call, "select");
  if (plain && time) {  // select has microseconds where pselect has nanoseconds
    timeout = " with a time-out of " + seconds_text(static_cast<double>(time->tv_sec) +
                                                    static_cast<double>(time->tv_usec) / 1e6);
  }
  return (plain ? "select" : "pselect6") + timeout + watched_text(call.pid, selected(call), scene);
}

std::string in_epoll(const Call& call, Scene& scene) {
  const bool precise = is(call, "epoll_pwait2");
  const int fd = int_argument(call, 0);
  return std::string(test::syscall_name(call.number)) + "(" + std::to_string(fd) + ")" +
         (precise ? timeout_at(call.pid, call.arguments[3]) : timeout_ms(int_argument(call, 3))) +
         watched_text(call.pid, in_epoll_set(call), scene);
}

std::string in_futex(const Call& call, Scene& scene) {
  const int operation = int_argument(call, 1);
  const std::string memory = kind_of_memory(call.pid, call.arguments[0]);
  return "futex(" + operation_text(operation) + ")" + futex_timeout(call, operation) + " at " +
         hex(call.arguments[0]) + (memory.empty() ? "" : " in " + memory) +
         value_text(call, operation, scene) + reach_text(call, operation, memory);
}

std::string in_sleep(const Call& call, Scene& /*scene*/) {
  const bool plain = is(call, "nanosleep");
  std::string name = plain ? "nanosleep" : "clock_nanosleep";
  const auto time = peek<timespec>(call.pid, call.arguments[plain ? 0 : 2]);
  if (!time) {
    return name;
  }
  const bool absolute = !plain && (int_argument(call, 1) & TIMER_ABSTIME) != 0;
  return name + (absolute ? " for another " + time_left(*time, int_argument(call, 0))
                          : " for " + seconds_text(seconds_of(*time)));
}

}  // namespace mp::judge
