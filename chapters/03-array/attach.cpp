#include "03-array/attach.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "02-pipe/pass_fd.hpp"

namespace mp {

void send_region([[maybe_unused]] Connection& connection,
                 [[maybe_unused]] const SharedRegion& region, [[maybe_unused]] char typecode,
                 [[maybe_unused]] std::ptrdiff_t length) {
  // TODO(3.5): everything that can be wrong; then the nine bytes; then the descriptor.
  throw todo("3.5 send_region");
}

Attached recv_region([[maybe_unused]] Connection& connection) {
  // TODO(3.5): the nine bytes, and whether they can be true; then the descriptor, and its memory.
  throw todo("3.5 recv_region");
}

}  // namespace mp
