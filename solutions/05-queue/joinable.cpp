#include "05-queue/joinable.hpp"

#include <climits>

#include "00-syscalls/errors.hpp"
#include "05-queue/limits.hpp"

namespace mp {

namespace {

/// Somebody who waits in join(), and is counted.
class Joining {
 public:
  explicit Joining(FutexWord& count) : count_(count) { count_.fetch_add(1); }
  ~Joining() { count_.fetch_sub(1); }
  Joining(const Joining&) = delete;
  Joining& operator=(const Joining&) = delete;

 private:
  FutexWord& count_;
};

void check_open(bool closed) {
  if (closed) {
    throw ValueError("the queue is closed");
  }
}

}  // namespace

bool TaskQueue::put_until(std::span<const std::byte> item, Deadline deadline) {
  check_open(closed_);
  return queue_.put_until(item, deadline);
}

std::optional<Bytes> TaskQueue::get_until(Deadline deadline) {
  check_open(closed_);
  return queue_.get_until(deadline);
}

void TaskQueue::task_done() {
  std::uint32_t seen = state_->done.load();
  do {
    if (seen == queue_.pushed()) {
      throw ValueError("task_done: it was called for all that was put");
    }
  } while (!state_->done.compare_exchange_weak(seen, seen + 1));
  // If more was put by now, whoever finishes that looks again.
  if (seen + 1 == queue_.pushed() && state_->joining.load() != 0) {
    futex_wake(state_->done, INT_MAX);
  }
}

bool TaskQueue::join_until(Deadline deadline) {
  const Joining joining(state_->joining);  // first say so, then look
  for (;;) {
    const std::uint32_t seen = state_->done.load();
    if (seen == queue_.pushed()) {
      return true;
    }
    if (has_passed(deadline)) {
      return false;
    }
    futex_wait(state_->done, seen, at_most(deadline, CrashSafeQueue::kNap));
  }
}

void TaskQueue::close() noexcept {
  closed_ = true;
}

}  // namespace mp
