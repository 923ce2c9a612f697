#include "03-array/array.hpp"

#include <algorithm>
#include <new>

namespace mp {

static_assert(sizeof(RLock::State) <= LockedElements::kFront);

LockedElements::LockedElements(std::ptrdiff_t length, std::size_t element_size)
    : region_(SharedRegion::anonymous(kFront + bytes_for(length, element_size))),
      lock_(*new (region_.data()) RLock::State{}),
      elements_(region_.data() + kFront, static_cast<std::size_t>(length), element_size) {}

void LockedElements::load(std::ptrdiff_t index, std::span<std::byte> value) const {
  const std::byte* const element = elements_.element(index);  // throws before the lock is taken
  const std::lock_guard guard(lock_);
  std::copy_n(element, value.size(), value.data());
}

void LockedElements::store(std::ptrdiff_t index, std::span<const std::byte> value) const {
  std::byte* const element = elements_.element(index);
  const std::lock_guard guard(lock_);
  std::ranges::copy(value, element);
}

Bytes LockedElements::snapshot() const {
  return get_slice({});
}

Bytes LockedElements::get_slice(const Slice& slice) const {
  const std::lock_guard guard(lock_);
  return elements_.get_slice(slice);
}

void LockedElements::set_slice(const Slice& slice, std::span<const std::byte> values) const {
  const std::lock_guard guard(lock_);
  elements_.set_slice(slice, values);
}

}  // namespace mp
