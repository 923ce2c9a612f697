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

/// The names in `after` that are not in `before`, or have changed since.
std::set<std::string> touched(const Names& before, const Names& after);

/// What a test is to blame for, when it was run alone twice and touched these names: a name that
/// it touched both times; and one in /dev/shm, if there was one there both times. Other programs
/// use these folders as well: a compiler makes files in /tmp all the time, but never the same.
std::set<std::string> blame(const std::set<std::string>& first,
                            const std::set<std::string>& second);

}  // namespace mp::judge
