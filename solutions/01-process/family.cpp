#include "01-process/family.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "00-syscalls/check.hpp"
#include "01-process/signals.hpp"

namespace mp {

namespace {

struct Member {
  std::shared_ptr<Child> child;
  ProcessInfo info;
};

// What a process knows of its relatives. One for each process: fork copies it, and
// enter_family() makes the copy the child's own.
struct Family {
  pid_t owner = getpid();
  Identity identity;
  ProcessInfo self{.name = "MainProcess"};
  std::optional<ProcessInfo> parent;
  std::vector<Member> children;
  int count = 0;
  bool leaves_at_exit = false;
};

Family& family() {
  // Never destroyed: leave_family() runs when static objects may be gone already.
  static Family& family = *new Family;
  if (family.owner != getpid()) {  // a copy made by a fork that is not ours
    family.owner = getpid();
    family.children.clear();
  }
  return family;
}

}  // namespace

bool ParentProcess::join_until(Deadline deadline) const {
  const auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid(), 0));
  if (fd == -1) {
    if (errno == ESRCH) {
      return true;
    }
    throw_errno("pidfd_open");
  }
  if (getppid() != pid()) {  // the parent was gone before; this is a pidfd of who knows whom
    close(fd);
    return true;
  }
  pollfd parent{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  try {
    ready = poll_until({&parent, 1}, deadline);
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
  return ready != 0;
}

Identity next_identity() {
  Identity next = family().identity;
  next.push_back(++family().count);
  return next;
}

std::string default_name(const Identity& identity) {
  std::string name = "Process";
  char separator = '-';
  for (const int number : identity) {
    name += std::exchange(separator, ':') + std::to_string(number);
  }
  return name;
}

ProcessInfo current_process() {
  ProcessInfo self = family().self;
  self.pid = getpid();
  return self;
}

std::optional<ParentProcess> parent_process() {
  const auto& parent = family().parent;
  return parent ? std::optional(ParentProcess(*parent)) : std::nullopt;
}

std::vector<ProcessInfo> active_children() {
  std::erase_if(family().children, [](const Member& member) { return !is_alive(*member.child); });
  std::vector<ProcessInfo> active;
  for (const Member& member : family().children) {
    active.push_back(member.info);
  }
  return active;
}

void adopt(std::shared_ptr<Child> child, ProcessInfo info) {
  if (!std::exchange(family().leaves_at_exit, true) && std::atexit(leave_family) != 0) {
    throw std::bad_alloc();
  }
  family().children.push_back({std::move(child), std::move(info)});
}

void enter_family(Identity identity, ProcessInfo info, pid_t parent) {
  ProcessInfo creator = family().self;
  creator.pid = parent;
  // Forgetting the siblings closes this process's copies of their pidfds, nothing more.
  family() = Family{.owner = getpid(),
                    .identity = std::move(identity),
                    .self = std::move(info),
                    .parent = std::move(creator),
                    .children = {},
                    .count = 0,
                    .leaves_at_exit = true};  // spawn() ends a child by _exit: atexit is silent
}

void leave_family() noexcept {
  const auto each_child = [](auto what_to_do) {
    for (const Member& member : family().children) {
      try {
        what_to_do(member);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", member.info.name.c_str(), error.what());
      }
    }
  };
  each_child([](const Member& member) {
    if (member.info.daemon) {
      terminate(*member.child);
    }
  });
  each_child([](const Member& member) { member.child->join(); });
  family().children.clear();
}

}  // namespace mp
