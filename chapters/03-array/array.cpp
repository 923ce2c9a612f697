#include "03-array/array.hpp"

#include <algorithm>
#include <new>

#include "00-syscalls/todo.hpp"

namespace mp {

// TODO(3.4): one region for both: RLock::State at its front, made there with placement new, and the
// elements behind it.
LockedElements::LockedElements([[maybe_unused]] std::ptrdiff_t length,
                               [[maybe_unused]] std::size_t element_size)
    : region_(SharedRegion::anonymous(0)), elements_(nullptr, 0, 1) {
  throw todo("3.4 LockedElements::LockedElements");
}

void LockedElements::load([[maybe_unused]] std::ptrdiff_t index,
                          [[maybe_unused]] std::span<std::byte> value) const {
  // TODO(3.4): copy it out, with the lock.
  throw todo("3.4 LockedElements::load");
}

void LockedElements::store([[maybe_unused]] std::ptrdiff_t index,
                           [[maybe_unused]] std::span<const std::byte> value) const {
  // TODO(3.4): copy it in, with the lock.
  throw todo("3.4 LockedElements::store");
}

Bytes LockedElements::snapshot() const {
  // TODO(3.4): all of them, with the lock taken once.
  throw todo("3.4 LockedElements::snapshot");
}

Bytes LockedElements::get_slice([[maybe_unused]] const Slice& slice) const {
  // TODO(3.4): with the lock, which an exception must give back as well.
  throw todo("3.4 LockedElements::get_slice");
}

void LockedElements::set_slice([[maybe_unused]] const Slice& slice,
                               [[maybe_unused]] std::span<const std::byte> values) const {
  // TODO(3.4): with the lock.
  throw todo("3.4 LockedElements::set_slice");
}

}  // namespace mp
