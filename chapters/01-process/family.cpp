#include "01-process/family.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"
#include "01-process/signals.hpp"

namespace mp {

bool ParentProcess::join_until([[maybe_unused]] Deadline deadline) const {
  // TODO(1.6): a pidfd of the parent, if it is still the parent; poll it; close it.
  throw todo("1.6 ParentProcess::join_until");
}

Identity next_identity() {
  // TODO(1.6): this process's identity and one number more.
  throw todo("1.6 next_identity");
}

std::string default_name([[maybe_unused]] const Identity& identity) {
  // TODO(1.6): "Process-" and the numbers, with colons between.
  throw todo("1.6 default_name");
}

ProcessInfo current_process() {
  // TODO(1.6): this process.
  throw todo("1.6 current_process");
}

std::optional<ParentProcess> parent_process() {
  // TODO(1.6): the process that started this one.
  throw todo("1.6 parent_process");
}

std::vector<ProcessInfo> active_children() {
  // TODO(1.6): forget those that have ended, list the others.
  throw todo("1.6 active_children");
}

void adopt([[maybe_unused]] std::shared_ptr<Child> child, [[maybe_unused]] ProcessInfo info) {
  // TODO(1.6): remember it; the first time, arrange for leave_family() at exit.
  throw todo("1.6 adopt");
}

void enter_family([[maybe_unused]] Identity identity, [[maybe_unused]] ProcessInfo info,
                  [[maybe_unused]] pid_t parent) {
  // TODO(1.6): forget the parent's children and counts; the parent is who this process was.
  throw todo("1.6 enter_family");
}

void leave_family() noexcept {
  // TODO(1.6): terminate the daemons, join everybody.
}

}  // namespace mp
