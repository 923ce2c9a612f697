#pragma once

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "support/kid.hpp"

namespace mp::test {

/// A real CPython process, whose `conn` is a multiprocessing Connection on a socket of ours.
///
/// CPython is the judge: what it sends must be understood, and it must understand what is sent.
class CPython {
 public:
  /// Starts it. @param fd      the socket, which stays the caller's: close it after this, or
  ///                           CPython's end never sees the end of file.
  /// @param script  runs with `conn`, `os`, `sys`; when it raises, the exit code is not 0, and the
  ///                traceback is among what the test has printed.
  CPython(int fd, std::string_view script)
      : kid_([fd, program = std::string(kPrelude).append(script)] { return run(fd, program); },
             kLifetime) {}

  /// Waits for its end. @return in words: "exit code 0", or what else happened.
  [[nodiscard]] std::string end() const {
    kid_.wait_for_end();
    const auto status = kid_.take();
    return "exit code " + (status ? std::to_string(*status) : "unknown");
  }

  /// Whether there is one that can do this. @param[out] why_not  for GTEST_SKIP.
  static bool works(std::string& why_not) {
    const Kid trial([] { return run(-1, std::string(kPrelude)); }, kLifetime);
    trial.wait_for_end();
    const bool there = trial.take() == 0;
    why_not = there ? "" : "there is no python3 with multiprocessing on this machine";
    return there;
  }

 private:
  static constexpr unsigned kLifetime = 20;  // an interpreter takes its time on a busy machine
  static constexpr std::string_view kPrelude =
      "import os, sys\n"
      "from multiprocessing.connection import Connection\n"
      "fd = int(sys.argv[1])\n"
      "conn = Connection(fd) if fd >= 0 else None\n";

  /// In the child.
  static int run(int fd, const std::string& program) {
    int inherited = -1;
    if (fd != -1) {
      inherited = dup(fd);  // without close-on-exec
      ::close(fd);
    }
    const std::string number = std::to_string(inherited);
    execlp("python3", "python3", "-I", "-S", "-c", program.c_str(), number.c_str(), nullptr);
    return 127;
  }

  Kid kid_;
};

}  // namespace mp::test
