#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <vector>

namespace mp::judge {

/// What a process is in its test: {host pid, "test"}, {child pid, "consumer"}.
struct Role {
  pid_t pid = 0;
  std::string role;
};

/// One sentence for each thread of each process in `pids`: who is blocked in which call on what,
/// and who could end it. For example
/// `pid 4242 (consumer) is blocked in read(3) on pipe:[51905]; the write end is still open in
/// pid 4241 (test), fd 4`.
///
/// Reads /proc/PID/{stat,syscall,wchan,fd,fdinfo,maps} and the memory of the processes
/// (process_vm_readv(2)), so the caller must be allowed to ptrace them: an ancestor under the same
/// user is. Where it is not, the sentences say less, and say so. Processes that end meanwhile are
/// left out. Nothing is stopped or changed. The work is bounded: at most 32 processes are
/// described, then comes `and N more processes`.
///
/// A process that runs as root can arrange (userfaultfd(2), FUSE) that a read of its memory waits
/// for the process itself. A caller which must not hang runs this in a child with a deadline.
///
/// @param pids   the processes to describe, in this order.
/// @param roles  the known roles; the first is the test itself, after which unknown processes are
///               named ("child of the test") when their own name does not tell them apart.
std::vector<std::string> autopsy(std::span<const pid_t> pids, std::span<const Role> roles);

}  // namespace mp::judge
