#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "00-syscalls/deadline.hpp"
#include "01-process/join.hpp"

namespace mp {

/// A process, as others may know it.
struct ProcessInfo {
  std::string name;     ///< "MainProcess", "Process-2", or a given name
  pid_t pid = 0;        ///< 0 where the process has not been started
  bool daemon = false;  ///< to be terminated when its creator ends

  bool operator==(const ProcessInfo&) const = default;  ///< all three are the same
};

/// The process that created this one, for a child that wants to outlive it or to go with it. It
/// speaks of the parent of the process that asked parent_process(), and means nothing in others.
class ParentProcess {
 public:
  /// @param info  of the process that called Process::start().
  explicit ParentProcess(ProcessInfo info) : info_(std::move(info)) {}

  /// The parent's name, such as "MainProcess".
  [[nodiscard]] const std::string& name() const noexcept { return info_.name; }
  /// The parent's process id; another process may have it once the parent has ended.
  [[nodiscard]] pid_t pid() const noexcept { return info_.pid; }

  /// Whether the parent still runs. Python: `parent_process().is_alive()`.
  [[nodiscard]] bool is_alive() const {
    return !join_until(Deadline::after(std::chrono::seconds(0)));
  }

  /// Waits until the parent has ended. Python: `parent_process().join()`.
  void join() const { join_until(Deadline::never()); }

  /// Waits until the parent has ended or the deadline has passed.
  /// @return whether the parent has ended.
  /// @throws std::system_error.
  ///
  /// ### Implementation
  /// A process may not `waitid` for its parent, but may `poll` a pidfd of it. Its number is
  /// still the parent's for as long as `getppid()` returns it; look *after* opening the pidfd,
  /// because the number may have changed hands just before.
  bool join_until(Deadline deadline) const;

 private:
  ProcessInfo info_;
};

/// The numbers that lead from the main process to this one: {} is the main process, {2} its
/// second Process object, {2, 1} the first one of that. Process names come from it.
using Identity = std::vector<int>;

/// A new Process object of this process: its identity is this process's own, and the count of the
/// objects made so far. Python: `_identity`.
Identity next_identity();

/// @return "Process-2:1" for {2, 1}.
std::string default_name(const Identity& identity);

/// This process: "MainProcess", unless it or the process that it is a plain copy of was made by
/// Process::start().
///
/// A plain copy is what fork makes without Process::start(). It has a number of its own and no
/// children, but the name, the count and the parent_process() of the process that forked.
/// Python: `multiprocessing.current_process()`.
ProcessInfo current_process();

/// The process that started this one; none for the main process. A plain copy is told who started
/// the original; is_alive() is false there, because that is not the copy's parent.
/// Python: `multiprocessing.parent_process()`.
std::optional<ParentProcess> parent_process();

/// The children that this process has started and that have not ended. Those that have ended are
/// reaped by the asking; nobody else's are touched. A child of this process knows none of them,
/// also one that a plain fork has made. Python: `multiprocessing.active_children()`.
///
/// ### Implementation
/// fork copies the list; `getpid()` tells whose list it was.
std::vector<ProcessInfo> active_children();

/// Remembers a started child. Called by Process::start(), in the parent.
///
/// At the first call it registers leave_family() with `atexit`, so that it runs when the main
/// process ends normally.
/// @param child  shared with the Process object, which may be gone before the child is.
/// @param info   what active_children() will say of it, and whether it is a daemon.
/// @throws std::bad_alloc.
void adopt(std::shared_ptr<Child> child, ProcessInfo info);

/// Makes the copy of a process that fork has made into a process of its own. Called by
/// Process::start() in the child, before its function: it has no children, has counted none, and
/// its parent is the process that it was until now.
/// @param identity  this process's own, from the creator's next_identity().
/// @param info      its name, and whether it is a daemon.
/// @param parent    the number of the process that called Process::start().
void enter_family(Identity identity, ProcessInfo info, pid_t parent);

/// What a process does last: SIGTERM for its daemons, then waits for all its children. Called in
/// a child when its function is over; in the main process by `atexit`. A second call finds
/// nothing to do, nor does one in a process that a plain fork has made: its parent's children are
/// not its own.
/// Python: `multiprocessing.util._exit_function()`.
///
/// ### Implementation
/// An exception must not keep one child from being waited for because of another.
void leave_family() noexcept;

}  // namespace mp
