#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "judge/autopsy_scene.hpp"

namespace mp::judge {

/// A system call in which a thread is, as /proc/PID/task/TID/syscall has it.
struct Call {
  pid_t pid = 0;
  pid_t tid = 0;
  long number = -1;
  std::array<std::uint64_t, 6> arguments{};
};

/// The call, what it waits for, and who could end the wait; to follow the words "is blocked in".
/// A call of which nothing more is known is named only.
std::string describe_call(const Call& call, Scene& scene);

}  // namespace mp::judge
