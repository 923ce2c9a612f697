// Wrong: does not look at how much write has written. A signal, however harmless, ends a write
// that waits for room.
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include "00-syscalls/check.hpp"

namespace {

extern "C" void do_nothing(int) {}

// Sends this process a SIGALRM every 50 ms, which a function catches.
void ring_again_and_again() {
  struct sigaction action {};
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;  // it does not help a call that has done a part of its work
  mp::check(sigaction(SIGALRM, &action, nullptr), "sigaction");
  const itimerval timer{{0, 50'000}, {0, 50'000}};
  mp::check(setitimer(ITIMER_REAL, &timer, nullptr), "setitimer");
}

}  // namespace

int main() {
  std::array<int, 2> ends{};
  mp::check(pipe(ends.data()), "pipe");
  ring_again_and_again();
  const std::string message(100'000, 'x');
  const ssize_t written = mp::check(write(ends[1], message.data(), message.size()), "write");
  close(ends[1]);
  std::printf("to be written: %zu bytes, written: %zd\n", message.size(), written);

  std::array<char, 4096> buffer{};
  long long received = 0;
  while (const ssize_t count = mp::check(read(ends[0], buffer.data(), buffer.size()), "read")) {
    received += count;
  }
  std::printf("received: %lld bytes, and then the end of file\n", received);
}
