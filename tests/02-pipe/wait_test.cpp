#include "02-pipe/wait.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "01-process/process.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/scene.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// A wait that would not end in time, or not in the right way.
struct Stuck : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Runs `action`, which waits. @return what it returns; after a Stuck the test has failed.
template <class F>
auto unless_stuck(F action) -> std::optional<decltype(action())> {
  try {
    return action();
  } catch (const Stuck& stuck) {
    expect(false, "the wait to end in time", stuck.what());
    return std::nullopt;
  }
}

std::string in_words(double milliseconds) {
  return milliseconds < 0 ? "for ever" : std::to_string(milliseconds) + " ms";
}

/// Gets code out of poll and ppoll that would wait there for more than this.
void limit_waiting(Faults& faults, double milliseconds) {
  before(faults, kPollCalls, [milliseconds](const Call& call) {
    const double patience = poll_patience_ms(call);
    if (patience < 0 || patience > milliseconds) {
      throw Stuck(std::string(call.name) + " told to wait " + in_words(patience));
    }
  });
}
void forbid_waiting(Faults& faults) {
  limit_waiting(faults, 0);
}

/// Gets code out of poll and ppoll that calls them again and again.
void forbid_spinning(Faults& faults, int limit) {
  before(faults, kPollCalls, [&faults, limit](const Call& call) {
    if (count(faults, kPollCalls) > limit) {
      throw Stuck(std::string(call.name) + " called again and again: " + std::to_string(limit) +
                  " times by now");
    }
  });
}

/// The ready ones as places in the list of all: "0 2", or "none".
std::string places(const std::vector<Waitable>& all, const std::vector<Waitable>& ready) {
  std::string text;
  for (const Waitable& one : ready) {
    const auto found = std::find(all.begin(), all.end(), one);
    text += text.empty() ? "" : " ";
    text += found == all.end() ? "(one that was not given)" : std::to_string(found - all.begin());
  }
  return text.empty() ? "none" : text;
}

/// How many of them poll(2) calls ready now.
int count_ready(std::vector<pollfd> items) {
  return ::poll(items.data(), items.size(), 0);
}

/// Waits for all of them, and says which are ready. The test has failed if the code waits for some
/// of them while others are ready.
std::string ready_of(const std::vector<Waitable>& all, Deadline deadline) {
  Faults faults;
  before(faults, kPollCalls, [&all](const Call& call) {
    std::vector<pollfd> given;
    for (const Waitable& one : all) {
      given.push_back({one.fd(), POLLIN, 0});
    }
    const auto* const first = pointer<pollfd>(call.args[0]);
    // In this order: one that becomes ready in between would look as if it had been forgotten.
    if (poll_patience_ms(call) != 0 && count_ready(given) > 0 &&
        count_ready({first, first + call.args[1]}) == 0) {
      throw Stuck(std::string(call.name) + " told to wait " + in_words(poll_patience_ms(call)) +
                  " for some of them, while another one is ready");
    }
  });
  const auto ready = unless_stuck([&] { return wait_until(all, deadline); });
  return ready ? places(all, *ready) : "not known";
}

/// The same without waiting.
std::string ready_now(const std::vector<Waitable>& all) {
  Faults faults;
  forbid_waiting(faults);
  const auto ready = unless_stuck([&all] { return wait_until(all, Deadline::after(0s)); });
  return ready ? places(all, *ready) : "not known";
}

/// What poll() says; none after a failure.
std::optional<bool> poll_now(const Connection& connection) {
  Faults faults;
  forbid_waiting(faults);
  return unless_stuck([&connection] { return connection.poll(); });
}

/// In seconds: nothing that is right ends a child that waits for the test to sleep.
constexpr unsigned kPatient = 10;

/// The body of a Kid that runs `action` as soon as this process sleeps in a call.
std::function<int()> when_asleep(const std::function<void()>& action) {
  return [action, parent = getpid()] {
    falls_asleep(parent);
    action();
    return 0;
  };
}

/// Opens the gate at the end of the scope: nobody then waits for a child that waits for it.
class OpensAtEnd {
 public:
  explicit OpensAtEnd(const Gate& gate) : gate_(gate) {}
  ~OpensAtEnd() { gate_.open(); }
  OpensAtEnd(const OpensAtEnd&) = delete;
  OpensAtEnd& operator=(const OpensAtEnd&) = delete;

 private:
  const Gate& gate_;
};

void nothing(int /*signum*/) {}

// ---- what is ready

TEST(Wait, Message) {
  lesson("Many at once");
  did("waited for two connections, one of which a message has come to");
  auto [a, b] = joined();
  auto [c, d] = joined();
  send_text(d, "hello");
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({a, c}, Deadline::after(kLimit)), "1");
  expect_eq("the message, which is still there,", next_message(c), "hello");
  expect_eq("the list of those that are ready then, counted from 0,", ready_now({a, c}), "none");
}

TEST(Wait, HalfAMessage) {
  lesson("Many at once");
  did("waited for a connection to which 2 bytes of a header have come");
  Ends ends;
  const Connection connection{UniqueFd(ends.give())};
  expect_eq("the list of those that are ready before, counted from 0,", ready_now({connection}),
            "none");
  ends.put(std::string("\0\0", 2));
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({connection}, Deadline::after(kLimit)), "0");
  expect_eq("poll()", poll_now(connection), std::optional(true));
}

TEST(Wait, EndOfFile) {
  lesson("Many at once");
  did("waited for a connection whose other end is closed");
  auto [a, b] = joined();
  auto [c, d] = joined();
  b.close();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({a, c}, Deadline::after(kLimit)), "0");
  did("waited for one whose other end was closed with a message in it that nobody had read");
  send_text(c, "unread");
  d.close();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({a, c}, Deadline::after(kLimit)), "0 1");
}

TEST(Wait, KilledPeer) {
  lesson("Many at once");
  did("waited for a connection whose other end was held by a child that was killed");
  auto ends = joined();
  const Kid kid(waits_for_ever());
  ends.second.close();
  expect_eq("the list of those that are ready before, counted from 0,", ready_now({ends.first}),
            "none");
  kid.signal(SIGKILL);
  expect_eq("the list of those that are ready afterwards, counted from 0,",
            ready_of({ends.first}, Deadline::after(kLimit)), "0");
}

TEST(Wait, Sentinel) {
  lesson("Many at once");
  did("waited for a connection and for the sentinel of a process");
  auto ends = joined();
  const Gate gate;
  Process process([&gate] { gate.pass(); });
  const OpensAtEnd opens(gate);  // before the process is joined
  process.start();
  const std::vector<Waitable> both{ends.first, process.sentinel()};
  expect_eq("the list of those that are ready while it runs, counted from 0,", ready_now(both),
            "none");
  gate.open();
  expect_eq("the list of those that are ready after its end, counted from 0,",
            ready_of(both, Deadline::after(kLimit)), "1");
  process.join();
  process.close();
}

TEST(Wait, PlainDescriptors) {
  lesson("Many at once");
  did("waited for the reading ends of two pipes, one of which something was written to");
  std::array<int, 2> first{};
  must(pipe2(first.data(), O_CLOEXEC), "pipe2");
  const UniqueFd read_first(first[0]);
  UniqueFd write_first(first[1]);
  const Gate second;
  const std::vector<Waitable> all{read_first.get(), second.entrance()};
  second.open();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of(all, Deadline::after(kLimit)), "1");
  did("waited for a pipe whose writing end is closed: poll says POLLHUP, without POLLIN");
  write_first.reset();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of(all, Deadline::after(kLimit)), "0 1");
}

TEST(Wait, ReadyMeansThatThereIsSomethingToReceive) {
  lesson("Many at once");
  did("waited for a connection that has room for what is sent, and nothing to receive");
  auto ends = joined();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_now({ends.first, ends.second}), "none");
}

TEST(Wait, SeveralInTheirOrder) {
  lesson("Many at once");
  did("waited for five connections, three of which are ready");
  auto [a, peer_a] = joined();
  auto [b, peer_b] = joined();
  auto [c, peer_c] = joined();
  auto [d, peer_d] = joined();
  auto [e, peer_e] = joined();
  send_text(peer_a, "last made ready comes first");
  peer_d.close();
  send_text(peer_b, "b");
  expect_eq("the list of those that are ready, as a b c d e were given, counted from 0,",
            ready_of({a, b, c, d, e}, Deadline::after(kLimit)), "0 1 3");
  expect_eq("the list of those that are ready, as d c b e a were given, counted from 0,",
            ready_of({d, c, b, e, a}, Deadline::after(kLimit)), "0 2 4");
}

TEST(Wait, TheSameOneTwice) {
  lesson("Many at once");
  did("waited for a connection that was given twice, with another one in between");
  auto [a, b] = joined();
  auto [c, d] = joined();
  send_text(b, "a");
  expect_eq("the list of those that are ready, counted from 0 and by the first of equal ones,",
            ready_of({a, c, a}, Deadline::after(kLimit)), "0 0");
}

TEST(Wait, Many) {
  lesson("Many at once");
  did("waited for 300 connections, three of which are ready");
  std::vector<Connection> all;
  std::vector<Connection> peers;
  std::vector<Waitable> waitables;
  for (int i = 0; i < 300; ++i) {
    auto [a, b] = joined();
    waitables.emplace_back(a);
    all.push_back(std::move(a));
    peers.push_back(std::move(b));
  }
  send_text(peers[299], "the last");
  send_text(peers[0], "the first");
  peers[150].close();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of(waitables, Deadline::after(kLimit)), "0 150 299");
}

TEST(Wait, HighNumbers) {
  lesson("Many at once");
  rlimit limit{};
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  constexpr int kHigh = 3000;  // an fd_set ends at 1023
  if (limit.rlim_max <= kHigh + 1) {
    GTEST_SKIP() << "this process may not have descriptor " << kHigh;
  }
  did("waited for connections whose descriptors have numbers of 3000 and more");
  auto [a, b] = joined();
  auto [c, d] = joined();
  const Connection high_a(UniqueFd(must(fcntl(a.fileno(), F_DUPFD_CLOEXEC, kHigh), "fcntl")));
  const Connection high_c(UniqueFd(must(fcntl(c.fileno(), F_DUPFD_CLOEXEC, kHigh), "fcntl")));
  send_text(d, "high");
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({high_a, high_c}, Deadline::after(kLimit)), "1");
}

// ---- how long

TEST(Wait, NoneInTime) {
  lesson("One deadline for the whole message");
  did("waited 30 ms for a connection to which nothing comes");
  auto ends = joined();
  Faults faults;
  limit_waiting(faults, 31);  // poll counts in whole milliseconds
  const auto deadline = Deadline::after(30ms);
  const auto ready = unless_stuck([&ends, deadline] { return wait_until({ends.first}, deadline); });
  const bool in_time = deadline.remaining() == 0ns;
  if (ready) {
    expect_eq("how many are ready", ready->size(), std::size_t{0});
    expect(in_time, "the deadline to have passed by then", "an end before it");
  }
}

TEST(Wait, PassedDeadlineLooksOnce) {
  lesson("One deadline for the whole message");
  auto [a, b] = joined();
  auto [c, d] = joined();
  send_text(d, "here");
  for (const auto timeout : {0ms, -5000ms}) {
    did("waited " + std::to_string(timeout.count()) + " ms for two, the second of which is ready");
    Faults faults;
    forbid_waiting(faults);
    const std::vector<Waitable> both{a, c};
    const auto ready = unless_stuck([&] { return wait(both, timeout); });
    expect_eq("the list of those that are ready, counted from 0,",
              places(both, ready.value_or(both)), "1");
    did("waited " + std::to_string(timeout.count()) + " ms for one that is not ready");
    const auto none = unless_stuck([&a = a, timeout] { return wait({a}, timeout); });
    expect_eq("the list of those that are ready, counted from 0,",
              places(both, none.value_or(both)), "none");
  }
  did("waited for two, the second of which is ready, an hour after the deadline");
  Faults faults;
  const auto deadline = Deadline::after(10s);
  faults.advance_clock(1h);
  forbid_waiting(faults);
  const std::vector<Waitable> both{a, c};
  const auto ready = unless_stuck([&] { return wait_until(both, deadline); });
  expect_eq("the list of those that are ready, counted from 0,", places(both, ready.value_or(both)),
            "1");
}

TEST(Wait, NoLimitWaits) {
  lesson("Many at once");
  did("waited without a limit for a message that comes when this process is asleep");
  auto [a, b] = joined();
  auto ends = joined();
  const Kid kid(when_asleep([&ends] { send_text(ends.second, "at last"); }), kPatient);
  expect_eq("the list of those that are ready, counted from 0,",
            places({a, ends.first}, wait({a, ends.first})), "1");
  kid.wait_for_end();
  did("the same with wait(…, nullopt), and an end of file");
  ends.first.close();
  auto others = joined();
  const Kid second(when_asleep([] {}), kPatient);
  others.second.close();
  expect_eq("the list of those that are ready, counted from 0,",
            places({a, others.first}, wait({a, others.first}, std::nullopt)), "1");
}

TEST(Wait, ReturnsBeforeTheDeadlineWhenSomethingComes) {
  lesson("Many at once");
  did("waited an hour at most for a message that comes when this process is asleep");
  auto ends = joined();
  const Kid kid(when_asleep([&ends] { send_text(ends.second, "now"); }), kPatient);
  expect_eq("the list of those that are ready, counted from 0,",
            places({ends.first}, wait({ends.first}, 1h)), "0");
}

TEST(Wait, SignalsDoNotEndIt) {
  lesson("One deadline for the whole message");
  did("waited for a message, which comes after three signals that have a handler");
  struct sigaction action {};
  action.sa_handler = nothing;  // and no SA_RESTART
  must(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  auto ends = joined();
  const Kid kid(
      [&ends, parent = getpid()] {
        for (int i = 0; i < 3; ++i) {
          falls_asleep(parent);
          ::kill(parent, SIGUSR1);
        }
        falls_asleep(parent);
        send_text(ends.second, "after the signals");
        return 0;
      },
      kPatient);
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({ends.first}, Deadline::after(std::chrono::seconds(10))), "0");
  kid.wait_for_end();
}

TEST(Wait, SignalsDoNotMakeItLonger) {
  lesson("One deadline for the whole message");
  did("waited 10 s for nothing, interrupted by a signal every 3 s");
  auto ends = joined();
  Faults faults;
  double left = 10'000;
  int interruptions = 0;
  before(faults, kPollCalls, [&](const Call& call) {
    const double patience = poll_patience_ms(call);
    if (patience < 0 || patience > left + 1) {  // poll counts in whole milliseconds
      throw Stuck("with " + in_words(left) + " left, " + std::string(call.name) + " told to wait " +
                  in_words(patience));
    }
    if (interruptions < 4) {
      ++interruptions;
      faults.advance_clock(3s);
      left = std::max(left - 3000, 0.0);
    }
  });
  fail(faults, kPollCalls, EINTR, 4);
  const auto deadline = Deadline::after(10s);
  const auto ready = unless_stuck([&ends, deadline] { return wait_until({ends.first}, deadline); });
  if (ready) {
    expect_eq("how many are ready", ready->size(), std::size_t{0});
    expect_eq("what remains of the 10 s, in nanoseconds,", deadline.remaining().count(), 0);
  }
}

TEST(Wait, LessThanAMillisecond) {
  lesson("One deadline for the whole message");
  did("waited 0.9 ms for nothing, ten times");
  auto ends = joined();
  for (int i = 0; i < 10; ++i) {
    Faults faults;
    forbid_spinning(faults, 20);
    limit_waiting(faults, 2);
    const auto deadline = Deadline::after(900us);
    const auto ready =
        unless_stuck([&ends, deadline] { return wait_until({ends.first}, deadline); });
    if (!ready || !expect(deadline.remaining() == 0ns, "the deadline to have passed by then",
                          "an end before it: 0.9 ms were taken for 0")) {
      return;
    }
    expect_eq("how many are ready", ready->size(), std::size_t{0});
  }
}

TEST(Wait, SleepsUntilSomethingHappens) {
  lesson("Many at once");
  did("waited 150 ms for nothing, and counted the calls of poll");
  auto ends = joined();
  Faults faults;
  forbid_spinning(faults, 12);
  limit_waiting(faults, 151);
  const auto ready = unless_stuck([&ends] { return wait({ends.first}, 150ms); });
  if (ready) {
    expect_eq("how many are ready", ready->size(), std::size_t{0});
  }
}

TEST(Wait, VeryLateIsNotSoon) {
  lesson("One deadline for the whole message");
  using std::chrono::milliseconds;
  for (const milliseconds timeout :
       {milliseconds((std::int64_t{1} << 32) + 5), milliseconds(std::int64_t{1} << 40)}) {
    did("waited at most " + std::to_string(timeout.count()) +
        " ms, which is more than an int has room for");
    auto ends = joined();
    Faults faults;
    forbid_spinning(faults, 50);
    before(faults, kPollCalls, [&ends](const Call& call) {
      const double patience = poll_patience_ms(call);
      if (patience > 0 && patience < 1000) {
        throw Stuck(std::string(call.name) + " told to wait " + in_words(patience));
      }
      if (patience != 0) {
        ::send(ends.second.fileno(), "x", 1, MSG_NOSIGNAL);
      }
    });
    const auto ready = unless_stuck([&ends, timeout] { return wait({ends.first}, timeout); });
    if (!ready || !expect_eq("how many are ready", ready->size(), std::size_t{1})) {
      return;
    }
  }
}

// ---- mistakes

TEST(Wait, NothingToWaitFor) {
  lesson("Many at once");
  did("waited for nothing, for ever");
  {
    Faults faults;
    forbid_waiting(faults);
    expect_throw<ValueError>("ValueError", [] { (void)wait({}); });
  }
  did("waited for nothing, 20 ms");
  Faults faults;
  limit_waiting(faults, 21);
  const auto deadline = Deadline::after(20ms);
  const auto ready = unless_stuck([deadline] { return wait_until({}, deadline); });
  if (ready) {
    expect_eq("how many are ready", ready->size(), std::size_t{0});
    expect_eq("what remains of the 20 ms, in nanoseconds,", deadline.remaining().count(), 0);
  }
  did("waited for nothing, 0 ms");
  const auto none = unless_stuck([] { return wait({}, 0ms); });
  if (none) {
    expect_eq("how many are ready", none->size(), std::size_t{0});
  }
}

TEST(Wait, ClosedConnection) {
  lesson("One owner for a descriptor");
  did("waited for a connection, closed it, and waited again");
  auto [a, b] = joined();
  send_text(b, "one");
  expect_eq("the list of those that are ready, counted from 0,", ready_now({a}), "0");
  a.close();
  expect_throw<ValueError>("ValueError", [&a = a] { (void)wait({a}, 0ms); });
}

TEST(Wait, DescriptorThatIsNotOpen) {
  lesson("Many at once");
  auto [a, b] = joined();
  auto [c, d] = joined();
  send_text(d, "ready");
  const int closed = must(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 100), "fcntl");
  ::close(closed);
  Faults faults;
  before(faults, kPollCalls, [](const Call& call) {
    const auto* const first = pointer<pollfd>(call.args[0]);
    if (poll_patience_ms(call) != 0 && count_ready({first, first + call.args[1]}) == 0) {
      throw Stuck(std::string(call.name) + " passes over it, and waits " +
                  in_words(poll_patience_ms(call)));
    }
  });
  for (const int fd : {closed, -1, -7}) {
    const std::string number = std::to_string(fd);
    for (const auto& [words, deadline] : {std::pair("without waiting", Deadline::after(0s)),
                                          {"for 10 s", Deadline::after(10s)},
                                          {"for ever", Deadline::never()}}) {
      did("looked " + std::string(words) + " for descriptor " + number + ", which is not open");
      expect_error(EBADF, [fd = fd, deadline = deadline] { (void)wait_until({fd}, deadline); });
      did("looked " + std::string(words) + " for descriptor " + number +
          ", which is not open, and a connection that is not ready");
      expect_error(EBADF, [&a = a, fd = fd, deadline = deadline] {
        (void)wait_until({a, fd}, deadline);
      });
      did("looked " + std::string(words) + " for descriptor " + number +
          ", which is not open, and a connection that is ready");
      expect_error(EBADF, [&c = c, fd = fd, deadline = deadline] {
        (void)wait_until({c, fd}, deadline);
      });
    }
  }
}

TEST(Wait, ErrorsOfTheCallAreThrown) {
  lesson("Many at once");
  did("made poll and ppoll fail with ENOMEM");
  auto [a, b] = joined();
  send_text(b, "ready");
  {
    Faults faults;
    fail(faults, kPollCalls, ENOMEM);
    expect_error(ENOMEM, [&a = a] { (void)wait({a}, kLimit); });
  }
  {
    Faults faults;
    fail(faults, kPollCalls, ENOMEM);
    expect_error(ENOMEM, [&a = a] { (void)a.poll(kLimit); });
  }
  did("tried again after that");
  expect_eq("poll()", poll_now(a), std::optional(true));
}

// ---- Connection::poll

TEST(Wait, PollTakesNothing) {
  lesson("Many at once");
  did("called poll() before and after a message came, and after it was received");
  auto [a, b] = joined();
  expect_eq("poll() before", poll_now(a), std::optional(false));
  send_text(b, "whole");
  for (int i = 0; i < 3; ++i) {
    expect_eq("poll()", poll_now(a), std::optional(true));
  }
  expect_eq("the message", next_message(a), "whole");
  expect_eq("poll() afterwards", poll_now(a), std::optional(false));
}

TEST(Wait, PollIsTrueForAnEmptyMessage) {
  lesson("A frame says where a message ends");
  did("called poll() when an empty message has come");
  auto [a, b] = joined();
  send_text(b, "");
  expect_eq("poll()", poll_now(a), std::optional(true));
  expect_eq("poll() again", poll_now(a), std::optional(true));
  expect_eq("the message", next_message(a), "");
  expect_eq("poll() afterwards", poll_now(a), std::optional(false));
}

TEST(Wait, PollIsTrueAtTheEndOfFile) {
  lesson("Nobody reads any more");
  did("called poll() when the other end is closed");
  auto [a, b] = joined();
  b.close();
  for (int i = 0; i < 2; ++i) {
    expect_eq("poll()", poll_now(a), std::optional(true));
    expect_eq("what is received", next_message(a), "(the end of file)");
  }
}

TEST(Wait, PollHasALimit) {
  lesson("One deadline for the whole message");
  auto ends = joined();
  for (const auto timeout : {0ms, -1ms, -5000ms}) {
    did("called poll(" + std::to_string(timeout.count()) + "ms) with nothing to receive");
    Faults faults;
    forbid_waiting(faults);
    const auto answer = unless_stuck([&ends, timeout] { return ends.first.poll(timeout); });
    expect_eq("the result", answer.value_or(true), false);
  }
  did("called poll_until() with nothing to receive, 30 ms from the deadline");
  const auto deadline = Deadline::after(30ms);
  Faults faults;
  limit_waiting(faults, 31);
  const auto answer = unless_stuck([&ends, deadline] { return ends.first.poll_until(deadline); });
  const bool in_time = deadline.remaining() == 0ns;
  expect_eq("the result", answer.value_or(true), false);
  expect(in_time, "the deadline to have passed by then", "an end before it");
}

TEST(Wait, PollNulloptWaits) {
  lesson("Many at once");
  did("called poll(nullopt), with a message that comes when this process is asleep");
  auto ends = joined();
  const Kid kid(when_asleep([&ends] { send_text(ends.second, "at last"); }), kPatient);
  expect_eq("the result", ends.first.poll(std::nullopt), true);
  expect_eq("the message", next_message(ends.first), "at last");
}

TEST(Wait, PollOfOneThatOnlySends) {
  lesson("Both directions");
  did("called poll() on an end that only sends");
  Ends ends;
  Connection sender(UniqueFd(ends.give()), false, true);
  ends.put("not for it");
  expect_throw<ValueError>("ValueError", [&] { (void)sender.poll(); });
  send_text(sender, "still usable");
  expect_eq("what the other end reads", ends.take(16), frame("still usable"));
}

TEST(Wait, PollOfOneThatIsClosed) {
  lesson("One owner for a descriptor");
  did("called poll() on a connection that is closed, and on one that was moved from");
  auto [a, b] = joined();
  auto [c, d] = joined();
  a.close();
  const Connection taken = std::move(c);
  expect_throw<ValueError>("ValueError", [&a = a] { (void)a.poll(); });
  // NOLINTNEXTLINE(bugprone-use-after-move)
  expect_throw<ValueError>("ValueError", [&c = c] { (void)c.poll(1s); });
}

TEST(Wait, WritingEndWithoutAReader) {
  lesson("Many at once");
  did("waited for the writing end of a pipe that nobody can read any more: poll says POLLERR");
  std::array<int, 2> ends{};
  must(pipe2(ends.data(), O_CLOEXEC), "pipe2");
  UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  reader.reset();
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of({writer.get()}, Deadline::after(kLimit)), "0");
}

TEST(Wait, ManyAreReady) {
  lesson("Many at once");
  did("waited for 6 connections, of which all but the second one are ready");
  std::vector<std::pair<Connection, Connection>> pairs;
  std::vector<Waitable> waitables;
  for (int i = 0; i < 6; ++i) {
    pairs.push_back(joined());
    waitables.emplace_back(pairs.back().first);
    if (i != 1) {
      send_text(pairs.back().second, "ready");
    }
  }
  expect_eq("the list of those that are ready, counted from 0,",
            ready_of(waitables, Deadline::after(kLimit)), "0 2 3 4 5");
}

TEST(Wait, WhatIsKeptDoesNotCount) {
  lesson("One deadline for the whole message");
  did("asked a connection that has kept a part of a message, when the kernel has nothing more");
  Ends ends;
  Connection connection{UniqueFd(ends.give())};
  ends.put(frame("not all of it").substr(0, 6));
  expect_throw<TimeoutError>("TimeoutError",
                             [&] { (void)connection.recv_bytes_until(Deadline::after(0s)); });
  expect_eq("poll()", connection.poll(), false);
}

}  // namespace
}  // namespace mp::test
