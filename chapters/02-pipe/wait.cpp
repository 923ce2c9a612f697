#include "02-pipe/wait.hpp"

#include <poll.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

std::vector<Waitable> wait_until([[maybe_unused]] const std::vector<Waitable>& waitables,
                                 [[maybe_unused]] Deadline deadline) {
  // TODO(2.6): poll_until for all of them; then what does revents say?
  throw todo("2.6 wait_until");
}

bool Connection::poll_until([[maybe_unused]] Deadline deadline) const {
  // TODO(2.6): the same for one that receives.
  throw todo("2.6 Connection::poll_until");
}

}  // namespace mp
