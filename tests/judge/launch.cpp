#include "judge/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "00-syscalls/check.hpp"
#include "01-process/spawn.hpp"
#include "judge/command.hpp"
#include "judge/protocol.hpp"
#include "support/sanitizer.hpp"

namespace mp::judge {

namespace {

struct Pipe {
  OwnedFd read_end;
  OwnedFd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  check(pipe2(ends.data(), O_CLOEXEC), "pipe2");
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

/// A socket pair, of which only one end is written to. A pipe's end can be opened once more through
/// /proc/self/fd, for reading, and then others would take the records; a socket's cannot.
Pipe make_channel() {
  std::array<int, 2> ends{};
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {OwnedFd(ends[0]), OwnedFd(ends[1])};
}

std::string make_secret() {
  std::array<unsigned char, kSecretLength / 2> bytes{};
  if (retry([&] { return getrandom(bytes.data(), bytes.size(), 0); }) !=
      static_cast<ssize_t>(bytes.size())) {
    throw_errno("getrandom");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

void limit(int resource, rlim_t value) {
  rlimit now{};
  check(getrlimit(static_cast<__rlimit_resource>(resource), &now), "getrlimit");
  now.rlim_cur = now.rlim_max == RLIM_INFINITY ? value : std::min(value, now.rlim_max);
  now.rlim_max = now.rlim_cur;
  check(setrlimit(static_cast<__rlimit_resource>(resource), &now), "setrlimit");
}

void limit_everything(std::chrono::duration<double> time_limit) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, static_cast<rlim_t>(time_limit.count() * 2) + 5);
  limit(RLIMIT_FSIZE, rlim_t{1} << 30);
  if (!test::kAddressSanitizer) {
    limit(RLIMIT_AS, rlim_t{2} << 30);
  }
}

/// Puts `fd` where the host looks for it. The copy survives execve; the original does not.
void place(int fd, int where) {
  check(dup2(fd, where), "dup2");
}

[[noreturn]] void become_host(const WardenOrders& orders, int output, int secret, int channel,
                              const std::string& folder, pid_t warden) {
  check(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
  if (getppid() != warden) {
    _exit(kHostFailed);
  }
  check(setpgid(0, 0), "setpgid");
  sigset_t none;
  sigemptyset(&none);
  check(sigprocmask(SIG_SETMASK, &none, nullptr), "sigprocmask");

  // First out of the way of the numbers that are about to be given out, whatever they are now.
  const int high_output = check(fcntl(output, F_DUPFD_CLOEXEC, 100), "fcntl");
  const int high_secret = check(fcntl(secret, F_DUPFD_CLOEXEC, 100), "fcntl");
  const int high_channel = check(fcntl(channel, F_DUPFD_CLOEXEC, 100), "fcntl");
  const OwnedFd nothing(check(open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
  place(nothing.get(), STDIN_FILENO);
  place(high_output, STDOUT_FILENO);
  place(high_output, STDERR_FILENO);
  place(high_secret, kSecretFd);
  place(high_channel, kChannelFd);
  // What the judge was started with is none of the test's business, close-on-exec or not.
  check(syscall(SYS_close_range, kChannelFd + 1, ~0U, 0), "close_range");

  check(setenv("TMPDIR", folder.c_str(), 1), "setenv");
  for (const char* name : {"LD_PRELOAD", "GTEST_FILTER", "GTEST_OUTPUT", "GTEST_REPEAT"}) {
    check(unsetenv(name), "unsetenv");
  }
  limit_everything(orders.time_limit);
  become({orders.host, orders.module, orders.test});
}

}  // namespace

Launched launch(const WardenOrders& orders, int output, const std::string& folder) {
  Launched launched;
  launched.secret = make_secret();
  Pipe records = make_channel();
  const Pipe secret = make_pipe();
  const pid_t warden = getpid();
  launched.host = spawn("host", [&] {
    become_host(orders, output, secret.read_end.get(), records.write_end.get(), folder, warden);
  });
  // A pipe holds this much without a reader; and a host that is dead already is seen later.
  check(write(secret.write_end.get(), launched.secret.data(), launched.secret.size()), "write");
  launched.channel = std::move(records.read_end);
  return launched;
}

}  // namespace mp::judge
