#include "03-array/typecode.hpp"

#include <cstring>
#include <string>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

const TypeInfo& type_info([[maybe_unused]] char typecode) {
  // TODO(3.2): a table of fourteen.
  throw todo("3.2 type_info");
}

Number load_number([[maybe_unused]] char typecode, [[maybe_unused]] const std::byte* element) {
  // TODO(3.2): the bytes into a value of the right type, and that into the right one of the three.
  throw todo("3.2 load_number");
}

void store_number([[maybe_unused]] char typecode, [[maybe_unused]] std::byte* element,
                  [[maybe_unused]] Number value) {
  // TODO(3.2): refuse what is no number of that kind; then a cast, and the bytes.
  throw todo("3.2 store_number");
}

}  // namespace mp
