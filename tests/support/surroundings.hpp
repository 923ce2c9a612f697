#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace mp::test {

/// What a test could leave behind in its own process: descriptors and children.
struct Surroundings {
  std::map<int, std::string> descriptors;  ///< number, what it points to
  std::map<pid_t, std::string> children;   ///< pid, "NAME, running" or "NAME, a zombie"
};

/// The descriptors and children of this process, from /proc.
Surroundings look_around();

/// What is in `after` and was not in `before`, a sentence's part each: "descriptor 5, a pidfd".
std::vector<std::string> left_behind(const Surroundings& before, const Surroundings& after);

/// Under AddressSanitizer: whether memory was leaked (it prints what); else false.
bool memory_leaked();

}  // namespace mp::test
