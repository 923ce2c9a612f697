#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

namespace mp::judge {

/// Copies `size` bytes at `address` of process `pid` to `to`: process_vm_readv(2), and where that
/// is forbidden /proc/PID/mem (proc_pid_mem(5)). @return false unless all of them could be read.
bool read_memory(pid_t pid, std::uint64_t address, void* to, std::size_t size);

/// The T at `address` of process `pid`, or nothing when it cannot be read.
template <typename T>
std::optional<T> peek(pid_t pid, std::uint64_t address) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  if (address == 0 || !read_memory(pid, address, &value, sizeof value)) {
    return std::nullopt;
  }
  return value;
}

/// The C string at `address`, at most `longest` bytes of it, made printable; empty when it cannot
/// be read.
std::string peek_string(pid_t pid, std::uint64_t address, std::size_t longest = 200);

/// `shared memory`, `private memory`, with the file behind it where there is one, as
/// /proc/PID/maps has it for `address`; empty when that cannot be told.
std::string kind_of_memory(pid_t pid, std::uint64_t address);

}  // namespace mp::judge
