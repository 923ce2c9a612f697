#include "00-syscalls/check.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace mp {

void throw_errno(std::string_view call) {
  const int error = errno;  // first of all: making the string below may change it
  throw std::system_error(error, std::generic_category(), std::string(call));
}

long long check_result(long long result, std::string_view call) {
  if (result == -1) {
    throw_errno(call);
  }
  return result;
}

}  // namespace mp
