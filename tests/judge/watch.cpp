// Runs a program of the book, and ends it when none of its processes will ever go on: a terminal
// that says nothing more teaches nothing. Says who waits for what, as the judge does (autopsy.hpp).
//
//   mp_watch PROGRAM [ARG...]
//
// Exit status: the program's (128 + n when signal n ended it); 124 after a standstill, 2 for wrong
// usage, 127 when there is no such program. Orphans get a second to end, and are then ended.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "01-process/join.hpp"
#include "01-process/signals.hpp"
#include "01-process/spawn.hpp"
#include "judge/autopsy.hpp"
#include "judge/command.hpp"
#include "judge/owned_fd.hpp"
#include "judge/proc.hpp"
#include "judge/standstill.hpp"

namespace {

using namespace mp;
using namespace mp::judge;
using namespace std::chrono_literals;

constexpr auto kBetweenLooks = 100ms;
constexpr int kLooks = 15;  // 1.5 s; looks are counted, since this process may be stopped meanwhile
constexpr auto kGrace = 1s;
constexpr int kAtAStandstill = 124;  // timeout(1)'s

/// What every process is to be called: child, grandchild, with a number where there are several;
/// by its own name where it has become another program, such as python3.
std::vector<Role> roles_of(pid_t program, const std::vector<pid_t>& pids) {
  const std::array<std::string, 3> relations = {"child", "grandchild", "descendant"};
  std::map<pid_t, std::size_t> depths = {{program, 0}};
  std::map<std::string, std::vector<pid_t>> kinds;
  const auto own = read_stat(program);
  for (const pid_t pid : pids) {  // parents come before their children
    const auto stat = read_stat(pid);
    if (!stat || pid == program) {
      continue;
    }
    const auto parent = depths.find(stat->ppid);
    const std::size_t depth = parent == depths.end() ? 0 : parent->second + 1;
    depths[pid] = depth == 0 ? relations.size() : depth;
    std::string kind = depth == 0 ? "orphan" : relations[std::min(depth, relations.size()) - 1];
    if (own && own->name != stat->name) {
      kind = stat->name;
    }
    kinds[kind].push_back(pid);
  }
  std::vector<Role> roles = {{program, kinds.empty() ? "the program" : "parent"},
                             {getpid(), "the watch"}};
  for (auto& [kind, members] : kinds) {
    std::sort(members.begin(), members.end());  // in the order of their start
    for (std::size_t i = 0; i < members.size(); ++i) {
      roles.push_back(
          {members[i], members.size() == 1 ? kind : kind + " " + std::to_string(i + 1)});
    }
  }
  return roles;
}

/// A sentence, with a new line after each semicolon that is not in parentheses.
std::string broken_into_lines(const std::string& sentence) {
  std::string text = "  ";
  int depth = 0;
  for (const char c : sentence) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    const bool after_semicolon = c == ' ' && depth == 0 && text.back() == ';';
    text += after_semicolon ? "\n    " : std::string(1, c);
  }
  return text + "\n";
}

void report(pid_t program, const std::vector<pid_t>& pids) {
  const bool alone = pids.size() == 1;
  std::string text =
      alone ? "watch: the process has been waiting for 1.5 s, and nothing will wake it:\n"
            : "watch: all processes have been waiting for 1.5 s, and none of them will wake "
              "another:\n";
  for (const std::string& sentence : autopsy(pids, roles_of(program, pids))) {
    text += broken_into_lines(sentence);
  }
  text += alone ? "watch: ended it\n" : "watch: ended them all\n";
  std::fputs(text.c_str(), stderr);
}

/// Takes the status of every child that has ended except the program, whose owner does.
void bury_orphans(pid_t program) {
  for (;;) {
    siginfo_t info{};
    if (retry([&] { return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT); }) == -1 ||
        info.si_pid == 0 || info.si_pid == program) {
      return;
    }
    check(retry([&] { return waitpid(info.si_pid, nullptr, 0); }), "waitpid");
  }
}

/// Waits until nobody is left below this process, and ends whoever still is then.
void end_everybody(Deadline deadline) {
  const auto give_up = Deadline::after(5s);
  for (;;) {
    while (retry([] { return waitpid(-1, nullptr, WNOHANG); }) > 0) {
    }
    // Again and again: who loses the parent becomes our child.
    const std::vector<pid_t> below = descendants(getpid());
    if (below.empty() || give_up.remaining() == 0ns) {
      return;
    }
    if (deadline.remaining() == 0ns) {
      for (const pid_t pid : below) {
        ::kill(pid, SIGKILL);
      }
    }
    poll_until({}, Deadline::after(2ms));
  }
}

/// A signal that is to end everything. The program may still have something to say to it.
/// @return the exit status.
int end_by_signal(Child& program, int signals) {
  signalfd_siginfo info{};
  check(read(signals, &info, sizeof info), "read");
  const int signum = static_cast<int>(info.ssi_signo);
  if (info.ssi_code != SI_KERNEL) {  // the terminal sends Ctrl-C to the program as well
    send_signal(program, signum);
  }
  program.join_for(kGrace);
  return 128 + signum;
}

/// @param signals  a signalfd.
int watch_over(Child& program, int signals) {
  Standstill standstill;
  std::array<pollfd, 2> waits{{{program.sentinel(), POLLIN, 0}, {signals, POLLIN, 0}}};
  while (poll_until(waits, Deadline::after(kBetweenLooks)) == 0) {
    bury_orphans(program.pid());
    const std::vector<pid_t> below = descendants(getpid());
    if (standstill.look(below) == kLooks) {
      report(program.pid(), below);
      return kAtAStandstill;
    }
  }
  if (waits[1].revents != 0) {
    return end_by_signal(program, signals);
  }
  const int code = program.exitcode().value_or(0);
  end_everybody(Deadline::after(kGrace));
  return code >= 0 ? code : 128 - code;
}

int run(const std::vector<std::string>& words) {
  sigset_t ends;
  sigset_t before;
  sigemptyset(&ends);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
    sigaddset(&ends, signal);
  }
  check(sigprocmask(SIG_BLOCK, &ends, &before), "sigprocmask");
  const OwnedFd signals(check(signalfd(-1, &ends, SFD_CLOEXEC), "signalfd"));
  check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl(PR_SET_CHILD_SUBREAPER)");
  const pid_t pid = spawn("mp_watch", [&] {
    check(sigprocmask(SIG_SETMASK, &before, nullptr), "sigprocmask");
    become(words);
  });
  Child program(pid);
  const int code = watch_over(program, signals.get());
  end_everybody(Deadline::after(0s));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: mp_watch PROGRAM [ARG...]\n", stderr);
    return 2;
  }
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mp_watch: %s\n", error.what());
    return 2;
  }
}
