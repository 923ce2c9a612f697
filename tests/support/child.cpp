#include "support/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

namespace mp::test {
namespace {

using Clock = std::chrono::steady_clock;

// How long after the deadline the supervisor may take to end and reap what is left.
constexpr std::chrono::seconds kGrace{5};
// Of this many leftovers the details are kept; a fork bomb leaves more.
constexpr std::size_t kMaxLeftovers = 64;

// What the supervisor and the child tell the caller. It lies in shared memory: no descriptor that
// an orphan could keep open, and what is written stays readable when its writer is killed.
struct Report {
  bool complete;  // the supervisor came to its end
  bool timed_out;
  int status;
  rusage usage;
  std::size_t leftover_count;
  struct {
    pid_t pid;
    char state;
    std::array<char, 16> name;
  } leftovers[kMaxLeftovers];
  std::array<char, 1024> threw;
  std::array<char, 256> failure;  // of the supervisor
};

void store(std::span<char> to, std::string_view text) {
  to[text.copy(to.data(), to.size() - 1)] = '\0';
}

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

class Fd {
 public:
  Fd(int fd, const char* call) : fd_(fd) {
    if (fd_ < 0) {
      fail(call);
    }
  }
  ~Fd() { (void)::close(fd_); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// An output stream of fixed size. All who write share one open file description, so its offset is
// the length of what was written, and reading it waits for nobody.
class Capture {
 public:
  explicit Capture(const char* name)
      : fd_(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create") {
    if (::ftruncate(fd_.get(), kKeptOutput) < 0) {
      fail("ftruncate");
    }
    if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0) {
      fail("fcntl(F_ADD_SEALS)");
    }
  }

  // In the child: takes the place of descriptor `target`.
  void become(int target) const {
    if (::dup2(fd_.get(), target) < 0) {
      fail("dup2");
    }
    if (fd_.get() != target && ::close(fd_.get()) < 0) {
      fail("close");
    }
  }

  std::string text() const {
    const off_t end = ::lseek(fd_.get(), 0, SEEK_CUR);
    if (end < 0) {
      fail("lseek");
    }
    std::string text(std::min(static_cast<std::size_t>(end), kKeptOutput), '\0');
    const ssize_t got = ::pread(fd_.get(), text.data(), text.size(), 0);  // memory: never short
    if (got < 0) {
      fail("pread");
    }
    text.resize(static_cast<std::size_t>(got));
    return text;
  }

 private:
  Fd fd_;
};

void flush_streams() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  (void)std::fflush(nullptr);  // fails when the capture is full, which the reader of it sees
}

// True when `pid`, a child of the caller, has ended; false when `end` came first.
bool ends_before(pid_t pid, Clock::time_point end) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // has FD_CLOEXEC already
  if (fd < 0 && errno == ESRCH) {  // it ended, and the caller ignores SIGCHLD
    return true;
  }
  const Fd pidfd(fd, "pidfd_open");
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd item{pidfd.get(), POLLIN, 0};
    const int ready = ::poll(&item, 1, static_cast<int>(std::clamp<long>(left, 0, 1 << 30)));
    if (ready > 0 || (ready == 0 && left <= 0)) {
      return ready > 0;
    }
    if (ready < 0 && errno != EINTR) {
      fail("poll");
    }
  }
}

pid_t wait_for(pid_t pid, int* status, rusage* usage) {
  for (;;) {
    const pid_t got = ::wait4(pid, status, __WALL, usage);
    if (got >= 0 || errno != EINTR) {
      return got;
    }
  }
}

void kill_process(pid_t pid) {
  if (::kill(pid, SIGKILL) < 0 && errno != ESRCH) {
    fail("kill");
  }
}

// The children of `parent` with what /proc says of them.
std::vector<Leftover> children_of(pid_t parent) {
  std::vector<Leftover> found;
  for (const auto& folder : std::filesystem::directory_iterator("/proc")) {
    const std::string base = folder.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(base.data(), base.data() + base.size(), pid).ec != std::errc{}) {
      continue;
    }
    std::ifstream file(folder.path() / "stat");
    std::string stat;
    std::getline(file, stat, '\0');  // fails with ESRCH when the process has ended since the open
    // "PID (NAME) STATE PPID ...", where NAME may itself hold parentheses and blanks.
    const std::size_t open = stat.find('(');
    const std::size_t close = stat.rfind(')');
    if (open == std::string::npos || close == std::string::npos || close + 4 >= stat.size()) {
      continue;  // it has ended since
    }
    pid_t ppid = 0;
    (void)std::from_chars(stat.data() + close + 4, stat.data() + stat.size(), ppid);
    if (ppid == parent) {
      found.push_back({pid, stat.substr(open + 1, close - open - 1), stat[close + 2]});
    }
  }
  return found;
}

bool has_children() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0) {
    return true;
  }
  if (errno != ECHILD) {
    fail("waitid");
  }
  return false;
}

// In the supervisor, all of whose children are its own: notes them, ends and reaps them.
void clear_leftovers(Report& report) {
  // Those who die hand their own children up to us: each pass clears one generation.
  while (has_children()) {
    const std::vector<Leftover> generation = children_of(::getpid());
    for (const Leftover& process : generation) {
      kill_process(process.pid);
      if (report.leftover_count < kMaxLeftovers) {
        auto& kept = report.leftovers[report.leftover_count++];
        kept.pid = process.pid;
        kept.state = process.state;
        store(kept.name, process.name);
      }
    }
    for (const Leftover& process : generation) {
      if (wait_for(process.pid, nullptr, nullptr) < 0) {
        fail("wait4");
      }
    }
  }
}

void die_with(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
    fail("prctl(PR_SET_PDEATHSIG)");
  }
  if (::getppid() != parent) {  // it died before the line above
    ::_exit(1);
  }
}

void set_name(std::string_view role) {
  const std::string name(role.substr(0, 15));
  if (::prctl(PR_SET_NAME, name.c_str()) < 0) {
    fail("prctl(PR_SET_NAME)");
  }
}

struct Job {
  const std::function<void()>& body;
  std::string_view role;
  Clock::time_point end;
  const Capture& out;
  const Capture& err;
  Report& report;
};

[[noreturn]] void child_main(const Job& job, pid_t parent, const struct sigaction& on_sigchld) {
  const auto body = [&] {
    die_with(parent);
    set_name(job.role);
    job.out.become(STDOUT_FILENO);
    job.err.become(STDERR_FILENO);
    if (::sigaction(SIGCHLD, &on_sigchld, nullptr) < 0) {
      fail("sigaction");
    }
    job.body();
  };
  run_and_exit(body, job.report.threw);
}

void supervise(const Job& job, pid_t caller) {
  die_with(caller);
  set_name("supervisor");
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
    fail("prctl(PR_SET_CHILD_SUBREAPER)");
  }
  // Where the caller ignores SIGCHLD, the kernel would reap the child before we see its status.
  struct sigaction ours {};
  ours.sa_handler = SIG_DFL;
  struct sigaction callers {};
  if (::sigaction(SIGCHLD, &ours, &callers) < 0) {
    fail("sigaction");
  }

  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    fail("fork");
  }
  if (child == 0) {
    child_main(job, self, callers);
  }
  if (!ends_before(child, job.end)) {
    job.report.timed_out = true;
    kill_process(child);
  }
  if (wait_for(child, &job.report.status, &job.report.usage) < 0) {
    fail("wait4");
  }
  clear_leftovers(job.report);
  job.report.complete = true;
}

[[noreturn]] void supervisor_main(const Job& job, pid_t caller) {
  try {
    supervise(job, caller);
  } catch (const std::exception& error) {
    store(job.report.failure, error.what());
  }
  ::_exit(0);
}

}  // namespace

void run_and_exit(const std::function<void()>& body, std::span<char> threw) {
  int code = 1;
  try {
    body();
    code = 0;
  } catch (const std::exception& error) {
    store(threw, *error.what() == '\0' ? "an exception without text" : error.what());
  } catch (...) {
    store(threw, "an exception that is no std::exception");
  }
  flush_streams();
  ::_exit(code);
}

ChildResult run_in_child(const std::function<void()>& body, std::chrono::milliseconds deadline,
                         std::string_view role) {
  const Clock::time_point end = Clock::now() + deadline;
  const Capture out("stdout");
  const Capture err("stderr");
  const Shared<Report> report;
  const Job job{body, role, end, out, err, *report};

  flush_streams();  // or the child would print what we have buffered
  const pid_t caller = ::getpid();
  const pid_t supervisor = ::fork();
  if (supervisor < 0) {
    fail("fork");
  }
  if (supervisor == 0) {
    supervisor_main(job, caller);
  }
  std::exception_ptr broken;
  try {
    if (!ends_before(supervisor, end + kGrace)) {
      kill_process(supervisor);
    }
  } catch (const std::system_error&) {  // no descriptor left, say: still leave no child behind
    broken = std::current_exception();
    kill_process(supervisor);
  }
  // ECHILD: the caller ignores SIGCHLD, and the kernel has reaped it. The report says the rest.
  if (wait_for(supervisor, nullptr, nullptr) < 0 && errno != ECHILD) {
    fail("wait4");
  }
  if (broken) {
    std::rethrow_exception(broken);
  }
  if (!report->complete) {
    const std::string why = report->failure.data();
    throw std::runtime_error("run_in_child: the supervisor " +
                             (why.empty() ? "was ended before its child" : "failed: " + why));
  }

  ChildResult result;
  const int status = report->status;
  result.exitcode = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  result.timed_out = report->timed_out;
  result.out = out.text();
  result.err = err.text();
  result.usage = report->usage;
  for (std::size_t i = 0; i < report->leftover_count; ++i) {
    const auto& kept = report->leftovers[i];
    result.leftovers.push_back({kept.pid, kept.name.data(), kept.state});
  }
  std::sort(result.leftovers.begin(), result.leftovers.end(),
            [](const Leftover& a, const Leftover& b) { return a.pid < b.pid; });
  result.threw = report->threw.data();
  return result;
}

}  // namespace mp::test
