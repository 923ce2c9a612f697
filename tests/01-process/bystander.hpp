#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <utility>

namespace mp::test {

/// Another thread of the program, for something to happen in the middle of a system call's staging.
class Bystander {
 public:
  Bystander() = default;
  ~Bystander() { finish(); }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;

  /// Runs the action to its end, or as far as it comes. An answer that lets only one thread in at
  /// a time is right, too: then the action waits for the thread that stands still here, which
  /// must be allowed to go on.
  /// @param action  throws nothing.
  void act(std::function<void()> action) {
    std::packaged_task<void()> task(std::move(action));
    const std::future<void> done = task.get_future();
    thread_ = std::thread(std::move(task));
    done.wait_for(std::chrono::milliseconds(200));
  }
  void finish() {
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  std::thread thread_;
};

}  // namespace mp::test
