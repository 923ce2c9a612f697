#include "01-process/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "00-syscalls/error_number.hpp"
#include "00-syscalls/errors.hpp"
#include "01-process/spawn.hpp"
#include "01-process/stage.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;
using Flag = Shared<std::atomic<int>>;

constexpr std::optional<pid_t> kNoPid;
constexpr std::optional<int> kNoExitcode;

// ---- A copy of everything

TEST(Process, ConstructingStartsNothing) {
  lesson("A copy of everything");
  did("made a Process object, and did not start it");
  const Flag runs;
  const Faults watching;
  {
    Process process([&runs] { ++*runs; });
    expect_eq("pid()", process.pid(), kNoPid);
    expect_eq("exitcode()", process.exitcode(), kNoExitcode);
    expect_eq("is_alive()", process.is_alive(), false);
  }
  expect_eq("the number of forks", watching.count("fork"), 0);
  expect_eq("how often its function ran", runs->load(), 0);
}

TEST(Process, FunctionRunsInAProcessOfItsOwn) {
  lesson("A copy of everything");
  did("started and joined a Process whose function notes where it runs");
  const Sweeper sweeper;
  const Flag self;
  const Flag parent;
  Process process([&] {
    *self = getpid();
    *parent = getppid();
  });
  process.start();
  const std::optional<pid_t> pid = process.pid();
  process.join();
  expect_eq("the process that ran it", self->load(), pid.value_or(-1));
  expect_eq("the parent of that", parent->load(), getpid());
  expect_eq("exitcode()", process.exitcode(), std::optional(0));
}

TEST(Process, ChangesOfTheChildAreNotSeen) {
  lesson("A copy of everything");
  did("started a Process that changes a variable of its creator, and joined it");
  const Sweeper sweeper;
  const Flag seen_by_child;
  int number = 1;
  Process process([&] {
    number += 1;
    *seen_by_child = number;
  });
  process.start();
  process.join();
  expect_eq("the number in the child", seen_by_child->load(), 2);
  expect_eq("the number in the parent", number, 1);
}

TEST(Process, ArgumentsAreItsOwn) {
  lesson("A copy of everything");
  did("made a Process with arguments, changed the original, and started it");
  const Sweeper sweeper;
  const Flag copied;
  const Flag moved;
  int number = 1;
  Process process(
      [&](int n, const std::unique_ptr<int>& pointer) {
        *copied = n;
        *moved = *pointer;
      },
      number, std::make_unique<int>(7));
  number = 2;
  process.start();
  process.join();
  expect_eq("the original", number, 2);
  expect_eq("the argument that was copied", copied->load(), 1);
  expect_eq("the argument that was moved", moved->load(), 7);
}

TEST(Process, FunctionIsTheChildsFromStartOn) {
  lesson("A copy of everything");
  did("moved something into a Process, and started it");
  const Sweeper sweeper;
  const Flag seen_by_child;
  auto something = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = something;
  Process process([&](const std::shared_ptr<int>& mine) { *seen_by_child = *mine; },
                  std::move(something));
  expect(!watched.expired(), "it to be there before start()", "it is gone");
  process.start();
  expect(watched.expired(), "the parent's copy of it to be gone after start()",
         "it is still there");
  process.join();
  expect_eq("what the child saw of it", seen_by_child->load(), 7);
}

// ---- Leaving, and how it ended

TEST(Process, ReturnValueIsDropped) {
  lesson("Leaving: _exit, not exit");
  did("started and joined a Process whose function returns 7");
  const Sweeper sweeper;
  Process process([] { return 7; });
  process.start();
  process.join();
  expect_eq("exitcode()", process.exitcode(), std::optional(0));
}

TEST(Process, ExitcodeSaysHowItEnded) {
  lesson("How it ended");
  did("started Processes that sys_exit(7), throw, and kill themselves");
  const Sweeper sweeper;
  const ChildResult child = run_in_child([] {
    const auto check = [](const char* ending, int expected, auto body) {
      Process process(body);
      process.start();
      process.join();
      require(process.exitcode() == expected,
              std::string("exitcode() after ") + ending + " is " + words(process.exitcode()));
    };
    check("sys_exit(7)", 7, [] { sys_exit(7); });
    check("an exception", 1, [] { throw std::runtime_error("on purpose"); });
    check("SIGKILL", -SIGKILL, [] { raise(SIGKILL); });
  });
  expect_well(child, "the exit codes 7, 1 and -9");
}

TEST(Process, ExitcodeIsNoneWhileItRuns) {
  lesson("How it ended");
  did("asked for exitcode() before the end, and after it, without a join");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  expect_eq("exitcode() while it runs", process.exitcode(), kNoExitcode);
  latch.open();
  const pid_t pid = process.pid().value_or(-1);
  expect(ends(pid), "the child to end", "it runs on");
  expect_eq("exitcode() after the end", process.exitcode(), std::optional(0));
  expect_eq("the child afterwards", state_of(pid), "gone");
}

TEST(Process, LastWordsBearItsName) {
  lesson("A child that comes back");
  did("started a Process with the name \"writer\" whose function throws");
  const ChildResult child = run_in_child([] {
    Process process({.name = "writer"}, [] { throw std::runtime_error("disk full"); });
    process.start();
    process.join();
  });
  expect_well(child, "the parent to go on undisturbed");
  expect_eq("stderr", child.err, "Process writer: disk full\n");
}

// ---- Waiting

TEST(Process, JoinWaitsForTheEnd) {
  lesson("Waiting with a deadline");
  did("joined a child that runs until somebody waits for it, three times");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  {
    Faults faults;
    open_at_wait(faults, latch);
    process.join();
  }
  expect_eq("exitcode()", process.exitcode(), std::optional(0));
  expect_eq("the child afterwards", state_of(process.pid().value_or(-1)), "gone");
  process.join();
  process.join();
  expect_eq("exitcode() later", process.exitcode(), std::optional(0));
}

TEST(Process, JoinForSaysWhetherItHasEnded) {
  lesson("Waiting with a deadline");
  did("joined a running child for no time, for -1 s, and for 10 ms; then one that may end");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  {
    Faults faults;
    open_at_wait(faults, latch);  // neither may wait
    expect_eq("join_for(0 s)", process.join_for(0s), false);
    expect_eq("join_for(-1 s)", process.join_for(-1s), false);
  }
  expect_eq("join_for(10 ms)", process.join_for(10ms), false);
  latch.open();
  expect_eq("join_for(10 s)", process.join_for(10s), true);
  expect_eq("join_for(0 s) after the end", process.join_for(0s), true);
}

TEST(Process, AliveFromStartToEnd) {
  lesson("Zombies");
  did("asked is_alive() while the child runs, and after its end, without a join");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  expect_eq("is_alive() while it runs", process.is_alive(), true);
  latch.open();
  const pid_t pid = process.pid().value_or(-1);
  expect(ends(pid), "the child to end", "it runs on");
  expect_eq("is_alive() after the end", process.is_alive(), false);
  expect_eq("the child afterwards", state_of(pid), "gone");
}

TEST(Process, AnyNumberOfThreadsMayJoin) {
  lesson("Many threads, one status");
  did("joined one child from four threads");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] {
    latch.wait();
    sys_exit(5);
  });
  const OpensAtEnd opener(latch);
  process.start();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        process.join();
        right += process.exitcode() == 5 ? 1 : 0;
      } catch (const std::exception&) {  // the count says it
      }
    });
  }
  latch.open();
  for (std::thread& thread : threads) {
    thread.join();
  }
  expect_eq("the number of threads that saw exit code 5", right.load(), 4);
}

TEST(Process, SentinelIsReadableAfterTheEnd) {
  lesson("Waiting with a deadline");
  did("polled the sentinel before and after the child's end");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  pollfd item{process.sentinel(), POLLIN, 0};
  expect_eq("poll() while it runs", poll(&item, 1, 0), 0);
  latch.open();
  expect_eq("poll() for the end", poll(&item, 1, 2000), 1);
  process.join();
  process.close();
}

// ---- Misuse

TEST(Process, StartsOnlyOnce) {
  lesson("Who belongs to whom");
  did("called start() while the child ran, and again after its end");
  const Sweeper sweeper;
  const Latch latch;
  const Flag runs;
  Process process([&] {
    ++*runs;
    latch.wait();
  });
  const OpensAtEnd opener(latch);
  process.start();
  expect_throw<std::logic_error>("std::logic_error", [&] { process.start(); });
  latch.open();
  process.join();
  expect_throw<std::logic_error>("std::logic_error", [&] { process.start(); });
  expect_eq("how often the function ran", runs->load(), 1);
}

TEST(Process, NothingToJoinBeforeStart) {
  lesson("Who belongs to whom");
  did("called join() before start()");
  Process process([] {});
  expect_throw<std::logic_error>("std::logic_error", [&] { process.join(); });
  did("called join_for(0 s) before start()");
  expect_throw<std::logic_error>("std::logic_error", [&] { process.join_for(0s); });
}

TEST(Process, NothingToSignalBeforeStart) {
  lesson("Signals, and whose number it is");
  did("called terminate() before start()");
  Process process([] {});
  expect_throw<std::logic_error>("std::logic_error", [&] { process.terminate(); });
  did("called kill() before start()");
  expect_throw<std::logic_error>("std::logic_error", [&] { process.kill(); });
}

TEST(Process, NoSentinelBeforeStart) {
  lesson("Waiting with a deadline");
  did("called sentinel() before start()");
  Process process([] {});
  expect_throw<ValueError>("mp::ValueError", [&] { process.sentinel(); });
}

// ---- Signals

TEST(Process, TerminateIsSigtermAndKillIsSigkill) {
  lesson("Signals, and whose number it is");
  did("ended one child by terminate() and one by kill(), and did it again after the end");
  const Sweeper sweeper;
  const Latch latch;
  Process first([&latch] { latch.wait(); });
  Process second([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  first.start();
  second.start();
  first.terminate();
  second.kill();
  first.join();
  second.join();
  first.terminate();
  second.kill();
  expect_eq("exitcode() after terminate()", first.exitcode(), std::optional(-SIGTERM));
  expect_eq("exitcode() after kill()", second.exitcode(), std::optional(-SIGKILL));
}

// ---- Close

TEST(Process, CloseIsRefusedWhileItRuns) {
  lesson("Who belongs to whom");
  did("called close() while the child ran");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  {
    Faults faults;
    open_at_wait(faults, latch);  // whoever waits in close() does so in vain
    expect_throw<ValueError>("mp::ValueError", [&] { process.close(); });
  }
  expect_eq("is_alive() afterwards", process.is_alive(), true);
  latch.open();
  process.join();
  process.close();
}

TEST(Process, CloseMayBeRepeated) {
  lesson("Who belongs to whom");
  const Sweeper sweeper;
  Process process([] {});
  process.start();
  process.join();
  did("called close() on a Process that has ended");
  process.close();
  did("called close() on the same Process again");
  process.close();
  Process unstarted([] {});
  did("called close() on a Process that was never started");
  unstarted.close();
  did("called close() on the same Process again");
  unstarted.close();
  did("called start() on it then");
  expect_throw<ValueError>("mp::ValueError", [&] { unstarted.start(); });
}

TEST(Process, ClosedOneRefusesEverything) {
  lesson("Who belongs to whom");
  const Sweeper sweeper;
  Process process({.name = "done"}, [] {});
  process.start();
  process.join();
  process.close();
  const auto refuses = [](const char* call, auto action) {
    did(std::string("called ") + call + " on a closed Process");
    expect_throw<ValueError>("mp::ValueError", action);
  };
  refuses("start()", [&] { process.start(); });
  refuses("join()", [&] { process.join(); });
  refuses("join_for(0 s)", [&] { process.join_for(0s); });
  refuses("is_alive()", [&] { process.is_alive(); });
  refuses("exitcode()", [&] { (void)process.exitcode(); });
  refuses("terminate()", [&] { process.terminate(); });
  refuses("kill()", [&] { process.kill(); });
  refuses("sentinel()", [&] { process.sentinel(); });
  refuses("pid()", [&] { (void)process.pid(); });
  expect_eq("name()", process.name(), "done");
}

TEST(Process, CloseFreesTheSentinel) {
  lesson("Waiting with a deadline");
  did("asked for the sentinel, joined the child, and closed the Process");
  const Sweeper sweeper;
  Process process([] {});
  process.start();
  const int fd = process.sentinel();
  process.join();
  expect(fcntl(fd, F_GETFD) != -1, "the sentinel to be open until close()", "closed after join()");
  process.close();
  expect(fcntl(fd, F_GETFD) == -1, "the sentinel to be closed by close()",
         "still open: who else holds the child? (active_children() lets go of who has ended)");
}

// ---- The destructor

TEST(Process, DestructorJoins) {
  lesson("Zombies");
  did("destroyed a Process whose child runs until somebody waits for it");
  const Sweeper sweeper;
  const Latch latch;
  pid_t pid = -1;
  {
    Faults faults;
    Process process([&latch] { latch.wait(); });
    process.start();
    pid = process.pid().value_or(-1);
    open_at_wait(faults, latch);
  }
  expect_eq("the child afterwards", state_of(pid), "gone");
  latch.open();
}

TEST(Process, DestructorLeavesADaemonAlone) {
  lesson("Who belongs to whom");
  did("destroyed the Process of a running daemon, and left the family");
  const Sweeper sweeper;
  const Latch latch;
  const Flag waited_for;
  Faults faults;
  open_at_wait(faults, latch);
  pid_t pid = -1;
  {
    Process process({.daemon = true}, [&] {
      latch.wait();
      *waited_for = 1;
    });
    process.start();
    pid = process.pid().value_or(-1);
  }
  expect_eq("the number of signals from the destructor", count_signals(faults), 0);
  expect_eq("the daemon after the destructor", state_of(pid), "running");
  leave_family();
  expect_eq("the daemon after leave_family()", state_of(pid), "gone");
  expect(*waited_for == 0, "leave_family() to terminate the daemon",
         "a wait for a daemon that nobody had told to end");
}

TEST(Process, DestructorInAForkedChildDoesNothing) {
  lesson("Who belongs to whom");
  did("started a child, forked, and destroyed the Process in the other process");
  const Sweeper sweeper;
  const Latch latch;
  auto process = std::make_unique<Process>([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process->start();
  const ChildResult child = run_in_child([&process] { process.reset(); }, kLimit);
  expect_well(child, "the destructor to do nothing in a process that is not the creator");
  expect_eq("is_alive() in the creator", process->is_alive(), true);
  latch.open();
  process->join();
}

TEST(Process, DestructorOfAnUnstartedOneDoesNothing) {
  lesson("Who belongs to whom");
  did("destroyed a Process that was never started");
  const ChildResult child = run_in_child(
      [] {
        const Process process([] {});
        require(process.pid() == kNoPid, "pid() is " + words(process.pid()) + " before start()");
      },
      kLimit);
  expect_well(child, "nothing to happen");
}

TEST(Process, DestructorOfAClosedOneDoesNothing) {
  lesson("Who belongs to whom");
  did("destroyed a Process after close()");
  const ChildResult child = run_in_child(
      [] {
        Process process([] {});
        process.start();
        process.join();
        process.close();
      },
      kLimit);
  expect_well(child, "nothing to happen");
}

TEST(Process, OneMovedFromIsHarmless) {
  lesson("Who belongs to whom");
  did("moved a Process before and after start(), and destroyed all three objects");
  const ChildResult child = run_in_child(
      [] {
        Process first([] { sys_exit(3); });
        Process second(std::move(first));
        second.start();
        Process third(std::move(second));
        third.join();
        require(third.exitcode() == 3, "exitcode() is " + words(third.exitcode()));
      },
      kLimit);
  expect_well(child, "only the last one to stand for the child");
}

// ---- Who belongs to whom

TEST(Process, OnlyTheCreatorMayJoinAskOrSignal) {
  lesson("Who belongs to whom");
  did("started a child, forked, and used the Process in the other process");
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  const ChildResult child = run_in_child(
      [&process] {
        using E = std::logic_error;
        require_throw<E>("join()", [&] { process.join(); });
        require_throw<E>("join_for(0 s)", [&] { process.join_for(0s); });
        require_throw<E>("is_alive()", [&] { process.is_alive(); });
        require_throw<E>("exitcode()", [&] { (void)process.exitcode(); });
        require_throw<E>("sentinel()", [&] { process.sentinel(); });
        require_throw<E>("close()", [&] { process.close(); });
        require_throw<E>("terminate()", [&] { process.terminate(); });
        require_throw<E>("kill()", [&] { process.kill(); });
      },
      kLimit);
  expect_well(child, "std::logic_error from each call in a process that is not the creator");
  expect_eq("is_alive() in the creator", process.is_alive(), true);
  latch.open();
  process.join();
  expect_eq("exitcode() in the creator", process.exitcode(), std::optional(0));
}

TEST(Process, OnlyTheCreatorMayStart) {
  lesson("Who belongs to whom");
  did("made a Process, forked, and started it in the other process");
  const Flag runs;
  Process process([&runs] { ++*runs; });
  const ChildResult child = run_in_child(
      [&process] {
        require_throw<std::logic_error>("start()", [&] { process.start(); });
        require_throw<std::logic_error>("is_alive()", [&] { process.is_alive(); });
        require_throw<std::logic_error>("exitcode()", [&] { (void)process.exitcode(); });
      },
      kLimit);
  expect_well(child, "std::logic_error from each call in a process that is not the creator");
  expect_eq("how often the function ran", runs->load(), 0);
  expect_eq("pid() in the creator", process.pid(), kNoPid);
}

TEST(Process, ChildIsAProcessOfItsOwnFamily) {
  lesson("Who belongs to whom");
  did("asked in the child for its own name, its parent, its children, the name of its next one");
  const Sweeper sweeper;
  const Latch latch;
  Process sibling([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  sibling.start();
  const pid_t creator = getpid();
  Process process({.daemon = false}, [creator] {
    const ProcessInfo self = current_process();
    require(self == ProcessInfo{.name = "Process-2", .pid = getpid(), .daemon = false},
            "the child calls itself " + self.name + ", " + std::to_string(self.pid));
    const auto parent = parent_process();
    require(parent.has_value(), "the child knows no parent");
    require(parent->pid() == creator && parent->name() == "MainProcess",
            "the child calls its parent " + parent->name() + ", " + std::to_string(parent->pid()));
    require(active_children().empty(), "the child takes its siblings for its children");
    const Process next([] {});
    require(next.name() == "Process-2:1", "the child's first child is called " + next.name());
  });
  expect_eq("name()", process.name(), "Process-2");
  process.start();
  process.join();
  expect_eq("the exit code of a child that finds all of this right", process.exitcode(),
            std::optional(0));
  latch.open();
  sibling.join();
}

TEST(Process, FamilyKnowsWhoWasStarted) {
  lesson("Who belongs to whom");
  did("asked active_children() while a child with the name \"reader\" ran");
  const Sweeper sweeper;
  const Latch latch;
  Process process({.name = "reader", .daemon = true}, [&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  process.start();
  const std::vector<ProcessInfo> active = active_children();
  if (expect_eq("the number of active children", active.size(), 1U)) {
    expect_eq("its name", active[0].name, "reader");
    expect_eq("its number", std::optional(active[0].pid), process.pid());
    expect_eq("whether it is a daemon", active[0].daemon, true);
  }
  expect_eq("daemon()", process.daemon(), true);
  latch.open();
  process.join();
}

TEST(Process, DaemonMayHaveNoChildren) {
  lesson("Who belongs to whom");
  did("started a daemon whose function starts a Process");
  const Flag inherited;
  const Flag refused;
  const Flag runs;
  const ChildResult child = run_in_child(
      [&] {
        Process process({.daemon = true}, [&] {
          Process inner([&runs] { ++*runs; });
          *inherited = inner.daemon() ? 1 : 0;
          require_throw<std::logic_error>("start()", [&] { inner.start(); });
          *refused = 1;
          Process no_daemon({.daemon = false}, [&runs] { ++*runs; });
          no_daemon.start();
        });
        process.start();
        process.join();
        require(process.exitcode() == 1,
                "exitcode() of the daemon is " + words(process.exitcode()));
      },
      kLimit);
  expect_well(child, "std::logic_error in the daemon, and exit code 1");
  expect_eq("daemon() of a daemon's Process", inherited->load(), 1);
  expect(*refused == 1, "start() to throw std::logic_error in the daemon", "it threw nothing");
  expect_eq("how often a daemon's child ran", runs->load(), 0);
}

// A process that ends in the way that `ending` has, and did not join what it had started: a daemon,
// and a child that runs until somebody waits.
void expect_leave(const std::function<void()>& ending, int exitcode) {
  const Flag leaver;
  const Flag finished;
  const Flag daemon;
  const ChildResult child = run_in_child(
      [&] {
        const Latch latch;
        const Latch never;
        std::vector<std::unique_ptr<Process>> kept;  // so that no destructor joins
        Faults faults;
        before_each_wait(faults, [&] {
          if (getpid() == *leaver) {
            latch.open();
          }
        });
        Process process([&] {
          *leaver = getpid();
          kept.push_back(std::make_unique<Process>([&] {
            latch.wait();
            *finished = 1;
          }));
          kept.push_back(std::make_unique<Process>(ProcessOptions{.daemon = true},
                                                   [&never] { never.wait(); }));
          for (const auto& each : kept) {
            each->start();
          }
          *daemon = kept.back()->pid().value_or(0);
          ending();
        });
        process.start();
        process.join();
        require(process.exitcode() == exitcode, "exitcode() is " + words(process.exitcode()));
        require(*daemon != 0, "the child could not start its own children");
        require(*finished == 1, "the child ended before its own child had");
      },
      kLimit);
  expect_well(child, "the child to wait for its own children, ending its daemon, and then end");
}

TEST(Process, ReturnWaitsForGrandchildren) {
  lesson("Who belongs to whom");
  did("started a child that starts a process and a daemon, joins neither, and returns");
  expect_leave([] {}, 0);
}

TEST(Process, ExceptionWaitsForGrandchildren) {
  lesson("Who belongs to whom");
  did("started a child that starts a process and a daemon, joins neither, and throws");
  expect_leave([] { throw std::runtime_error("on purpose"); }, 1);
}

TEST(Process, SysExitWaitsForGrandchildren) {
  lesson("Who belongs to whom");
  did("started a child that starts a process and a daemon, joins neither, and calls sys_exit(3)");
  expect_leave([] { sys_exit(3); }, 3);
}

// ---- When start() fails

TEST(Process, ForkFailureLeavesItUnstarted) {
  lesson("How it ended");
  did("called start() while fork failed with EAGAIN, and again when it did not");
  const Sweeper sweeper;
  const Flag runs;
  Process process([&runs] { ++*runs; });
  {
    Faults faults;
    faults.fail("fork", EAGAIN);
    expect_eq("errno of the std::system_error", errno_of([&] { process.start(); }), EAGAIN);
  }
  expect_eq("pid()", process.pid(), kNoPid);
  expect_eq("is_alive()", process.is_alive(), false);
  expect_eq("the number of active children", active_children().size(), 0U);
  process.start();
  process.join();
  expect_eq("exitcode() after the second start()", process.exitcode(), std::optional(0));
  expect_eq("how often the function ran", runs->load(), 1);
}

// start() while there is no descriptor for the child's pidfd.
void expect_no_descriptor(Faults& faults) {
  const Sweeper sweeper;
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  faults.fail("pidfd_open", EMFILE);
  // Whoever just waits for the child would wait for ever; it is let go, and the test fails by its
  // exit code.
  bool waited_for_running = false;
  before_each_wait(faults, [&, self = getpid()] {
    if (getpid() == self && count_signals(faults) == 0) {
      waited_for_running = true;
      latch.open();
    }
  });
  expect_eq("errno of the std::system_error", errno_of([&] { process.start(); }), EMFILE);
  expect(!waited_for_running, "the child to be killed, and then waited for",
         "a wait for a child that nobody had told to end");
  expect_eq("the child afterwards", state_of_any_child(), "gone");
  expect_eq("pid()", process.pid(), kNoPid);
  expect_eq("the number of active children", active_children().size(), 0U);
  latch.open();
  process.start();
  process.join();
  expect_eq("exitcode() after the second start()", process.exitcode(), std::optional(0));
}

TEST(Process, NoPidfdLeavesNobodyBehind) {
  lesson("Zombies");
  did("called start() while pidfd_open failed with EMFILE, and again when it did not");
  Faults faults;
  expect_no_descriptor(faults);
}

TEST(Process, NoPidfdAndASignalLeaveNobodyBehind) {
  lesson("Zombies");
  did("called start() while pidfd_open failed, and a signal interrupted the wait after that");
  Faults faults;
  for (const char* call : {"waitpid", "wait4", "waitid", "wait"}) {
    faults.fail(call, EINTR);
  }
  expect_no_descriptor(faults);
}

TEST(Process, NoPidfdLeavesNobodyWhoIgnoresSigterm) {
  lesson("Signals, and whose number it is");
  did("called start() while pidfd_open failed, in a process that ignores SIGTERM, as its children "
      "then do");
  const ChildResult child = run_in_child(
      [] {
        signal(SIGTERM, SIG_IGN);
        const Latch never;
        Process process([&never] { never.wait(); });
        Faults faults;
        faults.fail("pidfd_open", EMFILE);
        const int error = errno_of([&] { process.start(); });
        require(error == EMFILE,
                "start() threw " + (error == 0 ? "nothing" : words(ErrorNumber{error})));
        require(state_of_any_child() == "gone", "the child is " + state_of_any_child());
      },
      1s);
  expect_well(child, "the child to be ended by a signal that nobody can ignore, and reaped");
}

TEST(Process, FailedReapingLeavesNobodyBehind) {
  lesson("Zombies");
  did("called start() beside a running child while the wait for that child failed (EPERM)");
  const Sweeper sweeper;
  const Latch latch;
  Process first([&latch] { latch.wait(); });
  Process second([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  first.start();
  bool threw = false;
  {
    Faults faults;
    faults.fail("waitid", EPERM);
    threw = errno_of([&] { second.start(); }) != 0;
  }
  if (threw) {
    expect_eq("the number of children after an exception from start()",
              look_around().children.size(), 1U);
    expect_eq("pid()", second.pid(), kNoPid);
  } else {
    latch.open();
    second.join();
  }
  latch.open();
  first.join();
}

// ---- Zombies

TEST(Process, StartReapsWhoHasEnded) {
  lesson("Zombies");
  did("started a child while another one that had ended was not joined yet");
  const Sweeper sweeper;
  Process first([] { sys_exit(3); });
  Process second([] {});
  first.start();
  const pid_t pid = first.pid().value_or(-1);
  expect(ends(pid), "the first child to end", "it runs on");
  second.start();
  expect_eq("the first child after the start of the second", state_of(pid), "gone");
  expect_eq("its exitcode()", first.exitcode(), std::optional(3));
  second.join();
}

TEST(Process, StartLeavesStrangersAlone) {
  lesson("Zombies");
  did("started a child beside a zombie that a plain fork had made");
  const Sweeper sweeper;
  const pid_t stranger = plain_fork([] { return 7; });
  expect(ends(stranger), "the forked child to end", "it runs on");
  Process process([] {});
  process.start();
  process.join();
  expect_eq("the exit code that is left for whoever forked", reap(stranger), 7);
}

TEST(Process, HundredAtOnce) {
  lesson("Zombies");
  did("started 100 children, terminated the even ones, and let the others end");
  const Sweeper sweeper;
  const Latch latch;
  std::vector<Process> all;
  const OpensAtEnd opener(latch);
  all.reserve(100);
  for (int i = 0; i < 100; ++i) {
    all.emplace_back([&latch, i] {
      latch.wait();
      sys_exit(i);
    });
    all.back().start();
  }
  expect_eq("the number of active children", active_children().size(), 100U);
  for (std::size_t i = 0; i < all.size(); i += 2) {
    all[i].terminate();
  }
  for (std::size_t i = 0; i < all.size(); i += 2) {
    all[i].join();
  }
  latch.open();
  int right = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].join();
    right += all[i].exitcode() == (i % 2 == 0 ? -SIGTERM : static_cast<int>(i)) ? 1 : 0;
  }
  expect_eq("the number of right exit codes", right, 100);
}

// ---- When the parent dies

ProcessOptions dies_with_parent() {
  return {.name = {}, .daemon = {}, .die_with_parent = true};
}

TEST(Process, DiesWithItsParent) {
  lesson("When the parent dies");
  did("killed the parent of a child that has die_with_parent");
  const Shared<Orphan> orphan;
  const ChildResult child = orphan_a_child(orphan, [&orphan] {
    const Latch ready;
    const Latch never;
    Process process(dies_with_parent(), [&] {
      ready.open();
      never.wait();
    });
    process.start();
    orphan->pid = process.pid().value_or(0);
    require(ready.wait_for(kLimit), "the child did not come to its function");
    raise(SIGKILL);
  });
  expect_well(child, "the child to go with its parent");
  expect(orphan->ended, "the child to be killed when its parent was", "it lives on");
}

TEST(Process, DiesWithAParentThatDiedRightAfterFork) {
  lesson("When the parent dies");
  did("killed the parent before the child, which has die_with_parent, did anything at all");
  const Shared<Orphan> orphan;
  const ChildResult child = orphan_a_child(orphan, [&orphan] {
    const Latch ready;
    const Latch never;
    Faults faults;
    faults.after("fork", [&, parent = getpid()](const Call&) {
      if (getpid() != parent) {
        kill_parent_first(orphan, parent);
      }
    });
    Process process(dies_with_parent(), [&] {
      orphan->ran_body = true;
      never.wait();
    });
    process.start();
    (void)ready.wait_for(kLimit);  // for the end
    raise(SIGKILL);
  });
  expect_well(child, "the child to go with its parent");
  expect(orphan->ended, "the child to see that its parent is gone, and to end",
         "it lives on: the signal is for parents that die after prctl");
  expect(!orphan->ran_body, "its function not to run", "it ran");
}

TEST(Process, DiesWithAParentThatDiedBeforePrctl) {
  lesson("When the parent dies");
  did("killed the parent in the moment before the child's prctl(PR_SET_PDEATHSIG)");
  const Shared<Orphan> orphan;
  const ChildResult child = orphan_a_child(orphan, [&orphan] {
    const Latch ready;
    const Latch never;
    Faults faults;
    faults.before("prctl", [&, parent = getpid()](const Call&) {
      if (getpid() != parent) {
        kill_parent_first(orphan, parent);
      }
    });
    Process process(dies_with_parent(), [&] {
      orphan->pid = getpid();
      orphan->ran_body = true;
      ready.open();
      never.wait();
    });
    process.start();
    (void)ready.wait_for(kLimit);
    raise(SIGKILL);
  });
  expect_well(child, "the child to go with its parent");
  expect(orphan->ended, "the child to look for its parent once more after prctl, and to end",
         "it lives on: the signal is for parents that die after prctl");
  expect(!orphan->ran_body, "its function not to run", "it ran");
}

TEST(Process, NeverOutlivesAParentKilledAnywhere) {
  lesson("When the parent dies");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  for (int n = 1;; ++n) {
    did("killed the parent of a child that has die_with_parent at system call " +
        std::to_string(n));
    const Recording recording = record(
        [] {
          Process process(dies_with_parent(), [] {
            for (;;) {
              pause();
            }
          });
          process.start();
          process.kill();
          process.join();
        },
        {.kill_at = n, .deadline = kLimit});
    if (!expect(recording.threw.empty(), "start, kill and join to work", recording.threw) ||
        !expect(!recording.timed_out, "the child to go with its parent", "it lives on") ||
        !recording.killed) {
      return;
    }
  }
}

TEST(Process, LivesOnUnlessAskedToDie) {
  lesson("When the parent dies");
  did("started a child from a thread, and let the thread end");
  const Sweeper sweeper;
  const Latch ready;
  const Latch latch;
  Process process([&] {
    ready.open();
    latch.wait();
  });
  const OpensAtEnd opener(latch);
  std::string threw;
  std::thread([&] {
    try {
      process.start();
      (void)ready.wait_for(kLimit);
    } catch (const std::exception& error) {
      threw = error.what();
    }
  }).join();
  expect(threw.empty(), "start() to work in a thread", threw);
  latch.open();
  process.join();
  expect_eq("exitcode()", process.exitcode(), std::optional(0));
}

TEST(Process, ParentIsWhoCalledStart) {
  lesson("When the parent dies");
  did("killed the parent before the child did anything at all; it was not asked to die with it");
  const Shared<Orphan> orphan;
  const Flag right;
  const ChildResult child = orphan_a_child(orphan, [&] {
    const Latch never;
    Faults faults;
    faults.after("fork", [&, parent = getpid()](const Call&) {
      if (getpid() != parent) {
        kill_parent_first(orphan, parent);
      }
    });
    Process process([&right, creator = getpid()] {
      const auto parent = parent_process();
      *right = parent && parent->pid() == creator && !parent->is_alive() ? 1 : 0;
    });
    process.start();
    (void)never.wait_for(kLimit);  // for the end
    raise(SIGKILL);
  });
  expect_well(child, "the child to end by itself");
  expect(orphan->ended, "the child to end by itself", "it runs on");
  expect(*right == 1, "parent_process() to be who called start(), and dead",
         "somebody else: getppid() is by now the one who adopted the child");
}

}  // namespace
}  // namespace mp::test
