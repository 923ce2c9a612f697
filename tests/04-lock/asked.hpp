#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <string>
#include <system_error>

#include "support/becomes.hpp"
#include "support/child.hpp"
#include "support/kid.hpp"

// What the graders of this chapter set their scenes with. Nothing in here takes a lock.
namespace mp::test {

/// Whether that thread (or process) sleeps in futex(2) at this moment.
inline bool is_asleep_in_futex(pid_t thread) {
  if (!is_asleep(thread)) {
    return false;
  }
  std::ifstream call("/proc/" + std::to_string(thread) + "/syscall");
  std::string number;  // or "running", if it has gone on by now
  // Where that may not be read, asleep is asleep.
  return !(call >> number) || number == std::to_string(SYS_futex);
}

/// Waits until it does, 2 s at most.
inline bool falls_asleep_in_futex(pid_t thread) {
  return becomes_true([thread] { return is_asleep_in_futex(thread); });
}

/// A child that is asked something, and answers in words. An exception is an answer, too.
class Asked {
 public:
  /// @param body  runs in the child. @param lifetime  in seconds; then it is ended.
  explicit Asked(const std::function<std::string()>& body, unsigned lifetime = Kid::kLifetime)
      : kid_(
            [this, &body] {
              say(spoken(body));
              return 0;
            },
            lifetime) {}

  [[nodiscard]] pid_t pid() const { return kid_.pid(); }
  [[nodiscard]] const Kid& kid() const { return kid_; }
  /// Whether it is still at it.
  [[nodiscard]] bool is_busy() const { return kid_.is_running(); }

  /// Waits for its end. @return what it said.
  [[nodiscard]] std::string answer() const {
    kid_.wait_for_end();
    return text_->front() == '\0' ? "(nothing, for it came to no end)" : text_->data();
  }

  /// What a function returns, or what it throws.
  static std::string spoken(const std::function<std::string()>& body) {
    try {
      return body();
    } catch (const std::exception& error) {
      return std::string("an exception: ") + error.what();
    }
  }

 private:
  void say(const std::string& text) const {
    std::strncpy(text_->data(), text.c_str(), text_->size() - 1);
  }

  Shared<std::array<char, 200>> text_;
  Kid kid_;
};

/// One T, all zeros, in memory that is mapped twice: at two addresses.
template <class T>
class TwoViews {
 public:
  TwoViews() {
    const int fd = must(memfd_create("two views", MFD_CLOEXEC), "memfd_create");
    must(ftruncate(fd, sizeof(T)), "ftruncate");
    for (T*& view : views_) {
      void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      must(memory == MAP_FAILED ? -1 : 0, "mmap");
      view = static_cast<T*>(memory);
    }
    ::close(fd);
  }
  ~TwoViews() {
    for (T* const view : views_) {
      ::munmap(view, sizeof(T));
    }
  }
  TwoViews(const TwoViews&) = delete;
  TwoViews& operator=(const TwoViews&) = delete;

  [[nodiscard]] T& here() const { return *views_[0]; }
  [[nodiscard]] T& there() const { return *views_[1]; }

 private:
  std::array<T*, 2> views_{};
};

/// The error that an action ends with, by its name.
inline std::string errno_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::system_error& error) {
    return strerrorname_np(error.code().value());
  }
  return "no exception";
}

}  // namespace mp::test
