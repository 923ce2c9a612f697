#pragma once

#include <poll.h>
#include <sys/types.h>
#include <time.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>

/// Waiting for what another process does, with a limit and without a call of the code under test.
namespace mp::test {

/// Looks every millisecond whether something has become true. @return whether it has, in 2 s.
inline bool becomes_true(const std::function<bool()>& condition) {
  using Clock = std::chrono::steady_clock;
  const auto limit = Clock::now() + std::chrono::seconds(2);
  while (!condition()) {
    if (Clock::now() > limit) {
      return condition();
    }
    ::poll(nullptr, 0, 1);
  }
  return true;
}

/// Whether that process (or thread) sleeps in a call of the kernel at this moment. It may be on its
/// way to sleep somewhere else; so only what is wrong may depend on it.
inline bool is_asleep(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  return name_end != std::string::npos && line.substr(name_end, 3) == ") S";
}

/// How often that process has gone to sleep; -1 if there is none.
inline long sleeps_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word == "voluntary_ctxt_switches:") {
      long count = -1;
      status >> count;
      return count;
    }
  }
  return -1;
}

/// Its user and system time; 0 if there is none.
inline std::chrono::nanoseconds processor_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return std::chrono::nanoseconds::zero();
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// Waits until it does, 2 s at most. @return whether it does.
inline bool falls_asleep(pid_t pid) {
  return becomes_true([pid] { return is_asleep(pid); });
}

}  // namespace mp::test
