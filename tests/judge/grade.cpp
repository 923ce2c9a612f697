#include "judge/grade.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <stdexcept>

#include "00-syscalls/check.hpp"
#include "00-syscalls/deadline.hpp"
#include "01-process/exit_status.hpp"
#include "01-process/process.hpp"
#include "judge/names.hpp"
#include "judge/owned_fd.hpp"
#include "judge/proc.hpp"
#include "judge/warden.hpp"

namespace mp::judge {

namespace {

/// A warden at work. It leaves its verdict in a memory file, so that nobody has to read meanwhile.
class Watch {
 public:
  Watch(const Request& request, std::size_t index)
      : index_(index),
        test_(request.tests[index]),
        report_(check(memfd_create("verdict", MFD_CLOEXEC), "memfd_create")),
        warden_({.name = "warden"}, [request, index, fd = report_.get()] {
          const std::string text = pack(
              watch_over({request.host, request.module, request.tests[index], request.time_limit}));
          std::size_t done = 0;
          while (done < text.size()) {
            done += static_cast<std::size_t>(
                check(write(fd, text.data() + done, text.size() - done), "write"));
          }
        }) {
    warden_.start();
  }

  [[nodiscard]] std::size_t index() const { return index_; }
  [[nodiscard]] int sentinel() { return warden_.sentinel(); }
  /// Whether somebody has ended the warden before it could report.
  [[nodiscard]] bool lost() { return warden_.exitcode().value_or(0) < 0; }

  /// A warden that is stopped watches no time limit any more: then it is ended here.
  void end_if_stopped() {
    siginfo_t info{};
    const auto pid = static_cast<id_t>(warden_.pid().value_or(0));
    retry([&] { return waitid(P_PID, pid, &info, WSTOPPED | WNOHANG | WNOWAIT); });
    if (info.si_pid != 0) {  // an error, too, leaves this zero: then it has ended
      stopped_ = true;
      warden_.kill();
    }
  }

  /// @throws std::runtime_error if the warden itself came to grief.
  Verdict verdict() {
    warden_.join();
    if (lost()) {
      return verdict_of_the_lost();
    }
    std::string text(static_cast<std::size_t>(check(lseek(report_.get(), 0, SEEK_END), "lseek")),
                     '\0');
    const ssize_t got = check(pread(report_.get(), text.data(), text.size(), 0), "pread");
    text.resize(static_cast<std::size_t>(got));
    return unpack(text);
  }

 private:
  Verdict verdict_of_the_lost() {
    remove_folders_of(warden_.pid().value_or(0));
    Verdict verdict;
    verdict.test = test_;
    verdict.did = "ran " + test_;
    verdict.expected = "signals for the test's own processes only";
    verdict.seen = "the judge's warden was " +
                   (stopped_ ? "stopped by a signal" : describe(warden_.exitcode().value_or(0)));
    return verdict;
  }

  std::size_t index_;
  std::string test_;
  OwnedFd report_;
  Process warden_;
  bool stopped_ = false;
};

/// While it lives, orphans below this process become its children: those of a warden that was
/// killed, which cannot end them any more.
class Subreaper {
 public:
  Subreaper() : known_(descendants(getpid())) {
    check(prctl(PR_GET_CHILD_SUBREAPER, &before_), "prctl(PR_GET_CHILD_SUBREAPER)");
    check(prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl(PR_SET_CHILD_SUBREAPER)");
  }
  ~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, before_); }  // cannot fail: it did not above
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;

  /// Ends all that has come below this process since this object was made.
  void end_orphans() const {
    const auto deadline = Deadline::after(std::chrono::seconds(5));
    for (;;) {
      std::vector<pid_t> orphans = descendants(getpid());
      std::erase_if(orphans, [this](pid_t pid) {
        return std::find(known_.begin(), known_.end(), pid) != known_.end();
      });
      if (orphans.empty() || deadline.remaining().count() == 0) {
        return;
      }
      for (const pid_t pid : orphans) {
        ::kill(pid, SIGKILL);
        retry([pid] { return waitpid(pid, nullptr, WNOHANG); });  // ECHILD: not yet ours
      }
    }
  }

 private:
  std::vector<pid_t> known_;
  int before_ = 0;
};

std::vector<Verdict> run_all(const Request& request) {
  std::vector<Verdict> verdicts(request.tests.size());
  const Subreaper subreaper;
  bool lost = false;
  std::size_t next = 0;
  std::list<Watch> watches;
  while (next < verdicts.size() || !watches.empty()) {
    while (next < request.tests.size() && watches.size() < static_cast<std::size_t>(request.jobs)) {
      watches.emplace_back(request, next++);
    }
    std::vector<pollfd> ends;
    for (Watch& watch : watches) {
      ends.push_back({watch.sentinel(), POLLIN, 0});
    }
    poll_until(ends, Deadline::after(std::chrono::milliseconds(200)));
    auto watch = watches.begin();
    for (const pollfd& end : ends) {
      if (end.revents != 0) {
        verdicts[watch->index()] = watch->verdict();
        lost = lost || watch->lost();
        watch = watches.erase(watch);
      } else {
        watch->end_if_stopped();
        ++watch;
      }
    }
  }
  if (lost) {
    subreaper.end_orphans();
  }
  return verdicts;
}

std::set<std::string> abandoned_by(const Request& request, const std::string& test) {
  Request alone = request;
  alone.tests = {test};
  const Names before = lasting_names();
  run_all(alone);
  return abandoned(before, lasting_names());
}

/// Runs the tests that passed once more, one at a time, and holds what each leaves against it, if
/// it leaves something whenever it runs.
/// Shared memory that was not there `before` all this is then removed. Files in /tmp stay, though:
/// the verdict names them, and to remove one that is somebody else's would be worse than to leave
/// it.
void find_culprits(const Request& request, const Names& before, std::vector<Verdict>& verdicts) {
  for (Verdict& verdict : verdicts) {
    if (!verdict.passed() || abandoned_by(request, verdict.test).empty()) {
      continue;
    }
    if (const auto names = abandoned_by(request, verdict.test); !names.empty()) {
      verdict.outcome = Outcome::kLeft;
      verdict.expected = "everything put back as it was";
      verdict.seen = "left behind: " + *names.begin();
      verdict.details.assign(std::next(names.begin()), names.end());
      for (const std::string& name : names) {
        if (name.starts_with("/dev/shm/") && !before.contains(name)) {
          unlink(name.c_str());  // fails for a folder, and for what somebody else has removed
        }
      }
    }
  }
}

}  // namespace

std::vector<Verdict> grade(const Request& request) {
  check(prctl(PR_SET_DUMPABLE, 0), "prctl(PR_SET_DUMPABLE)");
  const Names before = lasting_names();
  std::vector<Verdict> verdicts = run_all(request);
  if (!abandoned(before, lasting_names()).empty()) {
    find_culprits(request, before, verdicts);
  }
  return verdicts;
}

double slowness() {
  constexpr int kRounds = 5;
  constexpr double kUsual = 400e-6;  // seconds, of the machine on which the limits were chosen
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = monotonic_now();
    Process nothing([] {});
    nothing.start();
    nothing.join();
    times.push_back(std::chrono::duration<double>(monotonic_now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
  return std::clamp(times[kRounds / 2] / kUsual, 1.0, 8.0);
}

}  // namespace mp::judge
