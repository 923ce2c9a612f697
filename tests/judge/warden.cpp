#include "judge/warden.hpp"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "01-process/join.hpp"
#include "01-process/signals.hpp"
#include "judge/autopsy.hpp"
#include "judge/launch.hpp"
#include "judge/output.hpp"
#include "judge/proc.hpp"
#include "judge/reasoning.hpp"
#include "judge/records.hpp"

namespace mp::judge {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostProcesses = 1000;
constexpr std::size_t kOutputKept = 16 * 1024;

/// A folder for the test's temporary files, and its end.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() / (prefix(getpid()) + "XXXXXX")) {
    if (mkdtemp(path_.data()) == nullptr) {
      throw_errno("mkdtemp " + path_);
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;  // nothing that a destructor could do about it
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

  /// What the names of a warden's folders begin with.
  static std::string prefix(pid_t warden) { return "mp-test-" + std::to_string(warden) + "-"; }

  [[nodiscard]] std::vector<std::string> contents() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      names.push_back("file " + printable(entry.path().filename().native()) + " in $TMPDIR");
    }
    return names;
  }

 private:
  std::string path_;
};

/// Makes this process fit for its office. @return a descriptor that is readable when the creator
/// has ended (the kernel sends SIGTERM then) and this process has to end, too.
OwnedFd take_office(pid_t creator) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  check(sigprocmask(SIG_BLOCK, &end, nullptr), "sigprocmask");
  OwnedFd dismissed(check(signalfd(-1, &end, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
  check(prctl(PR_SET_PDEATHSIG, SIGTERM), "prctl(PR_SET_PDEATHSIG)");
  if (getppid() != creator) {
    _exit(1);
  }
  check(setsid(), "setsid");
  check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl(PR_SET_CHILD_SUBREAPER)");
  check(prctl(PR_SET_DUMPABLE, 0), "prctl(PR_SET_DUMPABLE)");  // nobody below may ptrace the judge
  return dismissed;
}

/// Takes the status of every orphan that has come to this process and ended, not of the host.
void bury_orphans(pid_t host) {
  for (;;) {
    siginfo_t info{};
    if (retry([&] { return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT); }) == -1 ||
        info.si_pid == 0 || info.si_pid == host) {
      return;  // the host's turn comes in its own time, and orphans' after it
    }
    check(retry([&] { return waitid(P_PID, static_cast<id_t>(info.si_pid), &info, WEXITED); }),
          "waitid");
  }
}

/// Ends everything below this process. The group goes at once, which stops a fork bomb; who has
/// left the group is found by descent, again and again, since killing a parent makes an orphan.
void end_everybody(pid_t host_group) {
  ::kill(-host_group, SIGKILL);  // ESRCH: nobody is in it any more
  const auto deadline = Deadline::after(5s);
  for (;;) {
    while (retry([] { return waitpid(-1, nullptr, WNOHANG); }) > 0) {
    }
    const std::vector<pid_t> below = descendants(getpid());
    if (below.empty() || deadline.remaining() == 0ns) {
      return;
    }
    for (const pid_t pid : below) {
      ::kill(pid, SIGKILL);
    }
    check(poll(nullptr, 0, 1), "poll");
  }
}

/// Whether there are more processes below this one than any test needs. The kernel's count of all
/// tasks is cheap to read; only when it jumps is it worth counting our own.
class BombDetector {
 public:
  BombDetector() : before_(tasks()) {}

  [[nodiscard]] bool too_many() const {
    return tasks() > before_ + kMostProcesses && descendants(getpid()).size() > kMostProcesses;
  }

 private:
  static std::size_t tasks() {
    std::ifstream file("/proc/loadavg");  // "0.20 0.18 0.12 1/80 11206"
    std::string word;
    file >> word >> word >> word >> word;
    const auto slash = word.find('/');
    return slash == std::string::npos ? 0 : std::stoul(word.substr(slash + 1));
  }

  std::size_t before_;
};

std::vector<std::string> names_of(const std::vector<pid_t>& pids) {
  std::vector<std::string> names;
  for (const pid_t pid : pids) {
    if (const auto stat = read_stat(pid); stat && stat->state != 'X') {
      names.push_back("process " + std::to_string(pid) + " (" + stat->name +
                      (stat->state == 'Z' ? "), a zombie" : "), still running"));
    }
  }
  return names;
}

}  // namespace

Verdict watch_over(const WardenOrders& orders) {
  const OwnedFd dismissed = take_office(getppid());
  const Output output;
  const TemporaryFolder folder;
  const BombDetector bomb;
  const auto start = monotonic_now();
  const auto deadline = Deadline::after(orders.time_limit);

  Launched launched = launch(orders, output.fd(), folder.path());
  Child host(launched.host);
  Records records(std::move(launched.channel), launched.secret);
  Evidence evidence;
  evidence.test = orders.test;
  evidence.host = host.pid();
  evidence.time_limit = orders.time_limit;

  std::array<pollfd, 3> waits{
      {{host.sentinel(), POLLIN, 0}, {records.fd(), POLLIN, 0}, {dismissed.get(), POLLIN, 0}}};
  while (waits[0].revents == 0) {
    const auto tick = std::min(deadline.remaining(), std::chrono::nanoseconds(50ms));
    // A channel that holds foreign matter, or has no writer left, is not waited for any more.
    const bool listening = !records.foreign() && (waits[1].revents & POLLHUP) == 0;
    waits[1].fd = listening ? records.fd() : -1;
    poll_until(waits, Deadline::after(tick));
    evidence.dismissed = waits[2].revents != 0;
    if (listening) {
      records.read_available();
    }
    bury_orphans(host.pid());
    evidence.fork_bomb = bomb.too_many();
    evidence.over_time = waits[0].revents == 0 && deadline.remaining() == 0ns;
    if (evidence.over_time) {
      const std::array roles = {Role{host.pid(), "test"}};
      evidence.autopsy = autopsy(descendants(getpid()), roles);
    }
    if (evidence.fork_bomb || evidence.over_time || evidence.dismissed) {
      break;
    }
  }
  evidence.elapsed = monotonic_now() - start;
  if (host.exitcode()) {
    // An orphan that is on its way out gets the time to go: that it ends by itself was the test's
    // doing. One that stays was left behind.
    const auto grace = Deadline::after(200ms);
    while (!descendants(getpid()).empty() && grace.remaining() > 0ns) {
      bury_orphans(host.pid());
      check(poll(nullptr, 0, 2), "poll");
    }
    evidence.left = names_of(descendants(getpid()));
  } else {
    ::kill(-host.pid(), SIGKILL);
    kill(host);
    host.join();
  }
  evidence.exitcode = host.exitcode().value_or(-SIGKILL);
  records.read_available();
  end_everybody(host.pid());
  const auto files = folder.contents();
  evidence.left.insert(evidence.left.end(), files.begin(), files.end());
  evidence.output = output.text(kOutputKept);
  return judge(records, evidence);
}

void remove_folders_of(pid_t warden) {
  std::error_code gone;  // what vanishes while we look needs no removal
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::temp_directory_path(), gone)) {
    if (entry.path().filename().native().starts_with(TemporaryFolder::prefix(warden))) {
      std::filesystem::remove_all(entry.path(), gone);
    }
  }
}

}  // namespace mp::judge
