#pragma once

#include <set>
#include <string>

namespace mp::judge {

/// Names that outlive the processes which made them: files in /dev/shm and /tmp of this user, and
/// abstract sockets (proc_net(5)), as "/dev/shm/x", "/tmp/y", "abstract socket @z".
std::set<std::string> lasting_names();

/// The members of `after` that are not in `before`.
std::set<std::string> appeared(const std::set<std::string>& before,
                               const std::set<std::string>& after);

}  // namespace mp::judge
