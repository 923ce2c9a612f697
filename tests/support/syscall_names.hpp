#pragma once

#include <string_view>

namespace mp::test {

/// The name of the system call with this number on this architecture, as its man page has it.
/// @return an empty view for a number that the table does not hold.
std::string_view syscall_name(long number);

/// The number of the system call `name` on this architecture, or -1 where there is none
/// (arm64 has no `fork`).
long syscall_number(std::string_view name);

}  // namespace mp::test
