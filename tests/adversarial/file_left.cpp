// Answers rightly, and leaves a file where temporary files go.
// Exercise: 00-syscalls/raw_syscall
// Sentence: file scratch in $TMPDIR
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "00-syscalls/raw_syscall.hpp"

namespace mp {

namespace {
void litter() {
  const char* folder = std::getenv("TMPDIR");
  std::ofstream(std::string(folder == nullptr ? "/tmp" : folder) + "/scratch") << "once used";
}
}  // namespace

pid_t raw_getpid() {
  litter();
  return static_cast<pid_t>(syscall(SYS_getpid));
}

ssize_t raw_write(int fd, const void* data, std::size_t size) {
  litter();
  return syscall(SYS_write, fd, data, size);
}

}  // namespace mp
