#include "05-queue/joinable.hpp"

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

bool TaskQueue::put_until([[maybe_unused]] std::span<const std::byte> item,
                          [[maybe_unused]] Deadline deadline) {
  // TODO(5.4): into the queue, unless it is closed.
  throw todo("5.4 TaskQueue::put_until");
}

std::optional<Bytes> TaskQueue::get_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.4): out of the queue, unless it is closed.
  throw todo("5.4 TaskQueue::get_until");
}

void TaskQueue::task_done() {
  // TODO(5.4): one more is done, if that many were put; wake those who wait for the last one.
  throw todo("5.4 TaskQueue::task_done");
}

bool TaskQueue::join_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.4): sleep until as many are done as were put.
  throw todo("5.4 TaskQueue::join_until");
}

void TaskQueue::close() noexcept {
  // TODO(5.4): for this process only.
}

}  // namespace mp
