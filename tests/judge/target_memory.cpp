#include "judge/target_memory.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "judge/owned_fd.hpp"
#include "judge/proc.hpp"

namespace mp::judge {
namespace {

bool read_mem_file(pid_t pid, std::uint64_t address, void* to, std::size_t size) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return false;
  }
  ssize_t got = -1;
  do {
    got = ::pread(file.get(), to, size, static_cast<off_t>(address));
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(size);
}

}  // namespace

bool read_memory(pid_t pid, std::uint64_t address, void* to, std::size_t size) {
  const iovec here{to, size};
  // The address is one of another process: a number here, which is never followed.
  const iovec there{reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)),  // NOLINT
                    size};
  const ssize_t got = ::process_vm_readv(pid, &here, 1, &there, 1, 0);
  return got == static_cast<ssize_t>(size) || read_mem_file(pid, address, to, size);
}

std::string peek_string(pid_t pid, std::uint64_t address, std::size_t longest) {
  std::string text;
  // Byte by byte: a larger piece may reach into a page that is not there.
  for (std::uint64_t at = address; text.size() < longest; ++at) {
    const auto byte = peek<char>(pid, at);
    if (!byte || *byte == '\0') {
      break;
    }
    text += *byte;
  }
  return printable(text);
}

std::string kind_of_memory(pid_t pid, std::uint64_t address) {
  // One line for each mapping: 7f0000000000-7f0000001000 rw-s 00000000 00:01 1032   /dev/zero
  std::istringstream maps(read_proc(pid, "maps").value_or(""));
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string permissions;
    std::string skip;
    std::string file;
    words >> std::hex >> start >> dash >> end >> permissions >> skip >> skip >> skip;
    if (!words || address < start || address >= end) {
      continue;
    }
    std::getline(words >> std::ws, file);
    const bool shared = permissions.find('s') != std::string::npos;
    return (shared ? "shared memory" : "private memory") +
           (shared && !file.empty() ? " (" + printable(file) + ")" : "");
  }
  return "";
}

}  // namespace mp::judge
