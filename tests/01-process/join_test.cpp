#include "01-process/join.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "01-process/bystander.hpp"
#include "01-process/exit_status.hpp"
#include "01-process/stranger.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// So many calls no wait needs; a loop that never sleeps makes them soon, and is let go then.
constexpr int kTooMany = 1000;

// ---- one thread, one child

TEST(Join, ExitcodeIsNOrMinusSignal) {
  lesson("How it ended");
  for (const int code : {0, 7, 255}) {
    did("joined a child that ended with " + std::to_string(code));
    const Kid kid(exits_with(code));
    Child child(kid.pid());
    child.join();
    expect_eq("exitcode()", child.exitcode(), std::optional(code));
  }
  for (const int signum : {SIGTERM, SIGKILL, SIGSEGV}) {
    did("joined a child that signal " + std::to_string(signum) + " killed");
    const Kid kid([signum] {
      const rlimit no_core{};
      setrlimit(RLIMIT_CORE, &no_core);
      signal(signum, SIG_DFL);  // EINVAL for SIGKILL, which has nothing else
      raise(signum);
      return 1;
    });
    Child child(kid.pid());
    child.join();
    expect_eq("exitcode()", child.exitcode(), std::optional(-signum));
  }
}

TEST(Join, WaitsForTheEnd) {
  lesson("Waiting with a deadline");
  did("joined a child that ends only when the parent waits for it");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 5;
  });
  Child child(kid.pid());
  {
    Faults faults;
    int calls = 0;
    before_waits(faults, [&](const Call& call) {
      if (patience(call) > 0 || ++calls == kTooMany) {
        gate.open();
      }
    });
    child.join();
  }
  expect(!kid.is_running(), "join() to return when the child has ended",
         "it returned, and the child runs");
  gate.open();
  kid.wait_for_end();
  expect_eq("exitcode()", child.exitcode(), std::optional(5));
}

TEST(Join, MayBeRepeated) {
  lesson("Waiting with a deadline");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  did("joined a child for the first time");
  child.join();
  did("joined the same child again, without and with a time-out");
  child.join();
  expect_eq("join_for(1 ms)", child.join_for(1ms), true);
  expect_eq("join_for(0)", child.join_for(0s), true);
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
  expect_eq("exitcode(), asked again", child.exitcode(), std::optional(7));
}

TEST(Join, LeavesNoZombie) {
  lesson("Zombies");
  did("joined a child");
  const Kid kid(exits_with(0));
  Child child(kid.pid());
  child.join();
  expect(!kid.is_ours(), "the child to be gone", "a zombie: its status has not been taken");
  did("joined a child with a time-out");
  const Kid other(exits_with(0));
  Child with_timeout(other.pid());
  expect_eq("join_for(2 s)", with_timeout.join_for(2s), true);
  expect(!other.is_ours(), "the child to be gone", "a zombie: its status has not been taken");
}

TEST(Join, ExitcodeReaps) {
  lesson("Zombies");
  did("asked a child that has ended for its exit code, without join()");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  kid.wait_for_end();
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
  expect(!kid.is_ours(), "the child to be gone", "a zombie: its status has not been taken");
}

TEST(Join, ExitcodeNeverWaits) {
  lesson("Waiting with a deadline");
  did("asked a running child for its exit code");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  const NoWaiting watch(kid);
  const std::optional<int> code = child.exitcode();
  expect(!watch.waited(), "an answer at once", "a wait for the child's end");
  expect_eq("exitcode()", code, std::optional<int>());
}

TEST(Join, ReturnsWhenTheTimeIsOver) {
  lesson("Waiting with a deadline");
  did("called join_for(20 ms) on a child that runs on");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  const auto start = std::chrono::steady_clock::now();
  const bool ended = child.join_for(20ms);
  const auto elapsed = std::chrono::steady_clock::now() - start;
  expect_eq("its result", ended, false);
  expect(elapsed >= 20ms, "20 ms to pass",
         std::to_string(std::chrono::duration<double, std::milli>(elapsed).count()) + " ms");
  expect_eq("exitcode()", child.exitcode(), std::optional<int>());
}

TEST(Join, ZeroAndLessDoNotWait) {
  lesson("Waiting with a deadline");
  did("called join_for(0 s) and join_for(-1 s) on a child that runs");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  const NoWaiting watch(kid);
  const bool at_zero = child.join_for(0s);
  const bool before_zero = child.join_for(-1s);
  expect(!watch.waited(), "an answer at once", "a wait");
  expect_eq("join_for(0 s)", at_zero, false);
  expect_eq("join_for(-1 s)", before_zero, false);
}

TEST(Join, ZeroAndLessSeeTheEnd) {
  lesson("Waiting with a deadline");
  for (const auto timeout : {0s, -1s}) {
    did("called join_for(" + std::to_string(timeout.count()) + " s) on a child that has ended");
    const Kid kid(exits_with(7));
    Child child(kid.pid());
    kid.wait_for_end();
    expect_eq("its result", child.join_for(timeout), true);
    expect_eq("exitcode()", child.exitcode(), std::optional(7));
  }
}

/// Joins, for a very long time, a child that ends when the wait has begun or goes on.
void join_for_long(Deadline deadline) {
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  int calls = 0;
  bool ended = false;
  {
    Faults faults;
    before_waits(faults, [&](const Call& call) {
      ++calls;
      if (patience(call) > 60 || (patience(call) > 0 && calls > 1) || calls == kTooMany) {
        gate.open();
      }
    });
    ended = child.join_until(deadline);
  }
  expect(ended, "the wait to go on until the child ended", "a time-out long before its time");
}

TEST(Join, LongTimeoutsAreLong) {
  lesson("Waiting with a deadline");
  did("called join_for with 50 days, which in milliseconds is more than an int holds");
  join_for_long(Deadline::after(std::chrono::milliseconds((1LL << 32) + 1000)));
  did("called join_for(hours::max())");
  join_for_long(Deadline::after(std::chrono::hours::max()));
}

TEST(Join, SleepsWhileItWaits) {
  lesson("Waiting with a deadline");
  did("called join_for(100 ms) on a child that runs on, and counted the calls");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  const Faults watching;
  child.join_for(100ms);
  int calls = 0;
  for (const std::string_view name : kWaits) {
    calls += watching.count(name);
  }
  expect(calls <= 20, "a few system calls that wait: 20 at most", std::to_string(calls));
}

TEST(Join, StoppedIsNotEnded) {
  lesson("How it ended");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  did("stopped a child (SIGSTOP) and asked for it");
  kid.signal(SIGSTOP);
  kid.wait_until_stopped();
  {
    const NoWaiting watch(kid);
    expect_eq("join_for(0 s)", child.join_for(0s), false);
    expect_eq("exitcode()", child.exitcode(), std::optional<int>());
  }
  did("let it go on (SIGCONT) and asked again");
  kid.signal(SIGCONT);
  expect_eq("exitcode()", child.exitcode(), std::optional<int>());
  did("let it end, and joined it");
  gate.open();
  child.join();
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
}

// ---- signals in the middle of it

TEST(Join, InterruptedWaitGoesOn) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  did("interrupted join() three times");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  {
    Faults faults;
    faults.fail("poll", EINTR, 3);
    faults.fail("ppoll", EINTR, 3);
    int waits = 0;
    int calls = 0;
    before_waits(faults, [&](const Call& call) {
      waits += patience(call) > 0 ? 1 : 0;
      const bool interrupted = waits < 4 && call.name.ends_with("poll");
      if (patience(call) > 0 ? !interrupted : ++calls == kTooMany) {
        gate.open();
      }
    });
    child.join();
  }
  expect(!kid.is_running(), "join() to wait on until the child had ended",
         "it returned, and the child runs");
}

Gate* ticking = nullptr;
std::atomic<int> ticks = 0;

void tick(int /*signum*/) {
  if (++ticks == 10) {
    const int error = errno;
    ticking->open();
    errno = error;
  }
}

/// SIGALRM each millisecond, to a handler that does not restart what it interrupts; opens the gate
/// at the tenth.
class Ticking {
 public:
  explicit Ticking(Gate& gate) {
    ticking = &gate;
    ticks = 0;
    struct sigaction action {};
    action.sa_handler = tick;
    must(sigaction(SIGALRM, &action, &before_), "sigaction");
    const itimerval every{{0, 1000}, {0, 1000}};
    must(setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  }
  ~Ticking() {
    const itimerval none{};
    setitimer(ITIMER_REAL, &none, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Ticking(const Ticking&) = delete;
  Ticking& operator=(const Ticking&) = delete;

 private:
  struct sigaction before_ {};
};

TEST(Join, SignalsDoNotEndIt) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  did("called join(), and had a signal handler run each millisecond meanwhile");
  Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  {
    const Ticking ticking_on(gate);
    child.join();
  }
  expect(!kid.is_running(), "join() to wait on until the child had ended",
         "it returned, and the child runs");
}

TEST(Join, InterruptedWaitKeepsItsDeadline) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  did("called join_for(1 h), and had a signal interrupt it after two hours");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  Faults faults;
  faults.fail("poll", EINTR, 2);
  faults.fail("ppoll", EINTR, 2);
  int calls = 0;
  bool started_over = false;
  before_waits(faults, [&](const Call& call) {
    if (patience(call) > 0 && ++calls == 1) {
      faults.advance_clock(2h);
    } else if (patience(call) > 60) {
      started_over = true;
      kid.signal(SIGKILL);  // or this test would take that hour
    }
  });
  const bool ended = child.join_for(1h);
  expect(!started_over, "no more waiting: there was no time left",
         "the wait started over with its full hour");
  expect_eq("join_for(1 h)", ended, false);
}

// ---- whose child it is

TEST(Join, OtherChildrenAreLeftAlone) {
  lesson("Zombies");
  did("asked for one child while another one had ended");
  const Kid other(exits_with(9));
  other.wait_for_end();
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  {
    const NoWaiting watch(kid);
    expect_eq("exitcode() of the one that runs", child.exitcode(), std::optional<int>());
    expect_eq("join_for(0 s) of it", child.join_for(0s), false);
  }
  did("let it end and joined it, while the other one had ended, too");
  gate.open();
  child.join();
  expect_eq("its exitcode()", child.exitcode(), std::optional(7));
  expect(other.is_ours(), "the other one's status to be there for whoever waits for that child",
         "it has been taken");
}

TEST(Join, StatusTakenBySomebodyElse) {
  lesson("Zombies");
  did("joined a child that other code of the program had waited for");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  (void)kid.take();
  child.join();
  expect_eq("join_for(0 s)", child.join_for(0s), true);
  expect(child.exitcode() == kExitUnknown,
         "exitcode() to be kExitUnknown: it has ended, and that"
         " is all there is to know",
         words(child.exitcode()));
  did("asked a child that other code of the program had waited for, without join()");
  const Kid second(exits_with(7));
  Child asked(second.pid());
  (void)second.take();
  expect(asked.exitcode() == kExitUnknown, "exitcode() to be kExitUnknown",
         words(asked.exitcode()));
  expect_eq("join_for(0 s) after that", asked.join_for(0s), true);
}

TEST(Join, StatusTakenDuringTheWait) {
  lesson("Who belongs to whom");
  did("had other code wait for the child while join() was waiting");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  kid.wait_for_end();
  {
    Faults faults;
    before_waits(faults, [&](const Call&) { (void)kid.take(); });
    child.join();
  }
  expect(child.exitcode() == kExitUnknown, "exitcode() to be kExitUnknown",
         words(child.exitcode()));
}

TEST(Join, SigchldIgnored) {
  lesson("Who belongs to whom");
  did("ignored SIGCHLD, so that the kernel keeps no status, and joined a child");
  const ChildResult result = run_in_child(
      [] {
        signal(SIGCHLD, SIG_IGN);
        const Gate gate;
        const Kid kid([&gate] {
          gate.pass();
          return 7;
        });
        Child child(kid.pid());
        if (child.exitcode()) {
          throw std::runtime_error("exitcode() of the running child is not none");
        }
        gate.open();
        child.join();
        if (child.exitcode() != kExitUnknown) {
          throw std::runtime_error("exitcode() is " + words(child.exitcode()));
        }
      },
      1500ms);
  detail::not_written_yet(std::runtime_error(result.threw));
  expect(!result.timed_out, "join() to return when the child is gone", "it waits for ever");
  expect(result.threw.empty() || result.timed_out, "exitcode() to be kExitUnknown", result.threw);
}

void expect_strangers_refused(Child& child) {
  const auto refused = [](const char* what, const std::string& seen) {
    expect(seen.empty(), std::string(what) + " to throw std::logic_error there", seen);
  };
  refused("join()", as_stranger([&] { child.join(); }));
  refused("join_for(0 s)", as_stranger([&] { child.join_for(0s); }));
  refused("exitcode()", as_stranger([&] { (void)child.exitcode(); }));
  refused("sentinel()", as_stranger([&] { (void)child.sentinel(); }));
}

TEST(Join, BelongsToItsCreator) {
  lesson("Who belongs to whom");
  did("used a running child's Child in another process");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  expect_strangers_refused(child);
  did("used a joined child's Child in another process");
  gate.open();
  child.join();
  expect_strangers_refused(child);
}

TEST(Join, CopyInAnotherProcessMayBeDestroyed) {
  lesson("Who belongs to whom");
  did("destroyed the copies of two Child objects in a forked process");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  auto child = std::make_unique<Child>(kid.pid());
  const int sentinel = child->sentinel();
  const Kid ended(exits_with(9));
  auto joined = std::make_unique<Child>(ended.pid());
  joined->join();
  const ChildResult result = run_in_child(
      [&] {
        child.reset();
        joined.reset();
      },
      1s);
  expect(!result.timed_out, "the copies to go at once", "a wait in the destructor");
  expect(result.exitcode == 0, "no harm there", result.threw);
  expect(kid.is_running(), "the child to run on", "it has ended");
  expect(is_open(sentinel), "the creator's descriptor to be open", "it is closed");
  gate.open();
  child->join();
  expect_eq("exitcode() in the creator", child->exitcode(), std::optional(7));
}

// ---- many threads

/// Two threads at one child that has ended. The host asks; at one of its system calls it is held
/// up, and the guest asks from first to last.
struct Meeting {
  std::optional<int> host;
  std::optional<int> guest;
  std::string trouble;   ///< what either of them threw
  std::string closed;    ///< a call of the host with a descriptor that was closed by then
  std::string recycled;  ///< a call of the host with the number of a process that was gone by then
};

class Visit {
 public:
  /// @param nth  before (even) or after (odd) which of its calls the host is held up.
  Visit(const Kid& kid, int nth, std::function<void()> guest)
      : kid_(kid), nth_(nth), guest_(std::move(guest)) {
    for (const std::string_view name : kWaits) {
      faults_.before(name, [this](const Call& call) {
        step();
        inspect(call);
      });
      faults_.after(name, [this](const Call&) { step(); });
    }
    // Use's constructor asks for the number of the process, and counts its caller in after that.
    faults_.before(kGetpid, [this](const Call&) { step(); });
    faults_.after(kGetpid, [this](const Call&) { step(); });
  }
  /// Whether the host made that many calls.
  [[nodiscard]] bool came() const { return steps_ > nth_; }
  void finish() { thread_.finish(); }
  [[nodiscard]] std::string closed() const { return closed_; }
  [[nodiscard]] std::string recycled() const { return recycled_; }

 private:
  void step() {
    if (std::this_thread::get_id() != host_ || steps_++ != nth_) {
      return;
    }
    thread_.act(guest_);
  }

  void inspect(const Call& call) {
    if (std::this_thread::get_id() != host_) {
      return;
    }
    int fd = -1;
    if (call.name == "poll" || call.name == "ppoll") {
      const auto* fds = pointer<pollfd>(call.args[0]);
      fd = call.args[1] > 0 ? fds[0].fd : -1;
      if (call.args[1] == 0 || is_open(fd)) {
        return;
      }
    } else if (call.name == "waitid" && call.args[0] == kPidfd) {
      fd = static_cast<int>(call.args[1]);
      if (is_open(fd)) {
        return;
      }
    } else {
      const long number = call.name == "waitid" ? call.args[1] : call.args[0];
      if (number == kid_.pid() && !kid_.is_ours()) {
        recycled_ = std::string(call.name) + " for process number " + std::to_string(number) +
                    ", which by then may be another child's";
      }
      return;
    }
    closed_ = std::string(call.name) + " with descriptor " + std::to_string(fd) +
              (fd == -1 ? ": the other thread had closed the pidfd"
                        : ", which the other thread had closed");
    if (fd == -1 && call.name.ends_with("poll")) {
      throw std::runtime_error(closed_);  // that poll would wait for ever
    }
  }

  const Kid& kid_;
  const int nth_;
  const std::function<void()> guest_;
  const std::thread::id host_ = std::this_thread::get_id();
  int steps_ = 0;
  std::string closed_;
  std::string recycled_;
  Faults faults_;
  Bystander thread_;
};

std::optional<int> ask(Child& child, bool join_first, std::string& trouble) {
  try {
    if (join_first) {
      child.join();
    }
    return child.exitcode();
  } catch (const std::exception& error) {
    trouble = error.what();
    return std::nullopt;
  }
}

/// Every meeting that there can be: at each system call of the host, before it and after it.
std::vector<Meeting> all_meetings() {
  std::vector<Meeting> meetings;
  for (const bool host_joins : {true, false}) {
    for (int nth = 0; nth < 40; ++nth) {
      const Kid kid(exits_with(7));
      Child child(kid.pid());
      kid.wait_for_end();
      Meeting meeting;
      std::string guests_trouble;
      {
        Visit visit(kid, nth, [&] { meeting.guest = ask(child, nth % 4 < 2, guests_trouble); });
        meeting.host = ask(child, host_joins, meeting.trouble);
        visit.finish();
        if (!visit.came()) {
          break;
        }
        meeting.closed = visit.closed();
        meeting.recycled = visit.recycled();
      }
      meeting.trouble += guests_trouble;
      meetings.push_back(meeting);
    }
  }
  return meetings;
}

TEST(Join, ConcurrentJoinersAllKnow) {
  lesson("Many threads, one status");
  did("had two threads ask for one child, one held up at each of its system calls in turn");
  const std::vector<Meeting> meetings = all_meetings();
  expect(!meetings.empty(), "at least one system call", "none");
  for (const Meeting& meeting : meetings) {
    const bool fine =
        expect(meeting.trouble.empty(),
               "no exception: a caller is counted in (Use), then asks ended()", meeting.trouble) &&
        expect_eq("exitcode() in the thread that was held up", meeting.host, std::optional(7)) &&
        expect_eq("exitcode() in the thread that came between", meeting.guest, std::optional(7));
    if (!fine) {
      return;
    }
  }
}

TEST(Join, DescriptorStaysOpenWhileInUse) {
  lesson("Many threads, one status");
  did("had one thread join while another was about to use the pidfd");
  for (const Meeting& meeting : all_meetings()) {
    if (!expect(meeting.closed.empty(),
                "each caller to be counted in (Use), then to ask ended(): so the last who uses the "
                "descriptor closes it",
                meeting.closed)) {
      return;
    }
  }
}

TEST(Join, NumberIsNotUsedAfterTheEnd) {
  lesson("Many threads, one status");
  did("had one thread join while another was about to wait");
  for (const Meeting& meeting : all_meetings()) {
    if (!expect(meeting.recycled.empty(), "waits for the pidfd, which never means another process",
                meeting.recycled)) {
      return;
    }
  }
}

TEST(Join, ManyThreadsGetOneAnswer) {
  lesson("Many threads, one status");
  did("had eight threads join one child, twenty times over");
  const std::size_t descriptors = count_descriptors();
  for (int round = 0; round < 20; ++round) {
    const Gate gate;
    const Kid kid([&gate] {
      gate.pass();
      return 7;
    });
    Child child(kid.pid());
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        try {
          if (i % 4 == 3) {
            while (!child.join_for(1ms)) {
            }
          } else {
            child.join();
          }
          right += child.exitcode() == 7 ? 1 : 0;
        } catch (const std::exception&) {  // then it is not right
        }
      });
    }
    gate.open();
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (!expect_eq("the number of threads that know exit code 7", right.load(), 8)) {
      break;
    }
  }
  expect_eq("the number of open descriptors afterwards", count_descriptors(), descriptors);
}

// ---- the sentinel

TEST(Join, SentinelTellsTheEnd) {
  lesson("Waiting with a deadline");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  did("polled the sentinel of a running child");
  const int sentinel = child.sentinel();
  expect(is_open(sentinel), "an open descriptor", std::to_string(sentinel));
  expect(!readable(sentinel), "not readable", "readable");
  did("polled the sentinel of a child that has ended");
  gate.open();
  kid.wait_for_end();
  expect(readable(sentinel), "readable", "not readable, or closed");
}

TEST(Join, SentinelStaysAfterJoin) {
  lesson("Waiting with a deadline");
  did("asked for the sentinel of a running child, joined the child, polled the sentinel");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  const int sentinel = child.sentinel();
  gate.open();
  child.join();
  expect(is_open(sentinel), "the descriptor to be open for as long as the object lives",
         "it is closed, and the number may be another file's");
  expect(readable(sentinel), "readable", "not readable");
  did("asked for the sentinel again");
  expect(readable(child.sentinel()), "readable", "not readable");
}

TEST(Join, SentinelAmongJoiners) {
  lesson("Many threads, one status");
  did("asked for the sentinel while another thread joined the child, at each system call in turn");
  bool came = true;
  for (int nth = 0; came && nth < 40; ++nth) {
    const Kid kid(exits_with(7));
    Child child(kid.pid());
    kid.wait_for_end();
    int sentinel = -1;
    std::string trouble;
    {
      Visit visit(kid, nth, [&] { (void)ask(child, true, trouble); });
      sentinel = child.sentinel();
      visit.finish();
      came = visit.came();
    }
    if (!expect(trouble.empty(), "no exception in the thread that joins", trouble) ||
        !expect(readable(sentinel),
                "the caller to be counted in (Use), then to ask ended(); a descriptor that is open "
                "and readable",
                "descriptor " + std::to_string(sentinel) +
                    (is_open(sentinel) ? ", not readable" : ", which is not open"))) {
      return;
    }
  }
}

TEST(Join, SentinelOfAJoinedChild) {
  lesson("Waiting with a deadline");
  const std::size_t descriptors = count_descriptors();
  {
    const Kid kid(exits_with(7));
    Child child(kid.pid());
    child.join();
    for (int i = 0; i < 3; ++i) {
      did("asked for the sentinel of a child that has been joined");
      const int sentinel = child.sentinel();
      expect(readable(sentinel), "an open descriptor that is readable",
             is_open(sentinel) ? "one that is not readable" : std::to_string(sentinel));
    }
  }
  did("asked three times for the sentinel of a joined child, and destroyed the Child");
  expect_eq("the number of open descriptors", count_descriptors(), descriptors);
}

TEST(Join, SentinelWithoutStatus) {
  lesson("Who belongs to whom");
  did("asked for the sentinel of a child that other code has waited for");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  (void)kid.take();
  expect(readable(child.sentinel()), "readable: the child has ended", "not readable");
  child.join();
  expect(readable(child.sentinel()), "readable after join(), too", "not readable");
}

TEST(Join, ExitcodeIsThereWhenTheSentinelFires) {
  lesson("Waiting with a deadline");
  did("asked for the exit code as soon as the sentinel was readable, 30 times");
  for (int i = 0; i < 30; ++i) {
    const Kid kid(exits_with(7));
    Child child(kid.pid());
    pollfd end{child.sentinel(), POLLIN, 0};
    must(poll(&end, 1, -1), "poll");
    if (!expect_eq("exitcode()", child.exitcode(), std::optional(7))) {
      return;
    }
  }
}

TEST(Join, HeirsDoNotDelayTheEnd) {
  lesson("Waiting with a deadline");
  did("joined a child whose own child lives on with copies of all its descriptors");
  const ChildResult result = run_in_child([] {
    const Kid kid([] {
      if (fork() == 0) {
        alarm(Kid::kLifetime);
        for (;;) {
          pause();
        }
      }
      return 7;
    });
    Child child(kid.pid());
    const int sentinel = child.sentinel();
    kid.wait_for_end();
    if (!readable(sentinel)) {
      throw std::runtime_error("the sentinel is not readable");
    }
    if (!child.join_for(1s) || child.exitcode() != 7) {
      throw std::runtime_error("exitcode() is " + words(child.exitcode()));
    }
  });
  detail::not_written_yet(std::runtime_error(result.threw));
  expect(!result.timed_out && result.threw.empty(), "the end of the child, not of its children",
         result.timed_out ? "join() hangs" : result.threw);
}

TEST(Join, ExecIsNotTheEnd) {
  lesson("Waiting with a deadline");
  did("had the child become another program, which closes what is close-on-exec");
  const Gate gate;
  const Gate ready;
  const Kid kid([&] {
    dup2(gate.entrance(), STDIN_FILENO);
    dup2(ready.exit(), STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", "echo; read line; exit 7", nullptr);
    ready.open();
    return 126;
  });
  Child child(kid.pid());
  const int sentinel = child.sentinel();
  ready.pass();
  expect(!readable(sentinel), "the sentinel not to be readable: the child lives", "it is readable");
  {
    const NoWaiting watch(kid);
    expect_eq("join_for(0 s)", child.join_for(0s), false);
    expect_eq("exitcode()", child.exitcode(), std::optional<int>());
  }
  gate.open();
  child.join();
  expect_eq("exitcode() after its end", child.exitcode(), std::optional(7));
}

// ---- descriptors

TEST(Join, FinishedChildrenHoldNoDescriptor) {
  lesson("Zombies");
  did("joined 50 children, and asked 50 more for their exit codes, and kept all the objects");
  std::vector<std::unique_ptr<Kid>> kids;
  for (int i = 0; i < 100; ++i) {
    kids.push_back(std::make_unique<Kid>(exits_with(7)));
  }
  const std::size_t before = count_descriptors();
  std::vector<std::unique_ptr<Child>> children;
  children.reserve(kids.size());
  for (const auto& kid : kids) {
    kid->wait_for_end();
    children.push_back(std::make_unique<Child>(kid->pid()));
    if (children.size() % 2 == 0) {
      children.back()->join();
    } else {
      (void)children.back()->exitcode();
    }
  }
  expect_eq("the number of descriptors more than before", count_descriptors() - before, 0U);
}

TEST(Join, DestructorClosesAndDoesNotWait) {
  lesson("Who belongs to whom");
  did("destroyed the Child objects of a child that runs");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  const std::size_t before = count_descriptors();
  {
    const NoWaiting watch(kid);
    {
      const Child plain(kid.pid());
      Child with_sentinel(kid.pid());
      (void)with_sentinel.sentinel();
    }
    expect(!watch.waited(), "no wait", "a wait for the child's end");
  }
  expect_eq("the number of descriptors more than before", count_descriptors() - before, 0U);
  did("let the child end after that");
  gate.open();
  kid.wait_for_end();
  expect_eq("its exit code", kid.take(), std::optional(7));
}

TEST(Join, ClosesNothingTwice) {
  lesson("Many threads, one status");
  did("took three Child objects through their lives, and looked at each close(2)");
  std::string wrong;
  Faults faults;
  faults.before("close", [&](const Call& call) {
    if (!is_open(static_cast<int>(call.args[0]))) {
      wrong = "close(" + std::to_string(call.args[0]) +
              ") of what is not open: another thread may just have got that number";
    }
  });
  const Kid kid(exits_with(7));
  {
    Child joined(kid.pid());
    joined.join();
  }
  const Kid second(exits_with(7));
  {
    Child kept(second.pid());
    (void)kept.sentinel();
    kept.join();
  }
  const Kid third(exits_with(7));
  {
    Child late(third.pid());
    late.join();
    (void)late.sentinel();
  }
  expect(wrong.empty(), "each descriptor to be closed once", wrong);
}

TEST(Join, DescriptorsAreClosedOnExec) {
  lesson("Waiting with a deadline");
  const auto is_closed_on_exec = [](int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; };
  did("asked for the sentinel of a running child");
  const Kid kid(waits_for_ever());
  Child running(kid.pid());
  expect(is_closed_on_exec(running.sentinel()), "FD_CLOEXEC on it",
         "other programs that this one executes would inherit it");
  did("asked for the sentinel of a joined child");
  const Kid other(exits_with(7));
  Child joined(other.pid());
  joined.join();
  expect(is_closed_on_exec(joined.sentinel()), "FD_CLOEXEC on it",
         "other programs that this one executes would inherit it");
}

// ---- when calls fail

TEST(Join, NoPidfdToBeHad) {
  lesson_in("00-syscalls", "How a call fails: errno");
  did("made a Child with no descriptor left (EMFILE)");
  const Kid kid(waits_for_ever());
  std::string text;
  int code = 0;
  {
    Faults faults;
    faults.fail("pidfd_open", EMFILE, 1000);
    text = expect_throw<std::system_error>("std::system_error", [&] {
      try {
        const Child child(kid.pid());
      } catch (const std::system_error& error) {
        code = error.code().value();
        throw;
      }
    });
  }
  expect_eq("the code of the exception", code, EMFILE);
  expect(text.find("pidfd_open") != std::string::npos, "a text that names pidfd_open", text);
  expect(kid.is_running(), "the child to run on: it is still the caller's", "it has ended");
  did("made a Child for the same child, now that there are descriptors again");
  Child child(kid.pid());
  const NoWaiting watch(kid);
  expect_eq("exitcode()", child.exitcode(), std::optional<int>());
}

TEST(Join, FailingWaitsAreReported) {
  lesson_in("00-syscalls", "How a call fails: errno");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  kid.wait_for_end();
  {
    Faults faults;
    for (const char* name : {"waitid", "waitpid", "wait4"}) {
      faults.fail(name, EPERM, 1000);
    }
    did("called exitcode() where waiting is forbidden (EPERM)");
    expect_throw<std::system_error>("std::system_error", [&] { (void)child.exitcode(); });
    did("called join() where waiting is forbidden (EPERM)");
    expect_throw<std::system_error>("std::system_error", [&] { child.join(); });
  }
  did("called exitcode() when waiting was allowed again");
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
}

TEST(Join, FailingPollIsReported) {
  lesson_in("00-syscalls", "How a call fails: errno");
  did("called join_for(1 h), and had poll fail with ENOMEM");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  Faults faults;
  faults.fail("poll", ENOMEM, 1000);
  faults.fail("ppoll", ENOMEM, 1000);
  expect_throw<std::system_error>("std::system_error", [&] { child.join_for(1h); });
}

TEST(Join, NoSentinelToBeHad) {
  lesson_in("00-syscalls", "How a call fails: errno");
  did("asked for a joined child's sentinel with no descriptor left (EMFILE)");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  child.join();
  {
    Faults faults;
    faults.fail("eventfd", EMFILE);
    expect_throw<std::system_error>("std::system_error", [&] { (void)child.sentinel(); });
  }
  did("asked for it again, now that there are descriptors");
  expect(readable(child.sentinel()), "readable", "not readable");
}

}  // namespace
}  // namespace mp::test
