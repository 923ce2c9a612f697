// Wrong: reads until the length is reached or the file ends, and does not ask which it was.
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "00-syscalls/check.hpp"
#include "02-pipe/framing.hpp"
#include "02-pipe/full_io.hpp"

int main() {
  std::array<int, 2> ends{};
  mp::check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), "socketpair");
  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    mp::write_frame(ends[1], mp::bytes_of(std::string(300'000, 'x')));
    _exit(0);
  }
  close(ends[1]);

  mp::Incoming incoming;
  const auto length = mp::read_header(ends[0], incoming).value();
  mp::check(kill(pid, SIGKILL), "kill");  // it waits for room: not all of it has been sent
  mp::check(waitpid(pid, nullptr, 0), "waitpid");

  std::vector<std::byte> message(length);
  const mp::Transfer read = mp::read_exactly(ends[0], message);
  std::printf("announced: %zu bytes, taken for the message: %zu\n", message.size(), read.count);
}
