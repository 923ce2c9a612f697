// Wrong: the children have ended, the parent lives on and waits for none of them.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>

#include "00-syscalls/check.hpp"

namespace {

// The third field of /proc/PID/stat: R runs, S sleeps, Z is a zombie; - for no such process.
char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) {
    return '-';
  }
  // "4242 (zombies) Z 4241 …": a name may hold blanks and parentheses, so look from its end.
  return line.at(line.rfind(')') + 2);
}

void show(int number, pid_t pid) {
  std::printf("child %d: state %c, kill(pid, 0) says %s\n", number, state_of(pid),
              kill(pid, 0) == 0 ? "it exists" : "no such process");
}

}  // namespace

int main() {
  std::array<pid_t, 3> children{};
  for (pid_t& pid : children) {
    pid = mp::check(fork(), "fork");
    if (pid == 0) {
      _exit(7);
    }
  }
  for (int number = 0; const pid_t pid : children) {
    siginfo_t info{};  // WNOWAIT: until it has ended, but leave it as it is
    mp::check(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), "waitid");
    show(++number, pid);
  }
  // A server would go on like this for years. Here is what it forgets:
  for (int number = 0; const pid_t pid : children) {
    mp::check(waitpid(pid, nullptr, 0), "waitpid");
    show(++number, pid);
  }
}
