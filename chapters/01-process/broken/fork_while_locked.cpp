// Wrong: another thread holds a lock while this one forks. The child gets a copy of the locked
// lock, and no copy of the thread that would unlock it.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <mutex>
#include <thread>

#include "00-syscalls/check.hpp"

int main() {
  std::timed_mutex mutex;
  std::promise<void> locked;
  std::promise<void> forked;
  std::thread holder([&] {
    const std::lock_guard guard(mutex);
    locked.set_value();
    forked.get_future().wait();
  });
  locked.get_future().wait();

  const pid_t pid = mp::check(fork(), "fork");
  if (pid == 0) {
    const bool got_it = mutex.try_lock_for(std::chrono::milliseconds(100));
    dprintf(STDOUT_FILENO, "child: %s\n", got_it ? "locked" : "still locked by nobody, giving up");
    _exit(0);
  }
  forked.set_value();
  holder.join();
  mp::check(waitpid(pid, nullptr, 0), "waitpid");
  const std::lock_guard guard(mutex);
  dprintf(STDOUT_FILENO, "parent: locked\n");
}
