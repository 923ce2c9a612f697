#pragma once

#include <sys/types.h>

#include <functional>
#include <string_view>

namespace mp {

/// What sys_exit() throws: the way out of a child process that still runs the destructors.
struct SystemExit {
  int code;  ///< the exit code asked for; the kernel keeps its lowest eight bits
};

/// Ends the child process that spawn() made, from anywhere below its body.
/// @param code  0 for success; the parent sees `code & 255`.
/// @throws SystemExit always. Python: `sys.exit()`.
[[noreturn]] inline void sys_exit(int code) {
  throw SystemExit{code};
}

/// Runs a function in a new process.
///
/// The child starts as a copy of the caller: same memory, same descriptors. It runs `body` and
/// then ends without ever coming back from this function:
///   - `body` returns: exit code 0;
///   - `body` calls sys_exit(n): exit code `n & 255`, nothing printed;
///   - any other exception escapes: `Process NAME: ` and the exception's `what()` (or
///     `unknown exception`, if it is no std::exception) on a line of stderr, exit code 1. The line
///     is one write, so that those of several children do not mix.
/// It does not come back even when what it printed cannot be written and std::cout is set to throw.
///
/// What was printed before the call appears once, and what the child prints appears even though
/// it ends without the parent's clean-up: neither the functions registered with `atexit` nor the
/// destructors of static objects run in the child; those are the parent's.
///
/// @param name  the child's name, for its last words.
/// @param body  what the child runs; the child has its own copy.
/// @return in the parent, the child's process id. The caller owns the child: it must be waited
///         for, or it stays a zombie.
/// @throws std::system_error naming "fork" (EAGAIN, ENOMEM): no child was made. So does a stream
///         that is set to throw (`exceptions`) and cannot be flushed before the fork.
/// @see fork(2), _exit(2), fflush(3). Python: `Process.start()`, `_bootstrap()`.
///
/// ### Implementation
/// stdio and iostream keep what is printed in memory until there is enough of it, and fork copies
/// memory. `std::fflush(nullptr)` empties the buffers of all of stdio; `std::cout`, `std::cerr`
/// and `std::clog` have their own (when sync_with_stdio is off).
pid_t spawn(std::string_view name, const std::function<void()>& body);

}  // namespace mp
