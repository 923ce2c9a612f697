#pragma once

#include <sys/types.h>

#include <string>

#include "judge/autopsy_scene.hpp"

namespace mp::judge {

/// What a process wants of a descriptor: that there is something to read, or room to write.
enum class Wants { kInput, kOutput };

/// What descriptor `fd` of `pid` is, and who could end the wait for it:
/// `pipe:[51905]; the write end is still open in pid 4241 (test), fd 4`,
/// `the pidfd of pid 7 (consumer), which is stopped`.
std::string about_descriptor(pid_t pid, int fd, Wants wants, Scene& scene);

/// The process that the pidfd `fd` of `pid` stands for: `pid 7 (consumer), which is stopped`.
std::string process_of_pidfd(pid_t pid, int fd, const Scene& scene);

}  // namespace mp::judge
