#include "judge/proc.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <system_error>

#include "judge/owned_fd.hpp"

namespace mp::judge {
namespace {

std::string proc_path(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return std::nullopt;
  }
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() < limit) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return std::nullopt;  // ESRCH: the process ended after the open
    }
    if (got == 0) {
      break;
    }
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

/// The entries of a folder whose names are numbers, in rising order.
std::vector<int> numbered_entries(const std::string& folder) {
  std::vector<int> numbers;
  std::error_code error;
  // The loop is spelt out because a range-for would throw when the process ends half-way.
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    int number = 0;
    const auto [stop, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc{} && stop == name.data() + name.size()) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::optional<Stat> parse_stat(pid_t pid, const std::optional<std::string>& text) {
  if (!text) {
    return std::nullopt;
  }
  // The name is in parentheses and may itself hold blanks and parentheses: the last `)` ends it.
  const std::size_t open = text->find('(');
  const std::size_t close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    return std::nullopt;
  }
  Stat stat;
  stat.pid = pid;
  stat.name = printable(std::string_view(*text).substr(open + 1, close - open - 1));
  std::istringstream rest(text->substr(close + 1));
  // Fields 3 to 20; those between pgrp and utime, and priority and nice, are passed over.
  std::string skip;
  long user = 0;
  long system = 0;
  rest >> stat.state >> stat.ppid >> stat.pgrp;
  for (int number = 6; number <= 13; ++number) {
    rest >> skip;
  }
  rest >> user >> system >> skip >> skip >> skip >> skip >> stat.threads;
  if (!rest) {
    return std::nullopt;
  }
  const long ticks = std::max(::sysconf(_SC_CLK_TCK), 1L);
  stat.cpu_seconds = static_cast<double>(user + system) / static_cast<double>(ticks);
  return stat;
}

/// The direct children of `parent`, or nothing when the kernel has no children files.
std::optional<std::vector<pid_t>> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const pid_t tid : threads(parent)) {
    const auto text = read_proc(parent, "task/" + std::to_string(tid) + "/children");
    if (!text) {
      // A thread that has just ended has no file either; then its siblings still tell.
      if (tid == parent && read_stat(parent)) {
        return std::nullopt;
      }
      continue;
    }
    std::istringstream numbers(*text);
    for (pid_t child = 0; numbers >> child;) {
      children.push_back(child);
    }
  }
  return children;
}

template <typename ChildrenOf>
std::vector<pid_t> walk(pid_t root, ChildrenOf children) {
  std::vector<pid_t> found;
  std::set<pid_t> seen{root};  // a pid used anew while we look must not make a circle
  std::vector<pid_t> level{root};
  while (!level.empty()) {
    std::vector<pid_t> next;
    for (const pid_t parent : level) {
      for (const pid_t child : children(parent)) {
        if (seen.insert(child).second) {
          next.push_back(child);
        }
      }
    }
    found.insert(found.end(), next.begin(), next.end());
    level = std::move(next);
  }
  return found;
}

}  // namespace

std::optional<std::string> read_proc(pid_t pid, const std::string& name, std::size_t limit) {
  return read_file(proc_path(pid, name), limit);
}

std::optional<Stat> read_stat(pid_t pid) {
  return parse_stat(pid, read_proc(pid, "stat"));
}

std::optional<Stat> read_thread_stat(pid_t pid, pid_t tid) {
  return parse_stat(tid, read_proc(pid, "task/" + std::to_string(tid) + "/stat"));
}

std::vector<pid_t> threads(pid_t pid) {
  return numbered_entries(proc_path(pid, "task"));
}

std::vector<pid_t> all_processes() {
  return numbered_entries("/proc");
}

std::vector<pid_t> descendants_by_children_files(pid_t root) {
  return walk(root,
              [](pid_t parent) { return children_of(parent).value_or(std::vector<pid_t>{}); });
}

std::vector<pid_t> descendants_by_scan(pid_t root) {
  std::map<pid_t, std::vector<pid_t>> children;
  for (const pid_t pid : all_processes()) {
    if (const auto stat = read_stat(pid)) {
      children[stat->ppid].push_back(pid);
    }
  }
  return walk(root, [&children](pid_t parent) { return children[parent]; });
}

std::vector<pid_t> descendants(pid_t root) {
  const bool has_files = children_of(::getpid()).has_value();
  return has_files ? descendants_by_children_files(root) : descendants_by_scan(root);
}

bool can_read(Access access) {
  return access == Access::kRead || access == Access::kReadWrite;
}

bool can_write(Access access) {
  return access == Access::kWrite || access == Access::kReadWrite;
}

std::optional<Descriptor> open_descriptor(pid_t pid, int fd) {
  std::array<char, PATH_MAX> target{};
  const std::string link = proc_path(pid, "fd/" + std::to_string(fd));
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length < 0) {
    return std::nullopt;
  }
  Descriptor found;
  found.fd = fd;
  found.target = printable({target.data(), static_cast<std::size_t>(length)});
  const auto info = read_proc(pid, "fdinfo/" + std::to_string(fd));
  const auto flags_text = info ? field(*info, "flags:") : std::nullopt;
  unsigned flags = O_PATH;  // unreadable: claim nothing
  if (flags_text) {
    std::from_chars(flags_text->data(), flags_text->data() + flags_text->size(), flags, 8);
  }
  if ((flags & O_PATH) == 0) {
    const unsigned mode = flags & O_ACCMODE;
    found.access = mode == O_RDWR     ? Access::kReadWrite
                   : mode == O_WRONLY ? Access::kWrite
                                      : Access::kRead;
  }
  return found;
}

std::vector<Descriptor> open_descriptors(pid_t pid, std::size_t limit) {
  std::vector<Descriptor> found;
  for (const int fd : numbered_entries(proc_path(pid, "fd"))) {
    if (found.size() >= limit) {
      break;
    }
    if (auto descriptor = open_descriptor(pid, fd)) {
      found.push_back(std::move(*descriptor));
    }
  }
  return found;
}

std::optional<std::string> field(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.substr(0, label.size()) == label) {
      const std::size_t start = line.find_first_not_of(" \t", label.size());
      return start == std::string_view::npos ? std::string() : std::string(line.substr(start));
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  std::string clean(text.substr(0, kLongest));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > kLongest ? clean + "..." : clean;
}

}  // namespace mp::judge
