#include "support/crash.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "support/sanitizer.hpp"
#include "support/seal.hpp"

namespace mp::test {

namespace {

constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

// A stack of its own, because a stack that has overflowed has no room for a handler.
std::array<char, 64 * 1024> handler_stack;

void on_crash(int signum) {
  std::array<void*, 32> frames{};
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  std::array<char, 3000> text{};
  std::size_t used = 0;
  for (int i = 0; i < count; ++i) {
    Dl_info where{};
    void* const address = frames[static_cast<std::size_t>(i)];
    if (dladdr(address, &where) == 0 || where.dli_fname == nullptr) {
      continue;
    }
    const auto offset = static_cast<char*>(address) - static_cast<char*>(where.dli_fbase);
    const int length =
        std::snprintf(text.data() + used, text.size() - used, "%s %#tx\n", where.dli_fname, offset);
    if (length < 0 || used + static_cast<std::size_t>(length) >= text.size()) {
      break;
    }
    used += static_cast<std::size_t>(length);
  }
  seal::say("crash", {text.data(), used});
  signal(signum, SIG_DFL);
  raise(signum);
}

}  // namespace

void report_crashes() {
  if (kAddressSanitizer) {
    return;
  }
  std::array<void*, 1> warm_up{};
  backtrace(warm_up.data(), 1);  // the first call loads libgcc, which a handler must not

  stack_t stack{};
  stack.ss_sp = handler_stack.data();
  stack.ss_size = handler_stack.size();
  if (sigaltstack(&stack, nullptr) == -1) {
    return;  // then a crash has no address; its signal is still seen by the judge
  }
  for (const int signum : kFatal) {
    struct sigaction action {};
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    if (sigaction(signum, &action, nullptr) == -1) {
      return;
    }
  }
}

}  // namespace mp::test
