#include "01-process/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <stdexcept>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "01-process/signals.hpp"
#include "01-process/spawn.hpp"

namespace mp {

Process::Process(ProcessOptions options, std::function<void()> body, Bound)
    : body_(std::move(body)),
      identity_(next_identity()),
      name_(options.name.empty() ? default_name(identity_) : std::move(options.name)),
      daemon_(options.daemon.value_or(current_process().daemon)),
      die_with_parent_(options.die_with_parent),
      creator_(getpid()) {}

Process::~Process() = default;  // TODO(1.5): join what was started, here, and is no daemon.

void Process::start() {
  // TODO(1.5): check, spawn, take over the child, adopt it.
  throw todo("1.5 Process::start");
}

void Process::run_in_child([[maybe_unused]] pid_t parent) {
  // TODO(1.5): die with the parent if asked; enter the family, run the body, leave.
  throw todo("1.5 Process::run_in_child");
}

bool Process::join_until([[maybe_unused]] Deadline deadline) {
  throw todo("1.5 Process::join_until");  // TODO(1.5)
}

bool Process::is_alive() {
  throw todo("1.5 Process::is_alive");  // TODO(1.5): false before start.
}

std::optional<int> Process::exitcode() {
  throw todo("1.5 Process::exitcode");  // TODO(1.5): none before start.
}

void Process::terminate() {
  throw todo("1.5 Process::terminate");  // TODO(1.5)
}

void Process::kill() {
  throw todo("1.5 Process::kill");  // TODO(1.5)
}

int Process::sentinel() {
  throw todo("1.5 Process::sentinel");  // TODO(1.5)
}

void Process::close() {
  throw todo("1.5 Process::close");  // TODO(1.5): not while it runs; twice is fine.
}

std::optional<pid_t> Process::pid() const {
  throw todo("1.5 Process::pid");  // TODO(1.5)
}

void Process::require_usable() const {
  throw todo("1.5 Process::require_usable");  // TODO(1.5): not closed, and in the creator.
}

Child& Process::require_started([[maybe_unused]] const char* what) const {
  throw todo("1.5 Process::require_started");  // TODO(1.5)
}

}  // namespace mp
