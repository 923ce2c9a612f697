#include "01-process/signals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <optional>
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

/// The calls that send a signal to a number: of a process, a group or a thread.
constexpr std::array<std::string_view, 6> kByNumber{
    "kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "killpg"};

volatile sig_atomic_t caught = 0;

void note(int signum) {
  caught = signum;
}

void handle(int signum, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  must(sigaction(signum, &action, nullptr), "sigaction");
}

/// The body of a Kid that says when it is ready, waits for one of the signals, then at the gate,
/// and ends with `code` plus the number of the signal.
std::function<int()> ends_by_its_own_choice(const Gate& ready, const Gate& gate,
                                            std::vector<int> signums, int code) {
  return [&ready, &gate, signums = std::move(signums), code] {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    for (const int signum : signums) {
      handle(signum, note);
    }
    ready.open();
    while (caught == 0) {
      sigsuspend(&before);
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    gate.pass();
    return code + caught;
  };
}

/// The body of a Kid that ignores SIGTERM, says when it does, and ends with 7 after the gate.
std::function<int()> ignores_sigterm(const Gate& ready, const Gate& gate) {
  return [&ready, &gate] {
    handle(SIGTERM, SIG_IGN);
    ready.open();
    gate.pass();
    return 7;
  };
}

/// What a child says that has ended, as soon as it has.
std::optional<int> exitcode_of_ended(const Kid& kid, Child& child) {
  kid.wait_for_end();
  return child.exitcode();
}

// ---- the signals

TEST(Signals, TerminateIsSigterm) {
  lesson("Signals, and whose number it is");
  did("called terminate() for a child that catches nothing");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  terminate(child);
  expect_eq("exitcode()", exitcode_of_ended(kid, child), std::optional(-SIGTERM));
}

TEST(Signals, KillIsSigkill) {
  lesson("Signals, and whose number it is");
  did("called kill() for a child that ignores SIGTERM");
  const Gate ready;
  const Gate gate;
  const Kid kid(ignores_sigterm(ready, gate));
  ready.pass();
  Child child(kid.pid());
  kill(child);
  expect_eq("exitcode()", exitcode_of_ended(kid, child), std::optional(-SIGKILL));
}

TEST(Signals, ChildMayChooseItsExitcode) {
  lesson("Signals, and whose number it is");
  did("called terminate() for a child whose handler lets it end with 35");
  const Gate ready;
  const Gate gate;
  const Kid kid(ends_by_its_own_choice(ready, gate, {SIGTERM}, 20));
  ready.pass();
  Child child(kid.pid());
  terminate(child);
  gate.open();
  expect_eq("exitcode()", exitcode_of_ended(kid, child), std::optional(20 + SIGTERM));
}

TEST(Signals, TerminateOnlyAsks) {
  lesson("Signals, and whose number it is");
  did("called terminate() for a child that ignores SIGTERM");
  const Gate ready;
  const Gate gate;
  const Kid kid(ignores_sigterm(ready, gate));
  ready.pass();
  Child child(kid.pid());
  {
    const NoWaiting watch(kid);
    terminate(child);
    expect(!watch.waited(), "terminate() to return at once", "a wait for the child's end");
    expect_eq("is_alive()", is_alive(child), true);
  }
  did("let that child end in its own way");
  gate.open();
  expect_eq("exitcode()", exitcode_of_ended(kid, child), std::optional(7));
}

TEST(Signals, AnySignalArrives) {
  lesson("Signals, and whose number it is");
  for (const int signum : {SIGUSR1, SIGINT, SIGRTMIN + 3}) {
    did("called send_signal() with signal " + std::to_string(signum));
    const Gate ready;
    const Gate gate;
    const Kid kid(ends_by_its_own_choice(ready, gate, {SIGUSR1, SIGINT, SIGRTMIN + 3}, 100));
    ready.pass();
    Child child(kid.pid());
    expect_eq("its result", send_signal(child, signum), true);
    gate.open();
    if (!expect_eq("exitcode() of the child, 100 and what it got", exitcode_of_ended(kid, child),
                   std::optional(100 + signum))) {
      return;
    }
  }
}

TEST(Signals, ZeroOnlyAsks) {
  lesson("Signals, and whose number it is");
  did("called send_signal() with 0, which is no signal and only asks");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  expect_eq("its result for a running child", send_signal(child, 0), true);
  expect(kid.is_running(), "the child to run on", "it has ended");
  kid.signal(SIGKILL);
  kid.wait_for_end();
  expect_eq("its result for a child that has ended", send_signal(child, 0), false);
}

// ---- who is alive

TEST(Signals, AliveUntilTheEnd) {
  lesson("Zombies");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  did("called is_alive() for a child that runs");
  expect_eq("its result", is_alive(child), true);
  gate.open();
  kid.wait_for_end();
  did("called is_alive() for a child that has ended and has not been waited for");
  expect_eq("its result", is_alive(child), false);
  did("called is_alive() again");
  expect_eq("its result", is_alive(child), false);
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
}

TEST(Signals, AskingReaps) {
  lesson("Zombies");
  did("called is_alive() for a child that has ended");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  kid.wait_for_end();
  (void)is_alive(child);
  expect(!kid.is_ours(), "the child to be gone", "a zombie: its status has not been taken");
}

TEST(Signals, AskingDoesNotWait) {
  lesson("Zombies");
  did("called is_alive() for a child that runs");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  const NoWaiting watch(kid);
  const bool alive = is_alive(child);
  expect(!watch.waited(), "an answer at once", "a wait for the child's end");
  expect_eq("its result", alive, true);
}

TEST(Signals, ExitcodeZeroIsDeadToo) {
  lesson("Zombies");
  did("called is_alive() for a child that ended with 0");
  const Kid kid(exits_with(0));
  Child child(kid.pid());
  kid.wait_for_end();
  expect_eq("its result", is_alive(child), false);
}

TEST(Signals, StoppedIsAlive) {
  lesson("Signals, and whose number it is");
  did("stopped a child (SIGSTOP), and asked for it");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  kid.signal(SIGSTOP);
  kid.wait_until_stopped();
  {
    const NoWaiting watch(kid);
    expect_eq("is_alive()", is_alive(child), true);
    did("called terminate() for the stopped child, and sent SIGCONT after it");
    terminate(child);
    expect_eq("the result of send_signal()", send_signal(child, SIGCONT), true);
  }
  expect_eq("exitcode()", exitcode_of_ended(kid, child), std::optional(-SIGTERM));
}

TEST(Signals, StatusTakenBySomebodyElse) {
  lesson("Zombies");
  did("asked for a child that other code of the program had waited for");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  (void)kid.take();
  expect_eq("is_alive()", is_alive(child), false);
  expect_eq("send_signal(SIGTERM)", send_signal(child, SIGTERM), false);
}

// ---- after the end

TEST(Signals, NothingForTheDead) {
  lesson("Signals, and whose number it is");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  child.join();
  const Faults watching;
  did("called send_signal(SIGTERM) for a joined child");
  expect_eq("its result", send_signal(child, SIGTERM), false);
  did("called terminate() and kill() for a joined child");
  terminate(child);
  kill(child);
  expect_eq("the number of signals sent", watching.count("pidfd_send_signal"), 0);
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
}

TEST(Signals, AZombieGetsNothing) {
  lesson("Signals, and whose number it is");
  did("called send_signal(SIGTERM) for a child that has ended and has not been waited for");
  const Kid kid(exits_with(7));
  Child child(kid.pid());
  kid.wait_for_end();
  expect(!send_signal(child, SIGTERM), "false: it has ended already",
         "true (the kernel takes signals for a zombie, and drops them)");
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
  did("called terminate() and kill() for such a child");
  const Kid second(exits_with(7));
  Child another(second.pid());
  second.wait_for_end();
  terminate(another);
  kill(another);
  expect_eq("exitcode()", another.exitcode(), std::optional(7));
}

TEST(Signals, NeverByNumber) {
  lesson("Signals, and whose number it is");
  did("sent signals to a child, and looked at the calls that did it");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  Faults faults;
  std::string by_number;
  for (const std::string_view name : kByNumber) {
    faults.before(name, [&](const Call& call) {
      by_number = std::string(call.name) + " with the number " + std::to_string(call.args[0]) +
                  ", which is another process's when this child has been waited for";
    });
  }
  (void)send_signal(child, 0);
  terminate(child);
  kid.wait_for_end();
  kill(child);
  (void)is_alive(child);
  expect(by_number.empty(), "signals for the pidfd, which never means another process", by_number);
}

// ---- it ends in this very moment

/// What came of send_signal() to a child that ended, and whose status was taken, at one of its
/// system calls.
struct Encounter {
  bool came = false;      ///< whether there were that many calls
  std::string trouble;    ///< what it threw, or that it waited
  std::string closed;     ///< a call with a descriptor that was closed by then
  std::string by_number;  ///< a call with a number that was free by then
};

class Ending {
 public:
  /// @param nth  before (even) or after (odd) which system call the child ends.
  Ending(int nth, bool by_stranger) : nth_(nth), by_stranger_(by_stranger) {
    std::vector<std::string_view> names(kWaits.begin(), kWaits.end());
    names.insert(names.end(), kByNumber.begin(), kByNumber.end());
    names.emplace_back("pidfd_send_signal");
    names.push_back(kGetpid);  // in Use's constructor, which counts its caller in after that
    for (const std::string_view name : names) {
      faults_.before(name, [this](const Call& call) {
        step();
        inspect(call);
      });
      faults_.after(name, [this](const Call&) { step(); });
    }
  }

  Encounter meet() {
    Encounter seen;
    try {
      send_signal(child_, SIGUSR1);
    } catch (const std::exception& error) {
      seen.trouble = error.what();
      if (seen.trouble.starts_with("TODO ")) {
        throw;
      }
    }
    thread_.finish();
    seen.came = steps_ > nth_;
    seen.trouble += waited_;
    seen.closed = closed_;
    seen.by_number = by_number_;
    return seen;
  }

 private:
  void step() {
    if (std::this_thread::get_id() != sender_ || steps_++ != nth_) {
      return;
    }
    kid_.signal(SIGKILL);
    kid_.wait_for_end();
    if (by_stranger_) {
      (void)kid_.take();
      return;
    }
    thread_.act([this] {
      try {
        child_.join();
      } catch (const std::exception&) {  // the other exercise's business
      }
    });
  }

  void inspect(const Call& call) {
    if (std::this_thread::get_id() != sender_) {
      return;
    }
    if (call.name == "pidfd_send_signal" && !is_open(static_cast<int>(call.args[0]))) {
      closed_ = "pidfd_send_signal with descriptor " +
                std::to_string(static_cast<int>(call.args[0])) +
                ", which is not open: that number may be anybody's by then";
    }
    if (std::find(kWaits.begin(), kWaits.end(), call.name) != kWaits.end() && patience(call) > 0) {
      waited_ = "a wait for the child's end";
      kid_.signal(SIGKILL);
    }
    for (const std::string_view name : kByNumber) {
      if (call.name == name && !kid_.is_ours()) {
        by_number_ = std::string(name) + " with the number " + std::to_string(call.args[0]) +
                     ", which by then is free for any other process";
      }
    }
  }

  const int nth_;
  const bool by_stranger_;
  const std::thread::id sender_ = std::this_thread::get_id();
  Kid kid_{waits_for_ever()};
  Child child_{kid_.pid()};
  int steps_ = 0;
  std::string waited_;
  std::string closed_;
  std::string by_number_;
  Faults faults_;
  Bystander thread_;
};

/// Every moment in which the child can end: at each system call of send_signal(), before and after.
std::vector<Encounter> all_endings(bool by_stranger) {
  std::vector<Encounter> seen;
  for (int nth = 0; nth < 40; ++nth) {
    const Encounter next = Ending(nth, by_stranger).meet();
    if (!next.came) {
      break;
    }
    seen.push_back(next);
  }
  expect(!seen.empty(), "at least one system call", "none");
  return seen;
}

TEST(Signals, EndInTheVeryMoment) {
  lesson("Signals, and whose number it is");
  did("sent a signal while another thread joined the child, at each system call in turn");
  for (const Encounter& encounter : all_endings(false)) {
    if (!expect(encounter.closed.empty(),
                "the caller to be counted in (Child::Use, join.hpp), then to ask ended(): so the "
                "descriptor stays open",
                encounter.closed) ||
        !expect(encounter.trouble.empty(),
                "no exception and no wait: it has just ended, that is all", encounter.trouble) ||
        !expect(encounter.by_number.empty(), "a signal for the pidfd", encounter.by_number)) {
      return;
    }
  }
}

TEST(Signals, TakenInTheVeryMoment) {
  lesson("Signals, and whose number it is");
  did("sent a signal while other code waited for the child, at each system call in turn");
  for (const Encounter& encounter : all_endings(true)) {
    if (!expect(encounter.trouble.empty(),
                "no exception and no wait: it has just ended, that is all", encounter.trouble) ||
        !expect(encounter.by_number.empty(), "a signal for the pidfd", encounter.by_number)) {
      return;
    }
  }
}

TEST(Signals, GoneIsNotSent) {
  lesson("Signals, and whose number it is");
  did("called send_signal() for a child that was waited for just before the call (ESRCH)");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  bool sent = true;
  {
    Faults faults;
    faults.before("pidfd_send_signal", [&](const Call&) {
      kid.signal(SIGKILL);
      (void)kid.take();
    });
    sent = send_signal(child, SIGUSR1);
  }
  expect_eq("its result", sent, false);
  expect_eq("is_alive()", is_alive(child), false);
}

// ---- when it is not possible

TEST(Signals, NoSuchSignal) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const int signum : {SIGRTMAX + 1, -1}) {
    did("called send_signal() with " + std::to_string(signum) + ", which is no signal");
    const Kid kid(waits_for_ever());
    Child child(kid.pid());
    int code = 0;
    const std::string text = expect_throw<std::system_error>("std::system_error", [&] {
      try {
        (void)send_signal(child, signum);
      } catch (const std::system_error& error) {
        code = error.code().value();
        throw;
      }
    });
    expect_eq("the code of the exception", code, EINVAL);
    expect(text.find("pidfd_send_signal") != std::string::npos,
           "a text that names pidfd_send_signal", text);
    if (!expect(kid.is_running(), "the child to run on", "it has ended")) {
      return;
    }
  }
}

TEST(Signals, NotPermitted) {
  lesson_in("00-syscalls", "How a call fails: errno");
  const Kid kid(waits_for_ever());
  Child child(kid.pid());
  Faults faults;
  faults.fail("pidfd_send_signal", EPERM, 1000);
  const auto refused = [](const std::string& what, const std::function<void()>& action) {
    did("called " + what + " where the kernel refused it (EPERM)");
    const std::string text = expect_throw<std::system_error>("std::system_error", action);
    expect(text.find("pidfd_send_signal") != std::string::npos,
           "a text that names pidfd_send_signal", text);
  };
  refused("send_signal(SIGUSR1)", [&] { (void)send_signal(child, SIGUSR1); });
  refused("terminate()", [&] { terminate(child); });
  refused("kill()", [&] { kill(child); });
}

TEST(Signals, BelongsToItsCreator) {
  lesson("Who belongs to whom");
  did("used a running child's Child in another process");
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 7;
  });
  Child child(kid.pid());
  const auto expect_all_refused = [&child] {
    const auto refused = [](const std::string& what, const std::string& seen) {
      expect(seen.empty(), what + " to throw std::logic_error there", seen);
    };
    refused("terminate()", as_stranger([&] { terminate(child); }));
    refused("kill()", as_stranger([&] { kill(child); }));
    refused("send_signal(SIGUSR1)", as_stranger([&] { (void)send_signal(child, SIGUSR1); }));
    refused("is_alive()", as_stranger([&] { (void)is_alive(child); }));
  };
  expect_all_refused();
  expect(kid.is_running(), "the child to run on: nothing was sent", "it has ended");
  did("used a joined child's Child in another process");
  gate.open();
  child.join();
  expect_all_refused();
  expect_eq("exitcode()", child.exitcode(), std::optional(7));
}

TEST(Signals, GoesToTheChildAlone) {
  lesson("Signals, and whose number it is");
  did("called terminate() for a child with a child of its own in its process group");
  const Shared<std::atomic<bool>> grandchild_ended;
  const ChildResult result = run_in_child([&grandchild_ended] {
    const Gate ready;
    const Gate gate;
    const Gate done;
    const Kid kid([&] {
      setpgid(0, 0);
      if (fork() == 0) {
        alarm(Kid::kLifetime);
        ready.open();
        gate.pass();
        *grandchild_ended = true;
        done.open();
        _exit(0);
      }
      return waits_for_ever()();
    });
    ready.pass();
    Child child(kid.pid());
    terminate(child);
    if (exitcode_of_ended(kid, child) != -SIGTERM) {
      throw std::runtime_error("exitcode() is " + words(child.exitcode()));
    }
    gate.open();
    pollfd end{done.entrance(), POLLIN, 0};
    must(poll(&end, 1, 1000), "poll");
  });
  detail::not_written_yet(std::runtime_error(result.threw));
  expect(result.threw.empty() && !result.timed_out, "the child to end by SIGTERM",
         result.timed_out ? "it did not end" : result.threw);
  expect(grandchild_ended->load(), "the child's own child to run on", "it was killed, too");
}

}  // namespace
}  // namespace mp::test
