#include "01-process/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "01-process/signals.hpp"
#include "01-process/spawn.hpp"

namespace mp {

namespace {

void die_with_parent(pid_t parent) {
  check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl(PR_SET_PDEATHSIG)");
  if (getppid() != parent) {  // it died before the line above, so no signal will come
    check(raise(SIGKILL), "raise");
  }
}

// A child for which there is no pidfd cannot be joined by anybody: it must not run on.
std::shared_ptr<Child> take_over(pid_t pid) {
  try {
    return std::make_shared<Child>(pid);
  } catch (...) {
    ::kill(pid, SIGKILL);  // not waited for yet, so the number is still its own
    retry([pid] { return waitpid(pid, nullptr, 0); });
    throw;
  }
}

}  // namespace

Process::Process(ProcessOptions options, std::function<void()> body, Bound)
    : body_(std::move(body)),
      identity_(next_identity()),
      name_(options.name.empty() ? default_name(identity_) : std::move(options.name)),
      daemon_(options.daemon.value_or(current_process().daemon)),
      die_with_parent_(options.die_with_parent),
      creator_(getpid()) {}

Process::~Process() {
  if (child_ && !closed_ && !daemon_ && creator_ == getpid()) {
    child_->join();
  }
}

void Process::start() {
  require_usable();
  if (child_) {
    throw std::logic_error(name_ + ": a process can be started only once");
  }
  if (current_process().daemon) {
    throw std::logic_error(name_ + ": a daemon may not have children");
  }
  active_children();  // for its side effect: whoever has ended is reaped now
  const pid_t parent = getpid();
  const pid_t pid = spawn(name_, [this, parent] { run_in_child(parent); });
  child_ = take_over(pid);
  adopt(child_, {.name = name_, .pid = pid, .daemon = daemon_});
  body_ = nullptr;  // what was moved into it is the child's now
}

void Process::run_in_child(pid_t parent) {
  if (die_with_parent_) {
    die_with_parent(parent);
  }
  enter_family(identity_, {.name = name_, .pid = getpid(), .daemon = daemon_}, parent);
  struct Leave {
    ~Leave() { leave_family(); }  // when the body throws, too: its children are not orphaned
  } const leave;
  body_();
}

bool Process::join_until(Deadline deadline) {
  return require_started("join").join_until(deadline);
}

bool Process::is_alive() {
  require_usable();
  return child_ && mp::is_alive(*child_);
}

std::optional<int> Process::exitcode() {
  require_usable();
  return child_ ? child_->exitcode() : std::nullopt;
}

void Process::terminate() {
  mp::terminate(require_started("terminate"));
}

void Process::kill() {
  mp::kill(require_started("kill"));
}

int Process::sentinel() {
  require_usable();
  if (!child_) {
    throw ValueError(name_ + ": no sentinel before start");
  }
  return child_->sentinel();
}

void Process::close() {
  if (closed_) {
    return;
  }
  if (is_alive()) {
    throw ValueError(name_ + ": cannot be closed while it runs; join or terminate it first");
  }
  child_.reset();
  closed_ = true;
  active_children();  // for its side effect: the family lets go of the child, too
}

std::optional<pid_t> Process::pid() const {
  if (closed_) {
    throw ValueError(name_ + ": process object is closed");
  }
  return child_ ? std::optional(child_->pid()) : std::nullopt;
}

void Process::require_usable() const {
  if (closed_) {
    throw ValueError(name_ + ": process object is closed");
  }
  if (creator_ != getpid()) {
    throw std::logic_error(name_ + ": belongs to another process");
  }
}

Child& Process::require_started(const char* what) const {
  require_usable();
  if (!child_) {
    throw std::logic_error(name_ + ": cannot " + what + " before start");
  }
  return *child_;
}

}  // namespace mp
