#include "support/surroundings.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "judge/proc.hpp"

// LeakSanitizer's, where it is linked in (sanitizer/lsan_interface.h).
extern "C" int __lsan_do_recoverable_leak_check() __attribute__((weak));

namespace mp::test {

namespace {

namespace fs = std::filesystem;

std::vector<pid_t> children() {
  std::vector<pid_t> pids = judge::descendants(getpid());
  std::erase_if(pids, [](pid_t pid) {
    const auto stat = judge::read_stat(pid);
    return !stat || stat->ppid != getpid();  // grandchildren are for their parents to mind
  });
  return pids;
}

}  // namespace

Surroundings look_around() {
  Surroundings around;
  std::error_code gone;  // what vanishes while we look was not left behind
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", gone)) {
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (!target.native().starts_with("/proc/")) {  // the descriptor of this very listing
      around.descriptors[std::stoi(entry.path().filename())] = target;
    }
  }
  for (const pid_t pid : children()) {
    if (const auto stat = judge::read_stat(pid)) {
      around.children[pid] =
          stat->name + (stat->state == 'Z' ? ", a zombie: nobody has waited for it"
                                           : std::string(", still there, state ") + stat->state);
    }
  }
  return around;
}

std::vector<std::string> left_behind(const Surroundings& before, const Surroundings& after) {
  std::vector<std::string> left;
  for (const auto& [pid, words] : after.children) {
    if (!before.children.contains(pid)) {
      left.push_back("child process " + std::to_string(pid) + " (" + words + ")");
    }
  }
  for (const auto& [fd, target] : after.descriptors) {
    const auto old = before.descriptors.find(fd);
    if (old == before.descriptors.end() || old->second != target) {
      left.push_back("descriptor " + std::to_string(fd) + ", open on " + target);
    }
  }
  for (const auto& [fd, target] : before.descriptors) {
    if (!after.descriptors.contains(fd)) {
      left.push_back("descriptor " + std::to_string(fd) + " (" + target +
                     ") closed, which was not the test's to close");
    }
  }
  return left;
}

bool memory_leaked() {
  return __lsan_do_recoverable_leak_check != nullptr && __lsan_do_recoverable_leak_check() != 0;
}

}  // namespace mp::test
