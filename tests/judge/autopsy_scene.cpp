#include "judge/autopsy_scene.hpp"

#include <unistd.h>

#include <algorithm>

namespace mp::judge {
namespace {

constexpr std::size_t kMostDescriptors = 16384;  // a bound for the work, beyond any honest test
constexpr std::size_t kMostPerProcess = 1024;
constexpr std::size_t kMostShown = 4;

std::string fds_text(const std::vector<int>& fds) {
  std::vector<std::string> pieces;
  pieces.reserve(fds.size());
  for (const int fd : fds) {
    pieces.push_back("fd " + std::to_string(fd));
  }
  return joined(pieces, kMostShown);
}

}  // namespace

Scene::Scene(std::span<const pid_t> pids, std::span<const Role> roles)
    : pids_(pids), roles_(roles) {
  for (const pid_t pid : pids) {
    look_at(pid);
  }
  for (const Role& role : roles) {
    look_at(role.pid);
  }
  look_at(::getpid());  // an end that the judge itself left open is worth knowing
}

bool Scene::has_role(pid_t pid) const {
  return std::any_of(roles_.begin(), roles_.end(),
                     [pid](const Role& role) { return role.pid == pid; });
}

std::string Scene::role_of(pid_t pid) const {
  for (const Role& role : roles_) {
    if (role.pid == pid) {
      return role.role;
    }
  }
  const auto stat = read_stat(pid);
  if (pid == ::getpid() || !stat || roles_.empty()) {
    return pid == ::getpid() ? "judge" : stat ? stat->name : "gone";
  }
  const auto test = read_stat(roles_.front().pid);
  if (test && stat->name != test->name) {
    return stat->name;
  }
  pid_t ancestor = stat->ppid;
  for (const char* relation : {"child", "grandchild", "great-grandchild"}) {
    if (ancestor == roles_.front().pid) {
      return std::string(relation) + " of the " + roles_.front().role;
    }
    const auto above = read_stat(ancestor);
    if (!above) {
      break;
    }
    ancestor = above->ppid;
  }
  // The subreaper inherits whoever has lost the parent.
  return (stat->ppid == ::getpid() ? "orphan of the " : "descendant of the ") + roles_.front().role;
}

std::string Scene::who(pid_t pid) const {
  return "pid " + std::to_string(pid) + " (" + role_of(pid) + ")";
}

std::string Scene::who_and_state(pid_t pid) const {
  return who(pid) + ", which is " + state_word(read_stat(pid));
}

void Scene::look_at(pid_t pid) {
  if (descriptors_seen_ >= kMostDescriptors || descriptors_.count(pid) != 0) {
    return;
  }
  const std::size_t room = std::min(kMostPerProcess, kMostDescriptors - descriptors_seen_);
  std::vector<Descriptor>& found = descriptors_[pid];
  found = open_descriptors(pid, room);
  descriptors_seen_ += found.size() + 1;
}

void Scene::look_at_everyone() {
  if (everyone_seen_) {
    return;
  }
  everyone_seen_ = true;
  for (const pid_t pid : all_processes()) {
    look_at(pid);
  }
}

std::map<pid_t, std::vector<int>> Scene::find_holders(const std::string& target,
                                                      bool writing) const {
  std::map<pid_t, std::vector<int>> found;
  for (const auto& [pid, descriptors] : descriptors_) {
    for (const Descriptor& descriptor : descriptors) {
      const bool fits = writing ? can_write(descriptor.access) : can_read(descriptor.access);
      if (fits && descriptor.target == target) {
        found[pid].push_back(descriptor.fd);
      }
    }
  }
  return found;
}

std::string Scene::holders(const std::string& target, bool writing, pid_t self) {
  auto found = find_holders(target, writing);
  // "Nobody" and "only itself" are said only after a look at every process there is.
  if (found.size() == found.count(self)) {
    look_at_everyone();
    found = find_holders(target, writing);
  }
  std::vector<std::string> others;
  for (const auto& [pid, fds] : found) {
    if (pid != self) {
      others.push_back("in " + who(pid) + ", " + fds_text(fds));
    }
  }
  if (found.count(self) == 0) {
    return joined(others, kMostShown);
  }
  const std::string itself = "in pid " + std::to_string(self) + " itself, " + fds_text(found[self]);
  return others.empty() ? itself + ", and nowhere else"
                        : joined(others, kMostShown) + ", and " + itself;
}

std::string Scene::lock_holders(const std::string& target) {
  std::vector<std::string> found;
  for (const auto& [pid, descriptors] : descriptors_) {
    for (const Descriptor& descriptor : descriptors) {
      if (descriptor.target != target) {
        continue;
      }
      const auto info = read_proc(pid, "fdinfo/" + std::to_string(descriptor.fd));
      if (info && field(*info, "lock:")) {
        found.push_back(who(pid) + ", fd " + std::to_string(descriptor.fd));
      }
    }
  }
  return joined(found, kMostShown);
}

std::optional<UnixSocket> Scene::unix_socket(ino_t inode) {
  if (!unix_sockets_) {
    unix_sockets_ = unix_sockets();
  }
  const auto at = unix_sockets_->find(inode);
  return at == unix_sockets_->end() ? std::nullopt : std::optional<UnixSocket>(at->second);
}

std::string state_word(const std::optional<Stat>& stat) {
  if (!stat) {
    return "gone";
  }
  switch (stat->state) {
    case 'R':
      return "running";
    case 'T':
      return "stopped";
    case 't':
      return "stopped by its tracer";
    case 'Z':
      // The main thread of a process is a zombie while other threads of it go on.
      return stat->threads > 1 ? "running without its main thread" : "a zombie";
    case 'X':
      return "gone";
    default:
      return "blocked";
  }
}

std::string joined(const std::vector<std::string>& pieces, std::size_t most) {
  const std::size_t shown = std::min(most, pieces.size());
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == pieces.size();
    text += (i == 0 ? "" : last ? " and " : ", ") + pieces[i];
  }
  if (shown < pieces.size()) {
    text += " and " + std::to_string(pieces.size() - shown) + " more";
  }
  return text;
}

}  // namespace mp::judge
