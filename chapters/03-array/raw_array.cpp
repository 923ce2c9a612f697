#include "03-array/raw_array.hpp"

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

std::size_t position_of([[maybe_unused]] std::ptrdiff_t index,
                        [[maybe_unused]] std::size_t length) {
  // TODO(3.3): from the front or from the back; IndexError for everything else.
  throw todo("3.3 position_of");
}

Stretch resolve([[maybe_unused]] const Slice& slice, [[maybe_unused]] std::size_t length) {
  // TODO(3.3): where it begins, where it ends, how many steps that is.
  throw todo("3.3 resolve");
}

std::size_t bytes_for([[maybe_unused]] std::ptrdiff_t length,
                      [[maybe_unused]] std::size_t element_size) {
  // TODO(3.3): the product, if there is such a thing.
  throw todo("3.3 bytes_for");
}

std::byte* Elements::element([[maybe_unused]] std::ptrdiff_t index) const {
  // TODO(3.3): the address of one.
  throw todo("3.3 Elements::element");
}

Bytes Elements::get_slice([[maybe_unused]] const Slice& slice) const {
  // TODO(3.3): a copy, element by element.
  throw todo("3.3 Elements::get_slice");
}

void Elements::set_slice([[maybe_unused]] const Slice& slice,
                         [[maybe_unused]] std::span<const std::byte> values) const {
  // TODO(3.3): count first; then write, and mind values that are the array's own.
  throw todo("3.3 Elements::set_slice");
}

std::string text_in([[maybe_unused]] std::span<const char> characters) {
  // TODO(3.3): up to the first NUL.
  throw todo("3.3 text_in");
}

void put_text([[maybe_unused]] std::span<char> characters, [[maybe_unused]] std::string_view text) {
  // TODO(3.3): if there is room: the text, and a NUL if there is room for that as well.
  throw todo("3.3 put_text");
}

}  // namespace mp
