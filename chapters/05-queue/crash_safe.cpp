#include "05-queue/crash_safe.hpp"

#include "00-syscalls/todo.hpp"

namespace mp {

Producers::Place CrashSafeQueue::register_producer() {
  return Producers::take_place(state_->producers);
}

bool CrashSafeQueue::put_until([[maybe_unused]] std::span<const std::byte> item,
                               [[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as in 5.3, with a robust lock for this end, and what the dead may have left undone.
  throw todo("5.5 CrashSafeQueue::put_until");
}

std::optional<Bytes> CrashSafeQueue::get_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as in 5.3, with a robust lock for this end, and what the dead may have left undone.
  throw todo("5.5 CrashSafeQueue::get_until");
}

std::optional<Bytes> CrashSafeQueue::try_get([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): yours, if you like: one look at the ring, with the lock.
  throw todo("5.5 CrashSafeQueue::try_get");
}

std::optional<Bytes> CrashSafeQueue::get_or_eof_until([[maybe_unused]] Deadline deadline) {
  // TODO(5.5): as get_until(), unless no producer is left.
  throw todo("5.5 CrashSafeQueue::get_or_eof_until");
}

}  // namespace mp
