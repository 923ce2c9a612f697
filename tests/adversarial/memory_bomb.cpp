// Takes memory, and uses it (a byte on every sixteenth page, which is quicker), until there is no
// more.
// Exercise: 00-syscalls/raw_syscall
// Sentence: an exception escaped: std::bad_alloc
#include "00-syscalls/raw_syscall.hpp"

namespace mp {

pid_t raw_getpid() {
  return 0;
}

ssize_t raw_write(int /*fd*/, const void* /*data*/, std::size_t size) {
  constexpr std::size_t kBlock = std::size_t{64} << 20;
  constexpr std::size_t kStep = std::size_t{64} << 10;
  if (size != 7) {
    return 0;
  }
  for (;;) {
    auto* const block = new volatile char[kBlock];
    for (std::size_t at = 0; at < kBlock; at += kStep) {
      block[at] = 1;
    }
  }
}

}  // namespace mp
