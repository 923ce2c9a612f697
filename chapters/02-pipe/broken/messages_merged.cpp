// Wrong: takes what one write has written for what one read will read.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include "00-syscalls/check.hpp"

int main() {
  std::array<int, 2> ends{};
  mp::check(pipe(ends.data()), "pipe");
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    for (const std::string_view message : {"Polar", "Snow", "!"}) {
      mp::check(write(ends[1], message.data(), message.size()), "write");
    }
    _exit(0);
  }
  close(ends[1]);
  mp::check(waitpid(pid, nullptr, 0), "waitpid");  // all three are written
  std::array<char, 64> buffer{};
  while (const ssize_t count = mp::check(read(ends[0], buffer.data(), buffer.size()), "read")) {
    std::printf("a message: \"%.*s\"\n", static_cast<int>(count), buffer.data());
  }
}
