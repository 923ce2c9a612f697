#include "judge/names.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "judge/proc.hpp"

namespace mp::judge {

namespace {

/// Removes the names that are gone, and those that a process has open or was started with.
void forget_used(std::set<std::string>& names) {
  std::erase_if(names, [](const std::string& name) {
    struct stat info {};
    return lstat(name.c_str(), &info) == -1;
  });
  for (const pid_t pid : all_processes()) {
    for (const Descriptor& open : open_descriptors(pid)) {
      names.erase(open.target);
    }
    const std::string words = read_proc(pid, "cmdline").value_or("");
    std::erase_if(names,
                  [&](const std::string& name) { return words.find(name) != std::string::npos; });
  }
}

}  // namespace

Names lasting_names() {
  Names names;
  for (const char* folder : {"/dev/shm", "/tmp"}) {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
      if (entry.path().filename().native().starts_with("mp-test-")) {
        continue;  // a warden's folder, of this judge or of another one; it removes it itself
      }
      struct stat info {};
      if (lstat(entry.path().c_str(), &info) == 0 && info.st_uid == getuid()) {
        const std::int64_t changed = info.st_ctim.tv_sec * 1'000'000'000 + info.st_ctim.tv_nsec;
        names[entry.path()] = {info.st_ino, changed};
      }
    }
  }
  return names;
}

std::set<std::string> abandoned(const Names& before, const Names& after) {
  std::set<std::string> names;
  for (const auto& [name, state] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != state) {
      names.insert(name);
    }
  }
  const auto deadline = Deadline::after(std::chrono::milliseconds(500));
  while (!names.empty() && deadline.remaining().count() > 0) {
    forget_used(names);
    if (!names.empty()) {
      check(poll(nullptr, 0, 50), "poll");
    }
  }
  return names;
}

}  // namespace mp::judge
