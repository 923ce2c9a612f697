#include "support/recorder.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/child.hpp"
#include "support/syscall_names.hpp"

// Part of the address and the leak sanitizers' runtimes, so null where neither is linked.
extern "C" __attribute__((weak)) void __lsan_do_leak_check();  // NOLINT

namespace mp::test {
namespace {

constexpr std::size_t kMaxCalls = 32'768;

// Names between blanks, so that " wait4 " is not found in a longer one.
constexpr std::pair<Family, std::string_view> kFamilies[] = {
    {Family::kFork, " fork vfork clone clone3 "},
    {Family::kExec, " execve execveat "},
    {Family::kExit, " exit exit_group "},
    {Family::kWait, " wait4 waitid "},
    {Family::kRead, " read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg "},
    {Family::kWrite, " write writev pwrite64 pwritev pwritev2 sendto sendmsg sendmmsg "},
    {Family::kPoll, " poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2 "},
    {Family::kFutex, " futex futex_waitv futex_wait futex_wake futex_requeue "},
    {Family::kSignal, " kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal "},
    {Family::kPidfd, " pidfd_open pidfd_getfd "},
    {Family::kPipe, " pipe pipe2 "},
    {Family::kSocket,
     " socket socketpair bind listen connect accept accept4 shutdown getsockopt setsockopt "
     "getsockname getpeername "},
    {Family::kMemory, " mmap munmap mprotect mremap madvise msync mlock munlock brk memfd_create "},
    {Family::kClose, " close close_range "},
    {Family::kTime,
     " nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time alarm setitimer "
     "getitimer timer_create timer_settime timerfd_create timerfd_settime "},
};

// What the tracer and the traced tell the caller, in shared memory.
struct Log {
  pid_t first;  // the process that runs the body
  int status;   // its
  bool timed_out;
  std::optional<std::size_t> killed_call;
  std::array<char, 1024> threw;
  std::size_t size;
  std::size_t dropped;
  struct {
    pid_t pid;
    bool returned;
    long number;
    long result;
  } calls[kMaxCalls];
};

[[noreturn]] void fail(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

// The traced process shows its tracer where the body begins and ends by a call that means nothing
// to the kernel: lseek on a descriptor that cannot be.
constexpr std::uint64_t kMarker = 0x6d70'5265'636f'7264;
enum Mark : std::uint64_t { kBegin = 1, kEnd = 2 };

void show(Mark mark) {
  const int kept = errno;
  (void)::syscall(SYS_lseek, -1L, kMarker, mark);  // EBADF by design
  errno = kept;
}

[[noreturn]] void traced_main(const std::function<void()>& body, Log& log) {
  const auto marked = [&body] {
    struct EndMark {  // shown before the handler of an exception makes calls of its own
      ~EndMark() { show(kEnd); }
    };
    (void)::raise(SIGSTOP);  // until the tracer has hold of us; cannot fail
    show(kBegin);
    const EndMark end;
    body();
  };
  (void)::prctl(PR_SET_NAME, "recorded");
  run_and_exit(marked, log.threw);
}

volatile std::sig_atomic_t deadline_passed = 0;

// Runs in a process of its own, all of whose children it traces, so it may wait for any.
class Tracer {
 public:
  Tracer(const RecordOptions& options, Log& log) : options_(options), log_(log) {}

  void run(const std::function<void()>& body) {
    pin_to_one_cpu();
    const pid_t first = ::fork();
    if (first < 0) {
      fail("fork");
    }
    if (first == 0) {
      traced_main(body, log_);
    }
    log_.first = first;
    start_clock();  // after the fork: the body gets the caller's signal dispositions
    seize();
    while (follow_one()) {
    }
  }

 private:
  struct Thread {
    pid_t process;
    std::uint64_t number = 0;                  // the call it made last
    std::optional<std::size_t> open_call{};    // the index of the call it is in
    std::optional<std::size_t> interrupted{};  // of a call that the kernel may restart,
    std::uint64_t instruction = 0;             // and where it was made
    std::uint64_t stack = 0;
  };

  static void pin_to_one_cpu() {
    const int cpu = ::sched_getcpu();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(std::max(cpu, 0)), &set);
    (void)::sched_setaffinity(0, sizeof set, &set);  // slower without it, but no less right
  }

  void start_clock() const {
    struct sigaction action {};
    action.sa_handler = [](int) { deadline_passed = 1; };  // no SA_RESTART: it is to end waitpid
    if (::sigaction(SIGALRM, &action, nullptr) < 0) {
      fail("sigaction");
    }
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (::sigprocmask(SIG_UNBLOCK, &alarm, nullptr) < 0) {
      fail("sigprocmask");
    }
    const auto left = std::max(options_.deadline, std::chrono::milliseconds(1));
    itimerval timer{};
    timer.it_value.tv_sec = left.count() / 1000;
    timer.it_value.tv_usec = left.count() % 1000 * 1000;
    timer.it_interval.tv_usec = 10'000;  // again and again: one could come just before waitpid
    if (::setitimer(ITIMER_REAL, &timer, nullptr) < 0) {
      fail("setitimer");
    }
  }

  void seize() const {
    int status = 0;
    if (::waitpid(log_.first, &status, WUNTRACED) < 0) {
      fail("waitpid");
    }
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (::ptrace(PTRACE_SEIZE, log_.first, nullptr, options) < 0) {
      fail("ptrace(PTRACE_SEIZE)");
    }
    if (::kill(log_.first, SIGCONT) < 0) {
      fail("kill");
    }
  }

  // Waits for one event and deals with it. False when there is nobody left.
  bool follow_one() {
    int status = 0;
    const pid_t tid = ::waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == ECHILD) {
      return false;
    }
    if (tid < 0 && errno != EINTR) {
      fail("waitpid");
    }
    if (tid > 0 && WIFSTOPPED(status)) {
      on_stop(tid, status);
    } else if (tid > 0) {
      on_end(tid, status);
    }
    if (deadline_passed != 0) {
      log_.timed_out = true;
      for (const auto& [pid, recorded] : recorded_) {
        kill_process(pid);
      }
    }
    return true;
  }

  void on_end(pid_t tid, int status) {
    if (tid == log_.first) {
      log_.status = status;
    }
    threads_.erase(tid);
    recorded_.erase(tid);  // the leader's end is told last, after those of its threads
  }

  // A new thread is met at its own first stop, which may come before its maker's event.
  Thread& meet(pid_t tid) {
    const auto known = threads_.find(tid);
    if (known != threads_.end()) {
      return known->second;
    }
    const pid_t pid = process_of(tid);
    recorded_.try_emplace(pid, pid != log_.first);
    return threads_.emplace(tid, Thread{pid}).first->second;
  }

  static pid_t process_of(pid_t tid) {
    std::ifstream file("/proc/" + std::to_string(tid) + "/status");
    for (std::string word; file >> word;) {
      if (pid_t pid = 0; word == "Tgid:" && file >> pid) {
        return pid;
      }
    }
    return tid;  // it was killed meanwhile
  }

  void on_stop(pid_t tid, int status) {
    Thread& thread = meet(tid);
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    int deliver = 0;
    if (signal == (SIGTRAP | 0x80)) {
      on_syscall(tid, thread);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
      resume(PTRACE_LISTEN, tid, 0);  // a group stop: it lasts until SIGCONT
      return;
    } else if (event == PTRACE_EVENT_EXEC) {
      on_exec(tid);
    } else if (event == 0) {
      deliver = signal;
    }
    resume(PTRACE_SYSCALL, tid, deliver);
  }

  // Whichever thread called execve, it goes on under the leader's id, the only one.
  void on_exec(pid_t tid) {
    unsigned long former = 0;
    if (::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &former) < 0) {
      return;  // killed meanwhile
    }
    auto moved = threads_.extract(static_cast<pid_t>(former));
    if (!moved.empty() && moved.key() != tid) {
      threads_.erase(tid);
      moved.key() = tid;
    }
    if (!moved.empty()) {
      threads_.insert(std::move(moved));
    }
  }

  void on_syscall(pid_t tid, Thread& thread) {
    __ptrace_syscall_info info{};
    // The request's "address" is the size of the answer.
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) < 0) {
      return;  // killed meanwhile
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      on_entry(thread, info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
      on_exit(thread, info);
    }
  }

  void on_entry(Thread& thread, const __ptrace_syscall_info& info) {
    thread.number = info.entry.nr;
    bool& recorded = recorded_.at(thread.process);
    if (info.entry.nr == SYS_lseek && info.entry.args[1] == kMarker) {
      recorded = info.entry.args[2] == kBegin;
    } else if (!recorded) {
      return;
    } else if (restarts(thread, info)) {
      thread.open_call = std::exchange(thread.interrupted, std::nullopt);
      log_.calls[*thread.open_call].returned = false;
    } else {
      note_call(thread);
    }
  }

  void note_call(Thread& thread) {
    if (log_.size < kMaxCalls) {
      auto& call = log_.calls[log_.size];
      call.pid = thread.process;
      call.number = static_cast<long>(thread.number);
      thread.open_call = log_.size++;
    } else {
      ++log_.dropped;
    }
    const bool counts =
        options_.kill_scope == KillScope::kTree ||
        (options_.kill_scope == KillScope::kFirst) == (thread.process == log_.first);
    if (counts && ++counted_ == options_.kill_at && thread.open_call) {
      log_.killed_call = thread.open_call;
      kill_process(thread.process);  // at this stop, so the call is not carried out
    }
  }

  // A signal wakes the thread from its call, a handler may run, and the kernel makes the call
  // again: by restart_syscall, or from the same instruction with the same stack.
  static bool restarts(const Thread& thread, const __ptrace_syscall_info& info) {
    return thread.interrupted &&
           (info.entry.nr == SYS_restart_syscall ||
            (info.instruction_pointer == thread.instruction && info.stack_pointer == thread.stack));
  }

  void on_exit(Thread& thread, const __ptrace_syscall_info& info) {
    const std::int64_t result = info.exit.rval;
    if (thread.number == SYS_rt_sigreturn && result == -EINTR) {
      thread.interrupted.reset();  // the handler has run, and the program is told EINTR
    }
    if (!thread.open_call) {
      return;
    }
    auto& call = log_.calls[*thread.open_call];
    call.returned = true;
    call.result = result;
    // ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK: never seen untraced.
    if (result == -512 || result == -513 || result == -514 || result == -516) {
      call.result = -EINTR;
      thread.interrupted = thread.open_call;
      thread.instruction = info.instruction_pointer;
      thread.stack = info.stack_pointer;
    }
    thread.open_call.reset();
  }

  static void resume(__ptrace_request how, pid_t tid, long signal) {
    if (::ptrace(how, tid, nullptr, signal) < 0 && errno != ESRCH) {  // ESRCH: killed meanwhile
      fail("ptrace");
    }
  }

  static void kill_process(pid_t pid) {
    if (::kill(pid, SIGKILL) < 0 && errno != ESRCH) {
      fail("kill");
    }
  }

  const RecordOptions& options_;
  Log& log_;
  int counted_ = 0;
  std::map<pid_t, bool> recorded_;  // the living; false in the first before and after the body
  std::map<pid_t, Thread> threads_;
};

std::string why_it_does_not_work() {
  if (&__lsan_do_leak_check != nullptr) {
    return "a program with a leak checker cannot be recorded: both need ptrace";
  }
  try {
    const Recording trial = record([] { (void)::syscall(SYS_getpid); });
    return trial.count("getpid") == 1 ? "" : "a trial recording did not see its one call";
  } catch (const std::exception& error) {
    return "system calls cannot be recorded here: " + std::string(error.what());
  }
}

}  // namespace

Family family_of(long number) {
  const std::string word = ' ' + std::string(syscall_name(number)) + ' ';
  for (const auto& [family, names] : kFamilies) {
    if (names.find(word) != std::string_view::npos) {
      return family;
    }
  }
  return Family::kOther;
}

int Recording::count(Family family) const {
  return static_cast<int>(
      std::count_if(calls.begin(), calls.end(),
                    [family](const RecordedCall& call) { return call.family == family; }));
}

int Recording::count(std::string_view name) const {
  return static_cast<int>(std::count_if(
      calls.begin(), calls.end(), [name](const RecordedCall& call) { return call.name == name; }));
}

std::string Recording::to_string() const {
  constexpr std::size_t kShown = 60;
  std::string text;
  for (std::size_t i = 0; i < std::min(calls.size(), kShown); ++i) {
    const RecordedCall& call = calls[i];
    text += std::to_string(call.pid) + ' ';
    text += call.name.empty() ? "call " + std::to_string(call.number) : std::string(call.name);
    if (killed && i == killed_call) {
      text += " (killed here)";
    } else if (!call.returned) {
      text += " (did not return)";
    } else if (call.result < 0 && call.result >= -4095) {
      text += " = " + std::generic_category().message(static_cast<int>(-call.result));
    } else {
      text += " = " + std::to_string(call.result);
    }
    text += '\n';
  }
  const std::size_t rest = calls.size() - std::min(calls.size(), kShown) + dropped;
  return rest == 0 ? text : text + "and " + std::to_string(rest) + " more\n";
}

bool recorder_works(std::string& why_not) {
  static const std::string reason = why_it_does_not_work();
  why_not = reason;
  return reason.empty();
}

Recording record(const std::function<void()>& body, RecordOptions options) {
  const Shared<Log> log;
  // The tracer keeps the deadline itself; this one is for a tracer that the body has stopped.
  const ChildResult tracer = run_in_child([&] { Tracer(options, *log).run(body); },
                                          options.deadline + std::chrono::seconds(5), "tracer");
  if (tracer.exitcode != 0) {
    throw std::runtime_error(tracer.threw.empty()
                                 ? "the tracer ended with " + std::to_string(tracer.exitcode)
                                 : tracer.threw);
  }
  Recording recording;
  for (std::size_t i = 0; i < log->size; ++i) {
    const auto& call = log->calls[i];
    recording.calls.push_back({call.pid, call.number, syscall_name(call.number),
                               family_of(call.number), call.result, call.returned,
                               call.pid == log->first});
  }
  recording.dropped = log->dropped;
  recording.exitcode = WIFEXITED(log->status) ? WEXITSTATUS(log->status) : -WTERMSIG(log->status);
  recording.timed_out = log->timed_out;
  recording.killed = log->killed_call.has_value();
  recording.killed_call = log->killed_call.value_or(0);
  recording.out = tracer.out;
  recording.err = tracer.err;
  recording.threw = log->threw.data();
  return recording;
}

}  // namespace mp::test
