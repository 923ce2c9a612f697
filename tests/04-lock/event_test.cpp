#include "04-lock/event.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <memory>
#include <string>
#include <vector>

#include "04-lock/asked.hpp"
#include "04-lock/waiters.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"
#include "support/recorder.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A child that waits without a limit, and says what came of it.
std::function<std::string()> waits(const Event& event) {
  return [&event] { return yes_or_no(event.wait_until(Deadline::never())); };
}

/// Sets it in a child: one that waits for the dead must not keep the test.
std::string set_by_a_child(Event& event) {
  return Asked([&event] {
           event.set();
           return "done";
         })
      .answer();
}

/// For handlers, which know no local variables.
Event*& the_event() {
  static Event* event = nullptr;
  return event;
}

// ---- the flag

TEST(Event, SetAndClear) {
  lesson("A flag that is not forgotten");
  did("made an event, set it twice, and cleared it twice");
  Event event;
  expect_eq("is_set() at the beginning", event.is_set(), false);
  for (int i = 0; i < 2; ++i) {
    event.set();
    expect_eq("is_set() after set()", event.is_set(), true);
  }
  for (int i = 0; i < 2; ++i) {
    event.clear();
    expect_eq("is_set() after clear()", event.is_set(), false);
  }
  event.set();
  expect_eq("is_set() after another set()", event.is_set(), true);
}

TEST(Event, WaitsNotWhenItIsSet) {
  lesson("A flag that is not forgotten");
  Event event;
  event.set();
  for (const auto& [words, deadline] : {std::pair("for ever", Deadline::never()),
                                        {"an hour", Deadline::after(1h)},
                                        {"0 s", Deadline::after(0s)},
                                        {"-5 s", Deadline::after(-5s)}}) {
    did(std::string("waited ") + words + " for an event that is set");
    const Asked child([&event, deadline = deadline] {
      Faults faults;
      const bool set = event.wait_until(deadline);
      return yes_or_no(set) + (faults.count("futex") == 0 ? "" : ", by a call of futex(2)");
    });
    if (!expect_eq("what wait() returned", child.answer(), "true")) {
      return;
    }
  }
}

TEST(Event, WhatHasBeenIsOver) {
  lesson("A flag that is not forgotten");
  did("set and cleared an event, then waited for it: without time, and 20 ms");
  Event event;
  for (int i = 0; i < 3; ++i) {
    event.set();
    event.clear();
    expect_eq("what wait(0) returned", event.wait(0s), false);
  }
  expect_eq("what wait(20 ms) returned", event.wait(20ms), false);
}

TEST(Event, TwoAddresses) {
  lesson("A flag that is not forgotten");
  did("let a child wait for an event whose State this process has at another address, and set it");
  const TwoViews<Event::State> state;
  Event here(state.here());
  const Event there(state.there());
  const Waiters child(1, waits(there));
  here.set();
  child.expect_all("what wait() returned", "true");
  expect_eq("is_set() of the other one", there.is_set(), true);
}

// ---- asleep and awake

TEST(Event, WakesAll) {
  lesson("A flag that is not forgotten");
  did("let three children wait, and set the event");
  Event event;
  const Waiters children(3, waits(event));
  event.set();
  children.expect_all("what wait() returned", "true");
}

TEST(Event, WakesHoweverManyThereAre) {
  lesson("A flag that is not forgotten");
  did("let a child wait, set the event, and looked at how many the kernel is told to wake");
  Event event;
  const Waiters child(1, waits(event));
  if (!child.all_asleep()) {
    return;
  }
  const Faults faults;
  event.set();
  const long told = told_to_wake(faults);
  expect(told >= 1'000'000, "all, however many they are (a million at least)",
         std::to_string(told) + " at most");
}

TEST(Event, SetAndClearedAtOnce) {
  lesson("A flag that is not forgotten");
  Event event;
  for (int i = 0; i < 3; ++i) {
    did("let three children wait, set the event, and cleared it at once");
    const Waiters children(3, waits(event));
    if (!children.all_asleep()) {
      return;
    }
    event.set();
    event.clear();
    children.expect_all("what wait() returned", "true");
    if (!expect_eq("is_set()", event.is_set(), false)) {
      return;
    }
  }
}

TEST(Event, ClearWakesNobody) {
  lesson("A flag that is not forgotten");
  did("let a child wait 60 ms, and cleared the event, which was not set");
  Event event;
  const Asked child([&event] { return yes_or_no(event.wait(60ms)); });
  falls_asleep_in_futex(child.pid());
  event.clear();
  expect_eq("what wait() returned", child.answer(), "false");
}

TEST(Event, SignalsDoNotEndIt) {
  lesson("A flag that is not forgotten");
  did("sent three signals that have a handler to a child that waits, and set the event then");
  Event event;
  const Shared<std::atomic<int>> handled;
  const Waiters child(1, [&] {
    count_sigusr1(*handled);
    return waits(event)();
  });
  if (child.all_asleep() && sleeps_on_after_signals(child[0], *handled)) {
    event.set();
    child.expect_all("what wait() returned", "true");
  }
}

// ---- nobody waits for the woken

TEST(Event, KilledWaiter) {
  lesson("Nobody waits for the woken");
  did("let three children wait, killed one of them (kill -9), and set the event");
  Event event;
  const Waiters children(3, waits(event));
  if (!children.all_asleep()) {
    return;
  }
  children.kill(0);
  for (int i = 0; i < 2; ++i) {
    if (!expect_eq("what became of set()", set_by_a_child(event), "done")) {
      return;
    }
    expect_eq("is_set()", event.is_set(), true);
    event.clear();
  }
  expect_eq("what wait() returned to the second one", children[1].answer(), "true");
  expect_eq("what wait() returned to the third one", children[2].answer(), "true");
}

TEST(Event, StoppedWaiter) {
  lesson("Nobody waits for the woken");
  for (const int times : {1, 2, 3, 4, 5, 8, 16, 256, 65536}) {
    did("let a child wait, stopped it (SIGSTOP), set the event and cleared it " +
        (times == 1 ? "once" : std::to_string(times) + " times"));
    Event event;
    const Waiters child(1, waits(event));
    if (!child.all_asleep()) {
      return;
    }
    child[0].kid().signal(SIGSTOP);
    child[0].kid().wait_until_stopped();
    // In a child: one that waits for the stopped must not keep the test.
    const Asked setter([&event, times] {
      for (int i = 0; i < times; ++i) {
        event.set();
        event.clear();
      }
      return "done";
    });
    if (!expect_eq("what became of set()", setter.answer(), "done")) {
      return;
    }
    did("let it go on");
    child[0].kid().signal(SIGCONT);
    if (!expect_eq("what wait() returned", child[0].answer(), "true")) {
      return;
    }
  }
}

// ---- signal handlers

TEST(Event, SetByTheHandlerOfWhoWaits) {
  lesson("In a signal handler");
  did("let a child wait for an event that its own signal handler sets");
  Event event;
  const Waiters child(1, [&event] {
    the_event() = &event;
    take_sigusr1([](int) { the_event()->set(); });
    return waits(event)();
  });
  if (child.all_asleep()) {
    child[0].kid().signal(SIGUSR1);
    child.expect_all("what wait() returned", "true");
  }
}

TEST(Event, HandlerInTheMiddle) {
  lesson("In a signal handler");
  did("set and cleared an event again and again, and did so in a signal handler as well");
  Event event;
  const Asked child(
      [&event]() -> std::string {
        the_event() = &event;
        static volatile sig_atomic_t times = 0;
        struct sigaction action {};
        action.sa_handler = [](int) {
          times = times + 1;
          the_event()->set();
          (void)the_event()->is_set();
          the_event()->clear();
        };
        must(sigaction(SIGPROF, &action, nullptr), "sigaction");
        const itimerval often{{0, 1000}, {0, 1000}};
        must(setitimer(ITIMER_PROF, &often, nullptr), "setitimer");
        while (times < 5) {
          event.set();
          (void)event.is_set();
          (void)event.wait(0s);
          event.clear();
        }
        return "done";
      },
      4);
  expect_eq("what became of it", child.answer(), "done");
}

// ---- the time

TEST(Event, TimesOut) {
  lesson("A moment, not a duration");
  did("waited 60 ms for a set() that does not come");
  const Event event;
  const Asked child([&event] {
    const auto deadline = Deadline::after(60ms);
    const bool set = event.wait_until(deadline);
    return yes_or_no(set) + (deadline.remaining() == 0ns ? ", in time" : ", too early");
  });
  expect_eq("what wait() returned, and when,", child.answer(), "false, in time");
}

TEST(Event, NoTimeDoesNotWait) {
  lesson("A moment, not a duration");
  const Event event;
  for (const auto timeout : {0ms, -1ms, -5000ms}) {
    did("called wait(" + std::to_string(timeout.count()) + " ms)");
    const Asked child([&event, timeout] { return yes_or_no(event.wait(timeout)); });
    if (!expect_eq("what it returned", child.answer(), "false")) {
      return;
    }
  }
}

TEST(Event, SetWithTheDeadline) {
  lesson("A moment, not a duration");
  for (const bool cleared : {false, true}) {
    did(std::string("set the event") + (cleared ? " and cleared it" : "") +
        " when the kernel was about to say that the time is over");
    Event event;
    Faults faults;
    faults.before("futex", [&event, cleared](const Call& /*call*/) {
      event.set();
      if (cleared) {
        event.clear();
      }
    });
    faults.fail("futex", ETIMEDOUT);
    expect_eq("what wait() returned", event.wait(1h), true);
  }
}

// ---- budgets and errors

TEST(Event, FewCalls) {
  lesson("A flag that is not forgotten");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("set, looked at, waited for and cleared an event fifty times, with nobody who waits");
  Event event;
  const Recording recording = record(
      [&event] {
        for (int i = 0; i < 50; ++i) {
          event.set();
          event.wait();
          (void)event.is_set();
          event.clear();
          (void)event.is_set();
        }
      },
      {.deadline = 3s});
  expect(recording.threw.empty(), "no exception", recording.threw);
  expect(!recording.timed_out, "it to come to its end in 3 s", "it goes on");
  expect(recording.count(Family::kFutex) <= 50, "one call of futex(2) for each set(), at most",
         recording.to_string());
}

TEST(Event, ErrorsAreThrown) {
  lesson("A flag that is not forgotten");
  did("made futex(2) fail with ENOSYS for a child that waits, and for one that sets the event");
  Event event;
  const Asked waiter([&event] {
    Faults faults;
    faults.fail("futex", ENOSYS, 5);
    return errno_of([&event] { event.wait(); });
  });
  expect_eq("what wait() threw", waiter.answer(), "ENOSYS");
  const Waiters sleeper(1, waits(event));
  Faults faults;
  faults.fail("futex", ENOSYS);
  expect_eq("what set() threw", errno_of([&event] { event.set(); }), "ENOSYS");
}

// ---- all at once

TEST(Event, ToAndFro) {
  lesson("A flag that is not forgotten");
  did("let two children hand a turn to each other 200 times, by two events");
  Event ping;
  Event pong;
  const auto plays = [](Event& mine, Event& other) {
    return [&mine, &other] {
      for (int i = 0; i < 200; ++i) {
        mine.wait();
        mine.clear();
        other.set();
      }
      return std::string("done");
    };
  };
  ping.set();
  const Asked one(plays(ping, pong), 4);
  const Asked two(plays(pong, ping), 4);
  expect_eq("what became of one child", one.answer(), "done");
  expect_eq("what became of the other child", two.answer(), "done");
}

}  // namespace
}  // namespace mp::test
