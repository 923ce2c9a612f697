#include "04-lock/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "00-syscalls/check.hpp"
#include "00-syscalls/todo.hpp"

namespace mp {

Wake futex_wait([[maybe_unused]] const FutexWord& word, [[maybe_unused]] std::uint32_t expected,
                [[maybe_unused]] Deadline deadline) {
  // TODO(4.1): syscall(SYS_futex, …); what each errno means.
  throw todo("4.1 futex_wait");
}

int futex_wake([[maybe_unused]] const FutexWord& word, [[maybe_unused]] int count) {
  // TODO(4.1): syscall(SYS_futex, …).
  throw todo("4.1 futex_wake");
}

}  // namespace mp
