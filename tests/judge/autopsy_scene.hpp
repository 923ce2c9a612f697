#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/autopsy.hpp"
#include "judge/proc.hpp"
#include "judge/unix_peers.hpp"

namespace mp::judge {

/// The processes of a hanging test as an autopsy sees them: who is who, and who holds what open.
class Scene {
 public:
  Scene(std::span<const pid_t> pids, std::span<const Role> roles);

  /// `pid 4242 (consumer)`.
  std::string who(pid_t pid) const;

  /// `pid 4242 (consumer), which is stopped`.
  std::string who_and_state(pid_t pid) const;

  bool has_role(pid_t pid) const;

  /// Who holds the other side of a pipe or socket: processes with a descriptor that leads to
  /// `target`, through which they can write (or else read).
  /// @param self  the process which waits; told apart as "in pid 4242 itself".
  /// @return `in pid 4241 (test), fd 4, and in pid 4242 itself, fd 4`, `in pid 4242 itself, fd 4,
  ///         and nowhere else`, or an empty string when no process that can be seen has it open.
  std::string holders(const std::string& target, bool writing, pid_t self);

  /// The processes that hold an advisory lock on the file `target` (flock(2), fcntl_locking(2)),
  /// as `pid 4241 (test), fd 4`, or an empty string.
  std::string lock_holders(const std::string& target);

  /// The Unix socket with this inode, or nothing.
  std::optional<UnixSocket> unix_socket(ino_t inode);

  /// The processes under examination; a futex word may hold one of their ids.
  std::span<const pid_t> pids() const { return pids_; }

 private:
  std::string role_of(pid_t pid) const;
  void look_at(pid_t pid);
  void look_at_everyone();
  std::map<pid_t, std::vector<int>> find_holders(const std::string& target, bool writing) const;

  std::span<const pid_t> pids_;
  std::span<const Role> roles_;
  std::map<pid_t, std::vector<Descriptor>> descriptors_;
  std::size_t descriptors_seen_ = 0;
  bool everyone_seen_ = false;
  std::optional<std::map<ino_t, UnixSocket>> unix_sockets_;
};

/// `running`, `blocked`, `stopped`, `a zombie`, `gone`: the letter of /proc/PID/stat as a word.
std::string state_word(const std::optional<Stat>& stat);

/// `a`, `a and b`, `a, b and c`; after `most` pieces `and 5 more`.
std::string joined(const std::vector<std::string>& pieces, std::size_t most);

}  // namespace mp::judge
