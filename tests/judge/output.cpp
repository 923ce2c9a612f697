#include "judge/output.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "00-syscalls/check.hpp"

namespace mp::judge {

Output::Output() : file_(check(memfd_create("output", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd")) {
  check(ftruncate(fd(), kCapacity), "ftruncate");
  check(fcntl(fd(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL), "fcntl(F_ADD_SEALS)");
}

std::string Output::text(std::size_t limit) const {
  const off_t end = check(lseek(fd(), 0, SEEK_CUR), "lseek");
  const auto written = static_cast<std::size_t>(std::clamp<off_t>(end, 0, kCapacity));
  std::string text(std::min(written, limit), '\0');
  const ssize_t got = check(pread(fd(), text.data(), text.size(), 0), "pread");
  text.resize(static_cast<std::size_t>(got));
  if (written == kCapacity) {
    text += "\n[more than 256 KiB were printed: the rest was cut]\n";
  } else if (written > limit) {
    text += "\n[" + std::to_string(written - limit) + " bytes more]\n";
  }
  return text;
}

}  // namespace mp::judge
