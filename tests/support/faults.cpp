#include "support/faults.hpp"

#include <cerrno>
#include <mutex>
#include <string>

#include "support/staging.hpp"

namespace mp::test {

namespace {

struct Failure {
  std::string name;
  int error;
  int times;
  int skip;
};

struct Hook {
  std::string name;
  std::function<void(const Call&)> run;
};

thread_local bool in_hook = false;

}  // namespace

struct Faults::State {
  std::mutex mutex;
  std::vector<Failure> failures;
  std::vector<Hook> before;
  std::vector<Hook> after;
  std::vector<std::pair<std::string, std::size_t>> limits;
  std::vector<Call> calls;
  std::chrono::nanoseconds clock{0};
  std::chrono::nanoseconds wall{0};
};

namespace {

Faults::State* active = nullptr;

void run_hooks(const std::vector<Hook>& hooks, const Call& call) {
  struct InHook {
    InHook() { in_hook = true; }
    ~InHook() { in_hook = false; }  // also when a hook throws, to get a test out of a wait
  } const scope;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (hooks[i].name == call.name) {
      hooks[i].run(call);
    }
  }
}

}  // namespace

Faults::Faults() : state_(std::make_unique<State>()) {
  active = state_.get();
}

Faults::~Faults() {
  active = nullptr;
}

void Faults::fail(std::string_view name, int error, int times, int skip) {
  const std::lock_guard lock(state_->mutex);
  state_->failures.push_back({std::string(name), error, times, skip});
}

void Faults::shorten(std::string_view name, std::size_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->limits.emplace_back(name, bytes);
}

void Faults::before(std::string_view name, std::function<void(const Call&)> hook) {
  state_->before.push_back({std::string(name), std::move(hook)});
}

void Faults::after(std::string_view name, std::function<void(const Call&)> hook) {
  state_->after.push_back({std::string(name), std::move(hook)});
}

void Faults::advance_clock(std::chrono::nanoseconds by) {
  state_->clock += by;
}

void Faults::set_wall_clock(std::chrono::nanoseconds by) {
  state_->wall = by;
}

int Faults::count(std::string_view name) const {
  return static_cast<int>(calls(name).size());
}

std::vector<Call> Faults::calls(std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Call> found;
  for (const Call& call : state_->calls) {
    if (call.name == name) {
      found.push_back(call);
    }
  }
  return found;
}

namespace staging {

Decision enter(const Call& call) {
  Decision decision;
  if (active == nullptr || in_hook) {
    return decision;
  }
  {
    const std::lock_guard lock(active->mutex);
    active->calls.push_back(call);
    for (const auto& [name, bytes] : active->limits) {
      if (name == call.name) {
        decision.limit = bytes;
      }
    }
    for (Failure& failure : active->failures) {
      if (failure.name != call.name || failure.times == 0) {
        continue;
      }
      if (failure.skip > 0) {
        --failure.skip;
        break;
      }
      --failure.times;
      decision.error = failure.error;
      break;
    }
  }
  run_hooks(active->before, call);
  if (decision.error != 0) {
    errno = decision.error;
  }
  return decision;
}

void leave(const Call& call) {
  if (active != nullptr && !in_hook) {
    const int error = errno;
    run_hooks(active->after, call);
    errno = error;
  }
}

std::chrono::nanoseconds clock_offset() {
  return active == nullptr || in_hook ? std::chrono::nanoseconds{0} : active->clock;
}

std::chrono::nanoseconds wall_offset() {
  return active == nullptr || in_hook ? std::chrono::nanoseconds{0} : active->wall;
}

}  // namespace staging

}  // namespace mp::test
