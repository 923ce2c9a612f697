#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "judge/autopsy_scene.hpp"

namespace mp::judge {

constexpr long kNoCall = -1;   ///< in place of a call's number: the thread sleeps in none
constexpr long kRunning = -2;  ///< in place of a call's number: the thread does not sleep

/// A system call in which a thread is, as /proc/PID/task/TID/syscall has it.
struct Call {
  pid_t pid = 0;
  pid_t tid = 0;
  long number = kNoCall;
  std::array<std::uint64_t, 6> arguments{};
};

/// The call in which a thread sleeps; nothing when it is gone, or may not be looked at.
std::optional<Call> read_call(pid_t pid, pid_t tid);

/// The call, what it waits for, and who could end the wait; to follow the words "is blocked in".
/// A call of which nothing more is known is named only.
std::string describe_call(const Call& call, Scene& scene);

/// The descriptors that could end the call by being ready: read(2)'s, all of poll(2)'s, or none.
std::vector<int> awaited_descriptors(const Call& call);

/// Whether the call ends by itself after some time: it sleeps, or was given a time-out.
bool has_time_out(const Call& call);

}  // namespace mp::judge
