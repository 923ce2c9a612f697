#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace mp::judge {

/// Names of this user in /dev/shm and /tmp, which outlive the processes that made them, and what
/// tells whether they were made or written anew: inode and time of the last change. (Abstract
/// sockets need no watching: such a name lives no longer than a process that holds it.)
using Names = std::map<std::string, std::pair<ino_t, std::int64_t>>;

Names lasting_names();

/// The names in `after` that are not in `before`, or have changed since, and that nobody uses: they
/// are still there half a second later, and in all that time no process had the file open or the
/// name among its arguments. Other programs make files in /tmp, too; a compiler's are in use until
/// it removes them. Waits only for as long as there is a name in doubt.
std::set<std::string> abandoned(const Names& before, const Names& after);

}  // namespace mp::judge
