#include "01-process/family.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "00-syscalls/error_number.hpp"
#include "01-process/process.hpp"
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

// A child that no Process has started: made by fork, and then adopted.
std::shared_ptr<Child> adopt_a_child(const ProcessInfo& info, const std::function<int()>& body) {
  const pid_t pid = plain_fork(body);
  auto child = std::make_shared<Child>(pid);
  adopt(child, {.name = info.name, .pid = pid, .daemon = info.daemon});
  return child;
}

std::string names(std::vector<ProcessInfo> infos) {
  std::sort(infos.begin(), infos.end(),
            [](const ProcessInfo& a, const ProcessInfo& b) { return a.name < b.name; });
  std::string text;
  for (const ProcessInfo& info : infos) {
    text += (text.empty() ? "" : " ") + info.name;
  }
  return text;
}

// ---- Who is who

TEST(Family, NamesFollowTheIdentity) {
  lesson("Who belongs to whom");
  did("asked for the default names of {1}, {2, 1} and {3, 10, 2}");
  expect_eq("the first", default_name({1}), "Process-1");
  expect_eq("the second", default_name({2, 1}), "Process-2:1");
  expect_eq("the third", default_name({3, 10, 2}), "Process-3:10:2");
}

TEST(Family, IdentitiesAreCounted) {
  lesson("Who belongs to whom");
  did("asked for the next identity three times");
  expect_eq("the first", default_name(next_identity()), "Process-1");
  expect_eq("the second", default_name(next_identity()), "Process-2");
  expect_eq("the third", default_name(next_identity()), "Process-3");
}

TEST(Family, MainProcessHasNoParent) {
  lesson("Who belongs to whom");
  did("asked for the current process and its parent where no Process has been started");
  const ProcessInfo self = current_process();
  expect_eq("its name", self.name, "MainProcess");
  expect_eq("its number", self.pid, getpid());
  expect_eq("whether it is a daemon", self.daemon, false);
  expect_eq("whether it has a parent process", parent_process().has_value(), false);
}

TEST(Family, EnteringMakesItAProcessOfItsOwn) {
  lesson("Who belongs to whom");
  did("entered the family as Process-3 in a fork of a process that had counted three");
  for (int i = 0; i < 3; ++i) {
    next_identity();
  }
  const ChildResult child = run_in_child([parent = getpid()] {
    enter_family({3}, {.name = "own name", .pid = getpid(), .daemon = true}, parent);
    const ProcessInfo self = current_process();
    require(self == ProcessInfo{.name = "own name", .pid = getpid(), .daemon = true},
            "the child calls itself " + self.name + ", " + std::to_string(self.pid));
    const auto creator = parent_process();
    require(creator.has_value(), "the child knows no parent");
    require(
        creator->name() == "MainProcess" && creator->pid() == parent,
        "the child calls its parent " + creator->name() + ", " + std::to_string(creator->pid()));
    const std::string first = default_name(next_identity());
    const std::string second = default_name(next_identity());
    require(first == "Process-3:1", "the child's first child is called " + first);
    require(second == "Process-3:2", "the child's second child is called " + second);
  });
  expect_well(child, "the child to know itself and its parent, and to count anew");
  expect_eq("the parent's next", default_name(next_identity()), "Process-4");
}

TEST(Family, GrandchildrenKnowTheirParent) {
  lesson("Who belongs to whom");
  did("started a Process with a name from a Process with a name");
  const Shared<std::array<char, 200>> seen;
  const Flag right;
  const ChildResult child = run_in_child(
      [&] {
        Process outer({.name = "outer"}, [&] {
          Process inner([&, outer_pid = getpid()] {
            const auto parent = parent_process();
            const std::string self = current_process().name;
            const std::string text =
                (parent
                     ? words(parent->name()) +
                           (parent->pid() == outer_pid ? "" : " with another number than its own")
                     : "none") +
                ", and the grandchild " + words(self);
            text.copy(seen->data(), seen->size() - 1);
            *right = parent && parent->name() == "outer" && parent->pid() == outer_pid &&
                     self == "Process-1:1";
          });
          inner.start();
          inner.join();
          sys_exit(inner.exitcode().value_or(99));
        });
        outer.start();
        outer.join();
        require(outer.exitcode() == 0,
                "the exit code of the Processes is " + words(outer.exitcode()) + ", not 0");
      },
      kLimit);
  expect_well(child, "the Processes to come to their end");
  expect(*right == 1, "the parent to be \"outer\", and the grandchild \"Process-1:1\"",
         std::string("the parent is ") + seen->data());
}

// In a process made by a plain fork: all that the family says of it, and two rounds of asking for a
// child that it has started. @param next  the default name of the next Process made there.
void check_plain_fork(const std::string& name, const std::string& next) {
  const ProcessInfo self = current_process();
  require(self.name == name, "current_process() in the copy is called " + self.name);
  require(self.pid == getpid(), "current_process() in the copy has the number of another process");
  require(active_children().empty(), "the copy takes its siblings for its children");
  const Latch latch;
  Process process([&latch] { latch.wait(); });
  const OpensAtEnd opener(latch);
  require(process.name() == next, "the copy's next Process is called " + process.name());
  process.start();
  for (const char* time : {"first", "second"}) {
    require(names(active_children()) == next,
            std::string("the ") + time + " active_children() after start() in the copy is \"" +
                names(active_children()) + "\"");
  }
  const pid_t pid = process.pid().value_or(-1);
  {
    Faults faults;
    open_at_wait(faults, latch);
    leave_family();
  }
  require(state_of(pid) == "gone",
          "the copy's own child is " + state_of(pid) + " after leave_family() in the copy");
}

// Runs the body in a plain fork of the process that calls it, and reports what it throws.
void in_a_plain_fork(const std::function<void()>& body) {
  const Shared<std::array<char, 256>> threw;
  const pid_t pid = ::fork();
  if (pid == 0) {
    run_and_exit(body, *threw);
  }
  require(pid != -1, "fork failed");
  const int code = reap(pid);
  require(code == 0, threw->front() == '\0' ? "the exit code of the copy is " + std::to_string(code)
                                            : std::string(threw->data()));
}

TEST(Family, PlainForkIsACopyWithANumberOfItsOwn) {
  lesson("Who belongs to whom");
  did("forked where two identities were counted, asked in the copy who it is, started a Process");
  next_identity();
  next_identity();
  const ChildResult child = run_in_child(
      [] {
        check_plain_fork("MainProcess", "Process-3");
        require(!parent_process().has_value(), "the copy of the main process knows a parent");
      },
      kLimit);
  expect_well(child, "its parent's name and count, its own number, and no child but its own");
}

TEST(Family, PlainForkOfAProcessKeepsItsName) {
  lesson("Who belongs to whom");
  did("forked in a Process called \"outer\", asked in the copy who it is, started a Process there");
  const Shared<std::array<char, 256>> threw;
  const ChildResult child = run_in_child(
      [&threw] {
        Process outer({.name = "outer"}, [&threw, creator = getpid()] {
          try {
            next_identity();
            in_a_plain_fork([creator] {
              check_plain_fork("outer", "Process-1:2");
              const auto parent = parent_process();
              require(parent && parent->name() == "MainProcess" && parent->pid() == creator,
                      "parent_process() in the copy is not who started \"outer\"");
              require(!parent->is_alive(), "is_alive() in the copy speaks of no parent of its own");
            });
          } catch (const std::exception& error) {
            std::string(error.what()).copy(threw->data(), threw->size() - 1);
          }
        });
        outer.start();
        outer.join();
        require(threw->front() == '\0', threw->data());
        require(outer.exitcode() == 0, "exitcode() of \"outer\" is " + words(outer.exitcode()));
      },
      kLimit);
  expect_well(child,
              "its parent's name, count and parent_process(), its own number, and no child but its "
              "own");
}

// ---- When the parent dies

TEST(Family, ParentIsAliveWhileItIs) {
  lesson("When the parent dies");
  did("asked for the parent while it runs, and waited 10 ms for its end");
  const ParentProcess parent({.name = "parent", .pid = getppid()});
  expect_eq("is_alive()", parent.is_alive(), true);
  expect_eq("join_until(now)", parent.join_until(Deadline::after(0s)), false);
  const auto start = monotonic_now();
  expect_eq("join_until(in 10 ms)", parent.join_until(Deadline::after(10ms)), false);
  expect(monotonic_now() - start >= 10ms, "a wait of 10 ms", "a shorter one");
}

TEST(Family, JoinSeesTheParentsEnd) {
  lesson("When the parent dies");
  did("killed a process whose child waits for its end");
  const Shared<Orphan> orphan;
  const ChildResult child = orphan_a_child(orphan, [&orphan] {
    const Latch ready;
    Process process([&ready] {
      const auto parent = parent_process();
      require(parent && parent->is_alive(), "is_alive() is false before the parent's end");
      ready.open();
      parent->join();
      sys_exit(parent->is_alive() ? 4 : 3);
    });
    process.start();
    orphan->pid = process.pid().value_or(0);
    (void)ready.wait_for(kLimit);
    raise(SIGKILL);
  });
  expect_well(child, "the child to see its parent's end");
  expect(orphan->ended, "join() to return when the parent has ended", "it waits on");
  expect(orphan->exitcode == 3, "exit code 3 of the child: it has seen the end",
         "exit code " + std::to_string(orphan->exitcode) +
             (child.err.empty() ? "" : "; on stderr: " + child.err));
}

TEST(Family, ParentThatIsLongGoneIsNotAlive) {
  lesson("When the parent dies");
  did("asked for a parent that had been killed and reaped before");
  const pid_t gone = plain_fork([] { return 0; });
  expect_eq("the exit code of the process that is to be gone", reap(gone), 0);
  const ParentProcess parent({.name = "parent", .pid = gone});
  expect_eq("is_alive()", parent.is_alive(), false);
  expect_eq("join_until(now)", parent.join_until(Deadline::after(0s)), true);
}

TEST(Family, NumberOfTheParentMayBeAStrangersNow) {
  lesson("When the parent dies");
  did("asked for a parent whose number now belongs to another process");
  const Sweeper sweeper;
  const Latch latch;
  const pid_t stranger = plain_fork([&latch] {
    latch.wait();
    return 0;
  });
  const OpensAtEnd opener(latch);
  Faults faults;
  open_at_wait(faults, latch);  // whoever waits for the stranger does so in vain
  const ParentProcess parent({.name = "parent", .pid = stranger});
  expect_eq("is_alive()", parent.is_alive(), false);
  expect_eq("join_until(in 2 s)", parent.join_until(Deadline::after(kLimit)), true);
  expect_eq("the stranger", state_of(stranger), "running");
  latch.open();
  reap(stranger);
}

TEST(Family, ParentsNumberIsCheckedAfterOpening) {
  lesson("When the parent dies");
  did("recorded the system calls of is_alive()");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const Recording recording = record([] {
    const ParentProcess parent({.name = "parent", .pid = getppid()});
    (void)parent.is_alive();
  });
  if (recording.threw.starts_with("TODO ")) {
    throw std::logic_error(recording.threw);
  }
  expect(recording.threw.empty(), "is_alive() to work", recording.threw);
  bool opened = false;
  bool checked_since = false;
  for (const RecordedCall& call : recording.calls) {
    if (call.name == "pidfd_open") {
      opened = true;
      checked_since = false;
    } else if (call.name == "getppid") {
      checked_since = true;
    }
  }
  expect(!opened || checked_since,
         "getppid() after pidfd_open(): only then is it sure whose pidfd it is",
         "none: the number may have changed hands between the two");
}

// Expects a std::system_error of `action` with that errno.
void expect_error(int error, const std::string& call, const std::function<void()>& action) {
  const int seen = errno_of(action);
  const std::string from = " from " + call;
  expect(seen == error, "a std::system_error with " + words(ErrorNumber{error}) + from,
         seen == 0 ? "no exception" : "a std::system_error with " + words(ErrorNumber{seen}));
}

TEST(Family, ErrorsOfTheWaitAreThrown) {
  lesson("When the parent dies");
  const ParentProcess parent({.name = "parent", .pid = getppid()});
  {
    did("asked for the parent while pidfd_open failed with EMFILE: no descriptor was to be had");
    Faults faults;
    faults.fail("pidfd_open", EMFILE);
    expect_error(EMFILE, "pidfd_open", [&] { (void)parent.join_until(Deadline::after(0s)); });
  }
  did("asked for the parent while poll failed with ENOMEM: what was opened must be closed");
  Faults faults;
  faults.fail("ppoll", ENOMEM);
  faults.fail("poll", ENOMEM);
  expect_error(ENOMEM, "poll", [&] { (void)parent.join_until(Deadline::after(0s)); });
  expect_eq("the number of pidfds left open", count_pidfds(), 0);
}

TEST(Family, AskingForTheParentLeavesNothingOpen) {
  lesson("When the parent dies");
  did("asked for a parent that runs, one that is gone, and one whose number is a stranger's");
  const pid_t gone = plain_fork([] { return 0; });
  expect_eq("the exit code of the process that is to be gone", reap(gone), 0);
  for (const pid_t pid : {getppid(), gone, getpid()}) {
    (void)ParentProcess({.name = "parent", .pid = pid}).is_alive();
    expect_eq("the number of pidfds left open", count_pidfds(), 0);
  }
}

TEST(Family, SignalsDoNotEndTheWaitForTheParent) {
  lesson("Waiting with a deadline");
  did("let signals interrupt the wait for a parent that runs");
  const ParentProcess parent({.name = "parent", .pid = getppid()});
  Faults faults;
  faults.fail("ppoll", EINTR, 2);
  faults.fail("poll", EINTR, 2);
  expect_eq("join_until(in 10 ms)", parent.join_until(Deadline::after(10ms)), false);
}

// ---- Children

TEST(Family, ActiveChildrenAreThoseThatRun) {
  lesson("Zombies");
  did("asked active_children() with two children that run and one that has ended");
  const Sweeper sweeper;
  const Latch latch;
  const auto waits = [&latch] {
    latch.wait();
    return 0;
  };
  expect_eq("active_children() before", names(active_children()), "");
  const auto first = adopt_a_child({.name = "first"}, waits);
  const auto ended = adopt_a_child({.name = "ended"}, [] { return 5; });
  const auto second = adopt_a_child({.name = "second", .daemon = true}, waits);
  const OpensAtEnd opener(latch);
  expect(ends(ended->pid()), "the child to end", "it runs on");
  const std::vector<ProcessInfo> active = active_children();
  expect_eq("active_children()", names(active), "first second");
  for (const ProcessInfo& info : active) {
    const bool is_second = info.name == "second";
    expect_eq("the number of " + info.name, info.pid, (is_second ? second : first)->pid());
    expect_eq("whether it is a daemon", info.daemon, is_second);
  }
  expect_eq("the one that has ended, afterwards", state_of(ended->pid()), "gone");
  expect_eq("its exit code", ended->exitcode(), std::optional(5));
  latch.open();
  first->join();
  second->join();
  expect_eq("active_children() after the end", names(active_children()), "");
}

TEST(Family, StrangersAreNotReaped) {
  lesson("Zombies");
  did("asked active_children() beside a zombie that a plain fork had made");
  const Sweeper sweeper;
  const pid_t stranger = plain_fork([] { return 7; });
  expect(ends(stranger), "the forked child to end", "it runs on");
  expect_eq("active_children()", names(active_children()), "");
  leave_family();
  expect_eq("the exit code that is left for whoever forked", reap(stranger), 7);
}

TEST(Family, WhoHasEndedHoldsNoDescriptor) {
  lesson("Zombies");
  did("asked active_children() after the end of a child whose sentinel had been asked for");
  const Sweeper sweeper;
  const Latch latch;
  auto child = adopt_a_child({.name = "child"}, [&latch] {
    latch.wait();
    return 0;
  });
  const OpensAtEnd opener(latch);
  const pid_t pid = child->pid();
  child->sentinel();
  child.reset();
  expect_eq("the number of pidfds while it runs", count_pidfds(), 1);
  latch.open();
  expect(ends(pid), "the child to end", "it runs on");
  active_children();
  expect_eq("the number of pidfds afterwards", count_pidfds(), 0);
}

TEST(Family, ChildOfAProcessHasNoSiblings) {
  lesson("Who belongs to whom");
  did("started a Process beside a running daemon, and asked in it for its children and pidfds");
  const Sweeper sweeper;
  const Latch latch;
  auto daemon = adopt_a_child({.name = "daemon", .daemon = true}, [&latch] {
    latch.wait();
    return 0;
  });
  const pid_t pid = daemon->pid();
  daemon.reset();  // only the family holds it now
  const OpensAtEnd opener(latch);
  const Flag active;
  const Flag pidfds;
  Process process([&] {
    *active = static_cast<int>(active_children().size());
    *pidfds = count_pidfds();
    leave_family();
  });
  process.start();
  process.join();
  expect_eq("the exit code of the child", process.exitcode(), std::optional(0));
  expect_eq("the number of its active children", active->load(), 0);
  expect_eq("the number of its pidfds", pidfds->load(), 0);
  expect_eq("the daemon of the parent", state_of(pid), "running");
  latch.open();
  expect(ends(pid), "the daemon to end", "it runs on");
  active_children();
}

TEST(Family, PlainForkHasNoSiblingsEither) {
  lesson("Who belongs to whom");
  did("forked beside a running daemon, asked in the copy for its children, and used a Process");
  const Sweeper sweeper;
  const Latch latch;
  const auto daemon = adopt_a_child({.name = "daemon", .daemon = true}, [&latch] {
    latch.wait();
    return 0;
  });
  const OpensAtEnd opener(latch);
  const ChildResult child = run_in_child(
      [] {
        require(active_children().empty(), "the copy takes its siblings for its children");
        Process process([] {});
        process.start();
        process.join();
        require(process.exitcode() == 0, "exitcode() is " + words(process.exitcode()));
        leave_family();
      },
      kLimit);
  expect_well(child, "the copy to have no children but its own");
  expect_eq("the daemon", state_of(daemon->pid()), "running");
  latch.open();
  daemon->join();
  active_children();
}

// ---- Leaving

TEST(Family, LeavingTerminatesDaemonsAndWaitsForTheOthers) {
  lesson("Who belongs to whom");
  did("left a family of two daemons and a child that run until somebody waits");
  const Sweeper sweeper;
  const Latch latch;
  const auto body = [&latch] {
    latch.wait();
    return 3;
  };
  const auto daemon = adopt_a_child({.name = "daemon", .daemon = true}, body);
  const auto other = adopt_a_child({.name = "other"}, body);
  const auto second_daemon = adopt_a_child({.name = "second daemon", .daemon = true}, body);
  const OpensAtEnd opener(latch);
  int signals_before_wait = -1;
  {
    Faults faults;
    before_each_wait(faults, [&, self = getpid()] {
      if (getpid() == self) {
        signals_before_wait =
            signals_before_wait == -1 ? count_signals(faults) : signals_before_wait;
        latch.open();
      }
    });
    leave_family();
  }
  if (expect(signals_before_wait != -1, "a wait for the children", "no wait at all")) {
    expect(signals_before_wait == 2, "two daemons to have got a SIGTERM each before the first wait",
           std::to_string(signals_before_wait) + " signals before the first wait");
  }
  expect_eq("the daemon", state_of(daemon->pid()), "gone");
  expect_eq("the other daemon", state_of(second_daemon->pid()), "gone");
  expect_eq("the other child", state_of(other->pid()), "gone");
  expect_eq("how the daemon ended", daemon->exitcode(), std::optional(-SIGTERM));
  expect_eq("how the other daemon ended", second_daemon->exitcode(), std::optional(-SIGTERM));
  expect_eq("how the other child ended", other->exitcode(), std::optional(3));
  expect_eq("active_children()", names(active_children()), "");
}

TEST(Family, LeavingTwiceIsHarmless) {
  lesson("Who belongs to whom");
  did("left a family of a daemon and a child twice");
  const Sweeper sweeper;
  const Latch latch;
  const auto daemon = adopt_a_child({.name = "daemon", .daemon = true}, [&latch] {
    latch.wait();
    return 0;
  });
  const auto other = adopt_a_child({.name = "other"}, [] { return 0; });
  expect(ends(other->pid()), "the child to end", "it runs on");
  {
    Faults faults;
    open_at_wait(faults, latch);
    leave_family();
  }
  expect_eq("the daemon", state_of(daemon->pid()), "gone");
  const Faults watching;
  leave_family();
  expect_eq("the number of signals of the second time", count_signals(watching), 0);
  expect_eq("how the daemon ended", daemon->exitcode(), std::optional(-SIGTERM));
  expect_eq("how the other child ended", other->exitcode(), std::optional(0));
}

TEST(Family, OneThatCannotBeJoinedKeepsNobodyFromIt) {
  lesson("Who belongs to whom");
  did("left a family of three while the wait for the first one failed");
  const Flag gone;
  const ChildResult child = run_in_child(
      [&gone] {
        std::vector<pid_t> pids;
        for (int i = 0; i < 3; ++i) {
          const auto one = adopt_a_child({.name = "child"}, [] { return 0; });
          pids.push_back(one->pid());
          require(ends(pids.back()), "the child does not end");
        }
        {
          Faults faults;
          faults.fail("ppoll", ENOMEM);
          faults.fail("poll", ENOMEM);
          leave_family();
        }
        for (const pid_t pid : pids) {
          *gone += state_of(pid) == "gone" ? 1 : 0;
          reap(pid);
        }
        require(current_process().name == "MainProcess", "the process changed its name");
      },
      kLimit);
  expect_well(child, "no exception, and no end of the program");
  expect(*gone >= 2, "the other two to be joined", std::to_string(*gone) + " joined");
}

TEST(Family, OneThatCannotBeTerminatedKeepsNobodyFromIt) {
  lesson("Who belongs to whom");
  did("left a family of two daemons while the signal for the first one failed");
  const Flag terminated;
  const ChildResult child = run_in_child(
      [&terminated] {
        const Latch latch;
        std::vector<std::shared_ptr<Child>> daemons;
        daemons.reserve(2);
        for (int i = 0; i < 2; ++i) {
          daemons.push_back(adopt_a_child({.name = "daemon", .daemon = true}, [&latch] {
            latch.wait();
            return 0;
          }));
        }
        Faults faults;
        faults.fail("pidfd_send_signal", EPERM);
        open_at_wait(faults, latch);
        leave_family();
        for (const auto& daemon : daemons) {
          daemon->join();
          *terminated += daemon->exitcode() == -SIGTERM ? 1 : 0;
        }
      },
      kLimit);
  expect_well(child, "no exception, and no end of the program");
  expect(*terminated >= 1, "the other one to be terminated", "none terminated");
}

// ---- At exit

// Runs `body` in a process that then calls exit(0), as a main program does when main returns.
ChildResult exit_after(const std::function<void()>& body) {
  return run_in_child(
      [&body] {
        body();
        std::exit(0);
      },
      kLimit);
}

TEST(Family, ExitTerminatesDaemonsAndWaitsForTheOthers) {
  lesson("Who belongs to whom");
  did("ended a program that had started a daemon and another child and joined neither");
  struct Seen {
    std::atomic<int> finished;
    std::atomic<int> daemon_finished;
  };
  const Shared<Seen> seen;
  const ChildResult child = exit_after([&seen] {
    // All of this has to live on while exit() does its work.
    static const Latch latch;
    static Faults faults;
    open_at_wait(faults, latch);
    adopt_a_child({.name = "daemon", .daemon = true}, [&seen] {
      latch.wait();
      seen->daemon_finished = 1;
      return 0;
    });
    adopt_a_child({.name = "other"}, [&seen] {
      latch.wait();
      seen->finished = 1;
      return 0;
    });
  });
  expect_well(child, "exit(0) to leave nobody behind");
  expect_eq("whether the child came to its end", seen->finished.load(), 1);
  expect_eq("whether the daemon did", seen->daemon_finished.load(), 0);
}

TEST(Family, ExitOfAPlainForkLeavesTheParentsChildrenAlone) {
  lesson("Leaving: _exit, not exit");
  did("forked beside a daemon and another child, and called exit(0) in the copy");
  const Sweeper sweeper;
  const Latch latch;
  const auto body = [&latch] {
    latch.wait();
    return 3;
  };
  const auto daemon = adopt_a_child({.name = "daemon", .daemon = true}, body);
  const auto other = adopt_a_child({.name = "other"}, body);
  const OpensAtEnd opener(latch);
  const ChildResult child = exit_after([] {});
  expect_well(child, "exit(0) to end the copy and nobody else");
  expect_eq("what it said on stderr", child.err, "");
  latch.open();
  daemon->join();
  other->join();
  expect_eq("how the daemon ended", daemon->exitcode(), std::optional(3));
  expect_eq("how the other child ended", other->exitcode(), std::optional(3));
  active_children();
}

}  // namespace
}  // namespace mp::test
