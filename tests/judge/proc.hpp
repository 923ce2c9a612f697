#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// @file
/// Reading /proc (proc(5)). A process may end at any moment while it is looked at; nothing here
/// throws for that: what could not be read is left out, or is an empty optional.

namespace mp::judge {

/// What /proc/PID/stat says of a process or of one thread (proc_pid_stat(5)).
struct Stat {
  pid_t pid = 0;     ///< of the process, or the thread id
  std::string name;  ///< at most 15 characters, made printable
  char state = '?';  ///< R running, S asleep, D asleep and not to be interrupted, T, t, Z, X …
  pid_t ppid = 0;    ///< 0 where the parent is outside our pid namespace
  pid_t pgrp = 0;
  long threads = 0;        ///< of the whole process
  double cpu_seconds = 0;  ///< user and system time used so far
};

/// The process `pid`, or nothing when there is none.
std::optional<Stat> read_stat(pid_t pid);

/// The thread `tid` of `pid`, or nothing when there is none.
std::optional<Stat> read_thread_stat(pid_t pid, pid_t tid);

/// The thread ids of `pid` in rising order, the main thread among them; empty when it is gone.
std::vector<pid_t> threads(pid_t pid);

/// All processes of this pid namespace, in rising order.
std::vector<pid_t> all_processes();

/// The children, grandchildren … of `root`, zombies included, `root` excluded, parents before
/// their children. Uses /proc/PID/task/TID/children where the kernel has it, else reads every
/// /proc/PID/stat. A process whose parent ended meanwhile may be missing, unless `root` is its
/// subreaper and the call is repeated.
std::vector<pid_t> descendants(pid_t root);

/// The two ways of `descendants`, apart so that each can be tested wherever it runs.
std::vector<pid_t> descendants_by_children_files(pid_t root);
std::vector<pid_t> descendants_by_scan(pid_t root);

/// What an open descriptor allows (the access mode of its flags).
enum class Access { kNone, kRead, kWrite, kReadWrite };

bool can_read(Access access);
bool can_write(Access access);

struct Descriptor {
  int fd = -1;
  std::string target;  ///< where /proc/PID/fd/FD leads: a path, `pipe:[51905]`, `socket:[7]` …
  Access access = Access::kNone;
};

/// The open descriptors of `pid`, lowest first, at most `limit` of them; empty when they may not
/// be read (proc_pid_fd(5): the caller must be allowed to ptrace the process).
std::vector<Descriptor> open_descriptors(pid_t pid, std::size_t limit = 4096);

/// One descriptor of `pid`, or nothing when it is not open or may not be read.
std::optional<Descriptor> open_descriptor(pid_t pid, int fd);

/// The first `limit` bytes of /proc/PID/`name`, or nothing when it cannot be read.
std::optional<std::string> read_proc(pid_t pid, const std::string& name,
                                     std::size_t limit = std::size_t{1} << 20);

/// The text after `label` up to the end of its line, blanks at the front removed, as the files
/// with lines `Label:\tvalue` have it (fdinfo, status); nothing when no line starts with `label`.
std::optional<std::string> field(std::string_view text, std::string_view label);

/// `text` with each byte outside printable ASCII replaced by `?`, cut to 200 characters: names
/// and paths are chosen by the code under test, and are shown on a terminal.
std::string printable(std::string_view text);

}  // namespace mp::judge
