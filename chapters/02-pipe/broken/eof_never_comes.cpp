// Wrong: the reader holds a copy of the write end. It waits for an end that it keeps away itself.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "00-syscalls/check.hpp"

namespace {

void read_to_the_end(int fd) {
  std::array<char, 64> buffer{};
  while (const ssize_t count = mp::check(read(fd, buffer.data(), buffer.size()), "read")) {
    std::printf("child: got \"%.*s\"\n", static_cast<int>(count), buffer.data());
    std::fflush(stdout);
  }
  std::printf("child: end of file\n");
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::array<int, 2> ends{};  // [0] to read from, [1] to write to
  mp::check(pipe(ends.data()), "pipe");
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    read_to_the_end(ends[0]);  // close(ends[1]) is missing before it
    _exit(0);
  }
  close(ends[0]);
  constexpr std::string_view kName = "PolarSnow";
  mp::check(write(ends[1], kName.data(), kName.size()), "write");
  close(ends[1]);
  mp::check(waitpid(pid, nullptr, 0), "waitpid");
}
