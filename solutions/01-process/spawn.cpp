#include "01-process/spawn.hpp"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "00-syscalls/check.hpp"

namespace mp {

namespace {

void flush_all() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  std::fflush(nullptr);
}

// One line in one write, so that the last words of several children do not mix.
void print_last_words(std::string_view name, const char* what) {
  const std::string line = "Process " + std::string(name) + ": " + what + "\n";
  std::fputs(line.c_str(), stderr);
}

int run(std::string_view name, const std::function<void()>& body) {
  try {
    body();
    return 0;
  } catch (const SystemExit& wish) {
    return wish.code;  // _exit keeps the lowest eight bits
  } catch (const std::exception& error) {
    print_last_words(name, error.what());
  } catch (...) {
    print_last_words(name, "unknown exception");
  }
  return 1;
}

}  // namespace

pid_t spawn(std::string_view name, const std::function<void()>& body) {
  flush_all();  // what is in the buffers now would be in both processes' buffers
  const pid_t pid = check(fork(), "fork");
  if (pid != 0) {
    return pid;
  }
  const int code = run(name, body);
  try {
    flush_all();  // _exit will not
  } catch (...) {
    // std::cout may be set to throw; but nobody comes back from here
  }
  _exit(code);  // not exit: atexit functions and static objects are the parent's
}

}  // namespace mp
