// Chapter 00 at work: a call without its wrapper, an error that names its call, and a wait that
// signals cannot stretch.
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "00-syscalls/raw_syscall.hpp"

namespace {

using std::chrono::milliseconds;

volatile std::sig_atomic_t signals_handled = 0;

extern "C" void count_signal(int) {
  signals_handled = signals_handled + 1;
}

/// Sends this process a SIGALRM again and again, for as long as the object lives.
class Alarm {
 public:
  explicit Alarm(milliseconds interval) {
    struct sigaction action {};
    action.sa_handler = count_signal;
    mp::check(sigaction(SIGALRM, &action, &before_), "sigaction SIGALRM");
    const timeval every{0, static_cast<suseconds_t>(interval.count() * 1000)};
    const itimerval timer{every, every};
    mp::check(setitimer(ITIMER_REAL, &timer, nullptr), "setitimer");
  }
  ~Alarm() {
    const itimerval off{};
    setitimer(ITIMER_REAL, &off, nullptr);  // cannot fail with these arguments
    sigaction(SIGALRM, &before_, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  struct sigaction before_ {};
};

// One call is enough for a line this short; the loop for the rest is chapter 02's.
void say(std::string_view line) {
  mp::check(mp::raw_write(STDOUT_FILENO, line.data(), line.size()), "write to stdout");
}

std::string_view yes_or_no(bool answer) {
  return answer ? "yes\n" : "no\n";
}

void run() {
  say("raw_write wrote this line\n");
  say(std::string("raw_getpid and getpid agree: ") +
      std::string(yes_or_no(mp::raw_getpid() == getpid())));

  try {
    mp::check(chdir("/no/such/directory"), "chdir /no/such/directory");
  } catch (const std::system_error& error) {
    say(std::string(error.what()) + "\n");
  }

  const auto begin = mp::monotonic_now();
  {
    const Alarm alarm(milliseconds(20));
    mp::poll_until({}, mp::Deadline::after(milliseconds(150)));
  }
  const auto took = std::chrono::floor<milliseconds>(mp::monotonic_now() - begin);
  say("asked for 150 ms, waited " + std::to_string(took.count()) + " ms\n");
  say(std::string("signals came meanwhile: ") + std::string(yes_or_no(signals_handled > 0)));
}

}  // namespace

int main() {
  try {
    run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo: %s\n", error.what());
    return 1;
  }
}
