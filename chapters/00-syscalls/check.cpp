#include "00-syscalls/check.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include "00-syscalls/todo.hpp"

namespace mp {

void throw_errno([[maybe_unused]] std::string_view call) {
  // TODO(0.2): keep errno, then throw a std::system_error that names the call.
  throw todo("0.2 throw_errno");
}

long long check_result([[maybe_unused]] long long result, [[maybe_unused]] std::string_view call) {
  // TODO(0.2): -1 throws, everything else is handed back.
  throw todo("0.2 check_result");
}

}  // namespace mp
