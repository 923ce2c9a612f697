#include "judge/command.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "00-syscalls/check.hpp"
#include "01-process/process.hpp"
#include "judge/owned_fd.hpp"

namespace mp::judge {

namespace {

void enter(const std::string& folder) {
  if (!folder.empty()) {
    const std::string call = "chdir " + folder;
    check(chdir(folder.c_str()), call);
  }
}

}  // namespace

void become(const std::vector<std::string>& words) {
  std::vector<char*> args;
  for (const std::string& word : words) {
    args.push_back(const_cast<char*>(word.c_str()));  // execvp does not write to them
  }
  args.push_back(nullptr);
  execvp(args[0], args.data());
  std::fprintf(stderr, "%s: %s\n", args[0], std::strerror(errno));
  _exit(127);
}

CommandResult run_command(const std::vector<std::string>& words, const std::string& folder) {
  // A file instead of a pipe: nobody has to read while the program runs, and a grandchild that
  // holds the descriptor keeps nobody waiting.
  const OwnedFd out(check(memfd_create("output", MFD_CLOEXEC), "memfd_create"));
  Process command([&] {
    const OwnedFd nothing(check(open("/dev/null", O_RDONLY | O_CLOEXEC), "open /dev/null"));
    check(dup2(nothing.get(), STDIN_FILENO), "dup2");
    check(dup2(out.get(), STDOUT_FILENO), "dup2");
    check(dup2(out.get(), STDERR_FILENO), "dup2");
    enter(folder);
    become(words);
  });
  command.start();
  command.join();
  CommandResult result;
  result.exitcode = command.exitcode().value_or(-1);
  const off_t size = check(lseek(out.get(), 0, SEEK_END), "lseek");
  result.output.resize(static_cast<std::size_t>(size));
  std::size_t have = 0;
  while (have < result.output.size()) {
    const ssize_t got = check(pread(out.get(), result.output.data() + have,
                                    result.output.size() - have, static_cast<off_t>(have)),
                              "pread");
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  return result;
}

int run_in_foreground(const std::vector<std::string>& words, const std::string& folder) {
  Process command([&] {
    enter(folder);
    become(words);
  });
  command.start();
  command.join();
  return command.exitcode().value_or(-1);
}

}  // namespace mp::judge
