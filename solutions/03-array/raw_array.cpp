#include "03-array/raw_array.hpp"

#include <cstdint>
#include <cstring>

namespace mp {

std::size_t position_of(std::ptrdiff_t index, std::size_t length) {
  const auto end = static_cast<std::ptrdiff_t>(length);
  if (index < -end || index >= end) {
    throw IndexError("index " + std::to_string(index) + " of " + std::to_string(length) +
                     " elements");
  }
  return static_cast<std::size_t>(index < 0 ? index + end : index);
}

namespace {

/// A limit of a slice, counted from the front and brought to where a walk may begin or end: 0 … end
/// going up, -1 … end - 1 going down.
std::ptrdiff_t clipped(std::ptrdiff_t limit, std::ptrdiff_t end, bool down) {
  if (limit < 0) {
    limit += end;  // cannot overflow: they have different signs
  }
  return std::clamp<std::ptrdiff_t>(limit, down ? -1 : 0, down ? end - 1 : end);
}

}  // namespace

Stretch resolve(const Slice& slice, std::size_t length) {
  const std::ptrdiff_t step = slice.step.value_or(1);
  if (step == 0) {
    throw ValueError("the step of a slice cannot be 0");
  }
  const auto end = static_cast<std::ptrdiff_t>(length);
  const bool down = step < 0;
  const std::ptrdiff_t start =
      slice.start ? clipped(*slice.start, end, down) : (down ? end - 1 : 0);
  const std::ptrdiff_t stop = slice.stop ? clipped(*slice.stop, end, down) : (down ? -1 : end);
  const std::ptrdiff_t distance = down ? start - stop : stop - start;
  if (distance <= 0) {
    return {start, step, 0};
  }
  // Unsigned, because the smallest ptrdiff_t has no positive counterpart.
  const std::size_t stride =
      down ? 0 - static_cast<std::size_t>(step) : static_cast<std::size_t>(step);
  return {start, step, (static_cast<std::size_t>(distance) - 1) / stride + 1};
}

std::size_t bytes_for(std::ptrdiff_t length, std::size_t element_size) {
  if (length < 0) {
    throw ValueError("an array of " + std::to_string(length) + " elements");
  }
  const auto count = static_cast<std::size_t>(length);
  if (count > static_cast<std::size_t>(PTRDIFF_MAX) / element_size) {
    throw ValueError("an array of " + std::to_string(length) + " elements of " +
                     std::to_string(element_size) + " bytes: no memory is as large");
  }
  return count * element_size;
}

std::byte* Elements::element(std::ptrdiff_t index) const {
  return data_ + position_of(index, length_) * element_size_;
}

Bytes Elements::get_slice(const Slice& slice) const {
  const Stretch stretch = resolve(slice, length_);
  Bytes copy(stretch.count * element_size_);
  std::ptrdiff_t place = stretch.first;
  for (std::size_t i = 0; i < stretch.count; ++i) {
    // Not `place += step` at the end: behind the last element that may be too far for a number.
    place = i == 0 ? stretch.first : place + stretch.step;
    std::memcpy(copy.data() + i * element_size_,
                data_ + static_cast<std::size_t>(place) * element_size_, element_size_);
  }
  return copy;
}

void Elements::set_slice(const Slice& slice, std::span<const std::byte> values) const {
  const Stretch stretch = resolve(slice, length_);
  if (values.size() != stretch.count * element_size_) {
    throw ValueError("a slice of " + std::to_string(stretch.count) + " elements cannot take " +
                     std::to_string(values.size() / element_size_) + " values");
  }
  const Bytes copy(values);  // they may be ours: a[1:5] = a[0:4]
  std::ptrdiff_t place = stretch.first;
  for (std::size_t i = 0; i < stretch.count; ++i) {
    place = i == 0 ? stretch.first : place + stretch.step;
    std::memcpy(data_ + static_cast<std::size_t>(place) * element_size_,
                copy.data() + i * element_size_, element_size_);
  }
}

std::string text_in(std::span<const char> characters) {
  return {characters.begin(), std::ranges::find(characters, '\0')};
}

void put_text(std::span<char> characters, std::string_view text) {
  if (text.size() > characters.size()) {
    throw ValueError("a text of " + std::to_string(text.size()) + " bytes does not go into " +
                     std::to_string(characters.size()));
  }
  if (!text.empty()) {  // nothing may have no address, which memmove does not allow
    // memmove: the text may lie in the array itself
    std::memmove(characters.data(), text.data(), text.size());
  }
  if (text.size() < characters.size()) {
    characters[text.size()] = '\0';
  }
}

}  // namespace mp
