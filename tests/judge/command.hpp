#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mp::judge {

struct CommandResult {
  int exitcode = 0;    ///< n, -signal; 127 when the program was not found
  std::string output;  ///< what it wrote to stdout and stderr
};

/// Runs a program to its end and keeps what it prints.
/// @param words   the program, looked up in PATH, and its arguments.
/// @param folder  where it runs; empty: here.
/// @throws std::system_error when no process is to be had.
CommandResult run_command(const std::vector<std::string>& words, const std::string& folder = "");

/// Runs a program with this process's own stdin, stdout and stderr. @return its exit code.
int run_in_foreground(const std::vector<std::string>& words, const std::string& folder = "");

/// Replaces this process by the program; on failure, ends it with 127.
[[noreturn]] void become(const std::vector<std::string>& words);

}  // namespace mp::judge
