#include "00-syscalls/deadline.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr auto kCentury = std::chrono::hours(24 * 365 * 100);

/// CLOCK_MONOTONIC. In a hook, and where nobody advances the clock, that is the real one.
nanoseconds clock_now() {
  timespec now{};
  if (clock_gettime(CLOCK_MONOTONIC, &now) == -1) {
    throw std::system_error(errno, std::generic_category(), "clock_gettime");
  }
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

/// A length of time in the unit that suits it: "0.900 ms", "1.500 s", "30.000 days".
std::string in_words(nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  std::array<char, 64> text{};
  if (time >= 48h || time <= -48h) {
    std::snprintf(text.data(), text.size(), "%.3f days", seconds / (24 * 60 * 60));
  } else if (time >= 1s || time <= -1s) {
    std::snprintf(text.data(), text.size(), "%.3f s", seconds);
  } else {
    std::snprintf(text.data(), text.size(), "%.3f ms", seconds * 1000);
  }
  return text.data();
}

/// The name of a clock, as clock_gettime(2) has it.
std::string clock_in_words(long clock) {
  switch (clock) {
    case CLOCK_MONOTONIC:
      return "CLOCK_MONOTONIC";
    case CLOCK_MONOTONIC_RAW:
      return "CLOCK_MONOTONIC_RAW";
    case CLOCK_MONOTONIC_COARSE:
      return "CLOCK_MONOTONIC_COARSE";
    case CLOCK_BOOTTIME:
      return "CLOCK_BOOTTIME";
    case CLOCK_REALTIME:
      return "CLOCK_REALTIME";
    case CLOCK_REALTIME_COARSE:
      return "CLOCK_REALTIME_COARSE";
    default:
      return "clock number " + std::to_string(clock);
  }
}

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == -1) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
  }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void make_ready() const {
    if (write(ends[1], "x", 1) != 1) {
      throw std::system_error(errno, std::generic_category(), "write");
    }
  }
  [[nodiscard]] pollfd item() const { return {ends[0], POLLIN, 0}; }

  std::array<int, 2> ends{};
};

/// Watches the waits that poll_until() asks the kernel for, with poll or ppoll, and interrupts some
/// of them. An interruption takes no real time: the monotonic clock is moved instead.
class Waits {
 public:
  struct Wait {
    std::optional<nanoseconds> timeout;  ///< none: for ever
    std::string in_words;                ///< the time-out, with what "for ever" was said by
    nanoseconds latest;                  ///< the clock, not before the time-out was worked out
    nanoseconds now;                     ///< the clock as the call was made
  };

  Waits() {
    for (const char* name : {"poll", "ppoll"}) {
      faults_.before(name, [this](const Call& call) { note(call); });
    }
  }

  /// The next calls are broken off by a signal, each after that much time.
  void interrupt(int times, nanoseconds after) {
    faults_.fail("poll", EINTR, times);
    faults_.fail("ppoll", EINTR, times);
    interruptions_ = times;
    each_ = after;
  }

  /// Runs `action` before the n-th wait, the first of which is 1.
  void before_wait(std::size_t n, std::function<void()> action) {
    at_ = n;
    action_ = std::move(action);
  }

  /// poll_until(), or none (and the test has failed) where it would not have come to an end.
  std::optional<int> poll_until(std::span<pollfd> fds, Deadline deadline) {
    last_event_ = clock_now();
    try {
      return mp::poll_until(fds, deadline);
    } catch (const Stuck& stuck) {
      expect(false, "poll_until() to end in time", stuck.what());
      return std::nullopt;
    } catch (const BadTime& bad) {
      expect(false, "a timespec whose tv_nsec is 0 or more and below 1,000,000,000 (a second)",
             bad.what());
      return std::nullopt;
    }
  }

  [[nodiscard]] const std::vector<Wait>& all() const { return waits_; }
  Faults& faults() { return faults_; }

 private:
  struct Stuck : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  struct BadTime : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  template <class T>
  static const T* argument(const Call& call, std::size_t n) {
    return reinterpret_cast<const T*>(call.args.at(n));  // NOLINT(performance-no-int-to-ptr)
  }

  static std::optional<nanoseconds> timeout_of(const Call& call) {
    if (call.name == "poll") {
      const int milliseconds = static_cast<int>(call.args[2]);
      return milliseconds < 0 ? std::nullopt
                              : std::optional<nanoseconds>(std::chrono::milliseconds(milliseconds));
    }
    const auto* time = argument<timespec>(call, 2);
    if (time == nullptr) {
      return std::nullopt;
    }
    if (time->tv_nsec < 0 || time->tv_nsec >= 1'000'000'000) {
      throw BadTime("ppoll called with tv_sec " + std::to_string(time->tv_sec) + " and tv_nsec " +
                    std::to_string(time->tv_nsec) + ", to which the kernel says EINVAL");
    }
    constexpr auto kLongest = std::chrono::floor<std::chrono::seconds>(nanoseconds::max());
    const std::chrono::seconds seconds(time->tv_sec);
    return seconds < kLongest ? seconds + nanoseconds(time->tv_nsec) : nanoseconds::max();
  }

  static std::string timeout_in_words(const Call& call, std::optional<nanoseconds> timeout) {
    if (timeout) {
      return mp::test::in_words(*timeout);
    }
    return call.name == "poll" ? "for ever (a time-out of " +
                                     std::to_string(static_cast<int>(call.args[2])) + " ms)"
                               : "for ever (a null pointer for the time-out)";
  }

  /// Asks for the call, without waiting, on a copy.
  static bool any_ready(const Call& call) {
    const auto* first = argument<pollfd>(call, 0);
    std::vector<pollfd> copy(first, first + call.args[1]);
    return poll(copy.data(), copy.size(), 0) != 0;  // -1 as well: the call will not wait either
  }

  void note(const Call& call) {
    const auto timeout = timeout_of(call);
    const Wait wait{timeout, timeout_in_words(call, timeout), last_event_, clock_now() + advanced_};
    waits_.push_back(wait);
    if (waits_.size() == at_) {
      action_();
    }
    if (waits_.size() > kTooMany) {
      throw Stuck(std::string(call.name) + " called again and again");
    }
    if (interruptions_ > 0) {
      --interruptions_;
      advanced_ += each_;
      faults_.advance_clock(each_);
    } else if (wait.timeout.value_or(kCentury) > 1s && !any_ready(call)) {
      throw Stuck(std::string(call.name) + " told to wait " + wait.in_words);
    }
    last_event_ = clock_now() + advanced_;
  }

  static constexpr std::size_t kTooMany = 100;

  Faults faults_;
  std::vector<Wait> waits_;
  nanoseconds last_event_{0};
  nanoseconds advanced_{0};
  nanoseconds each_{0};
  int interruptions_ = 0;
  std::size_t at_ = 0;
  std::function<void()> action_;
};

TEST(Deadline, ClockIsTheOneThatNobodyCanSet) {
  lesson("Which clock");
  did("called monotonic_now(), and looked which clock it reads");
  Faults watching;
  monotonic_now();
  for (const Call& call : watching.calls("clock_gettime")) {  // none where std::chrono reads it
    const auto clock = static_cast<clockid_t>(call.args[0]);
    expect(clock == CLOCK_MONOTONIC, "CLOCK_MONOTONIC", clock_in_words(clock));
  }
}

TEST(Deadline, NowIsTheMonotonicClock) {
  lesson("Which clock");
  did("called monotonic_now() 100 times, each between two readings of CLOCK_MONOTONIC");
  for (int i = 0; i < 100; ++i) {
    const nanoseconds before = clock_now();
    const nanoseconds now = monotonic_now();
    const nanoseconds after = clock_now();
    if (!expect(before <= now && now <= after, "a moment between the two readings",
                now < before ? in_words(before - now) + " before the first"
                             : in_words(now - after) + " after the second")) {
      return;
    }
  }
}

TEST(Deadline, ClockThatCannotBeReadThrows) {
  lesson("How a call fails: errno");
  did("made clock_gettime fail with EPERM");
  Faults faults;
  faults.fail("clock_gettime", EPERM);
  bool threw = false;
  try {
    monotonic_now();
  } catch (const std::system_error& error) {
    threw = error.code().value() == EPERM;
  }
  const bool asked = faults.count("clock_gettime") > 0;  // std::chrono has a way of its own
  expect(threw || !asked, "a std::system_error with EPERM", "none");
}

TEST(Deadline, RemainingCountsDown) {
  lesson("Interrupted: EINTR");
  did("made a deadline 10 s away, and advanced the clock by 3 s");
  Faults faults;
  const nanoseconds start = clock_now();
  const auto deadline = Deadline::after(10s);
  const nanoseconds first = deadline.remaining();
  faults.advance_clock(3s);
  const nanoseconds second = deadline.remaining();
  const nanoseconds elapsed = clock_now() - start;
  expect(first <= 10s && first >= 13s - elapsed, "10 s left at first", in_words(first));
  expect(second <= 7s && second >= 10s - elapsed, "7 s left then", in_words(second));
}

TEST(Deadline, RemainingIsNeverNegative) {
  lesson("Which clock");
  did("made a deadline 1 ms away, and advanced the clock by an hour");
  Faults faults;
  const auto deadline = Deadline::after(1ms);
  faults.advance_clock(1h);
  expect_eq("what remains, in nanoseconds,", deadline.remaining().count(), 0);
}

TEST(Deadline, ZeroOrLessHasPassed) {
  lesson("Which clock");
  did("made a deadline of 0 ms and one of -5 s");
  expect_eq("what remains of 0 ms, in nanoseconds,", Deadline::after(0ms).remaining().count(), 0);
  expect_eq("what remains of -5 s, in nanoseconds,", Deadline::after(-5s).remaining().count(), 0);
}

TEST(Deadline, NeverHasAllTheTime) {
  lesson("Which clock");
  did("asked Deadline::never() what remains");
  expect_eq("what remains, in nanoseconds,", Deadline::never().remaining().count(),
            nanoseconds::max().count());
}

TEST(Deadline, LongestTimeoutIsVeryLate) {
  lesson("Which clock");
  did("made deadlines of nanoseconds::max() and hours::max()");
  for (const Deadline deadline :
       {Deadline::after(nanoseconds::max()), Deadline::after(std::chrono::hours::max())}) {
    const nanoseconds left = deadline.remaining();
    expect(left > kCentury, "a century or more left", in_words(left));
  }
}

/// The moment itself, which is private; none is never.
std::optional<nanoseconds> moment_of(const Deadline& deadline) {
  static_assert(sizeof(Deadline) == sizeof(std::optional<nanoseconds>));
  std::optional<nanoseconds> moment;
  std::memcpy(static_cast<void*>(&moment), &deadline, sizeof deadline);
  return moment;
}

TEST(Deadline, SumOfClockAndTimeoutDoesNotOverflow) {
  lesson("Which clock");
  did("made a deadline of nanoseconds::max()");
  // A sum that has wrapped round may wrap back in remaining(), or not: it is undefined.
  const nanoseconds before = clock_now();
  const auto moment = moment_of(Deadline::after(nanoseconds::max()));
  expect(!moment || *moment > before, "a moment in the future",
         moment ? in_words(*moment) + " on a clock that stands at " + in_words(before) : "");
}

TEST(Deadline, SettingTheWallClockChangesNothing) {
  lesson("Which clock");
  did("made a deadline 10 s away, and set the wall clock an hour forward, then an hour back");
  Faults faults;
  const nanoseconds start = clock_now();
  const auto deadline = Deadline::after(10s);
  faults.set_wall_clock(1h);
  const nanoseconds forward = deadline.remaining();
  faults.set_wall_clock(-1h);
  const nanoseconds back = deadline.remaining();
  const nanoseconds elapsed = clock_now() - start;
  expect(forward <= 10s && forward >= 10s - elapsed, "10 s left at first", in_words(forward));
  expect(back <= 10s && back >= 10s - elapsed, "10 s left then", in_words(back));
}

TEST(Deadline, NanosecondsStayBelowASecond) {
  lesson("Which clock");
  did("polled a pipe that holds something, for 1.5 s, and looked at the time-out");
  const Pipe pipe;
  pipe.make_ready();
  pollfd item = pipe.item();
  Waits waits;
  expect_eq("the result", waits.poll_until({&item, 1}, Deadline::after(1500ms)), std::optional(1));
}

TEST(Deadline, PollCountsTheReadyDescriptors) {
  lesson("Interrupted: EINTR");
  did("polled three pipes, the first and the third of which hold something");
  const std::array<Pipe, 3> pipes;
  pipes[0].make_ready();
  pipes[2].make_ready();
  std::array<pollfd, 3> fds{pipes[0].item(), pipes[1].item(), pipes[2].item()};
  Waits waits;
  expect_eq("the result", waits.poll_until(fds, Deadline::after(10s)), std::optional(2));
  expect_eq("revents of the first", fds[0].revents, POLLIN);
  expect_eq("revents of the second", fds[1].revents, 0);
  expect_eq("revents of the third", fds[2].revents, POLLIN);
}

TEST(Deadline, PollReturnsNotBeforeTheDeadline) {
  lesson("Which clock");
  did("polled an empty pipe for 1.9 ms, ten times");
  const Pipe pipe;
  for (int i = 0; i < 10; ++i) {
    pollfd item = pipe.item();
    Waits waits;
    const nanoseconds start = clock_now();
    const auto result = waits.poll_until({&item, 1}, Deadline::after(1900us));
    const nanoseconds elapsed = clock_now() - start;
    if (!expect_eq("the result", result, std::optional(0)) ||
        !expect(elapsed >= 1900us, "a wait of 1.9 ms or more", in_words(elapsed))) {
      return;
    }
  }
}

TEST(Deadline, InterruptionDoesNotEndTheWait) {
  lesson("Interrupted: EINTR");
  did("polled an empty pipe for 20 ms, interrupted by a signal after 10 ms");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(1, 10ms);
  const nanoseconds start = clock_now();
  const auto result = waits.poll_until({&item, 1}, Deadline::after(20ms));
  const nanoseconds elapsed = clock_now() - start;
  expect_eq("the result", result, std::optional(0));
  expect(elapsed >= 20ms, "a wait of 20 ms or more", in_words(elapsed));
}

TEST(Deadline, InterruptionsDoNotStretchTheWait) {
  lesson("Interrupted: EINTR");
  did("polled for 100 ms, interrupted by a signal every 30 ms, five times");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(5, 30ms);
  const auto deadline = Deadline::after(100ms);
  const nanoseconds end = clock_now() + 100ms;  // at the latest
  const auto result = waits.poll_until({&item, 1}, deadline);
  constexpr auto kRounding = 2ms;
  for (const Waits::Wait& wait : waits.all()) {
    const nanoseconds left = std::max(end - wait.latest, nanoseconds(0));
    if (!expect(wait.timeout.value_or(kCentury) <= left + kRounding,
                "a time-out of what is left, " + in_words(left), wait.in_words)) {
      return;
    }
  }
  expect_eq("the result", result, std::optional(0));
}

TEST(Deadline, LastFractionOfAMillisecondIsWaitedForToo) {
  lesson("Which clock");
  did("polled an empty pipe with 0.9 ms to go, ten times, each interrupted by a signal");
  const Pipe pipe;
  for (int i = 0; i < 10; ++i) {
    pollfd item = pipe.item();
    Waits waits;
    waits.interrupt(1, 1h);  // one wait is enough: then the deadline has passed
    const nanoseconds start = clock_now();
    if (!waits.poll_until({&item, 1}, Deadline::after(900us)) || waits.all().empty()) {
      return;
    }
    const Waits::Wait& wait = waits.all().front();
    const nanoseconds left = start + 900us - wait.now;  // at least
    if (!expect(wait.timeout != 0ns || left <= 0ns, "a time-out that is not 0",
                "a time-out of 0 with " + in_words(left) + " left")) {
      return;
    }
  }
}

TEST(Deadline, ReadyAfterInterruptionsIsReady) {
  lesson("Interrupted: EINTR");
  did("polled for 10 s, interrupted by a signal three times; then the pipe held something");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(3, 1s);
  waits.before_wait(4, [&pipe] { pipe.make_ready(); });
  expect_eq("the result", waits.poll_until({&item, 1}, Deadline::after(10s)), std::optional(1));
}

TEST(Deadline, NeverWaitsForEver) {
  lesson("Interrupted: EINTR");
  did("polled without a deadline, interrupted by two signals; then the pipe held something");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(2, 1h);
  waits.before_wait(3, [&pipe] { pipe.make_ready(); });
  expect_eq("the result", waits.poll_until({&item, 1}, Deadline::never()), std::optional(1));
  for (const Waits::Wait& wait : waits.all()) {
    const nanoseconds timeout = wait.timeout.value_or(kCentury);
    expect(timeout >= 1s, "a long time-out, or none", wait.in_words);
  }
}

TEST(Deadline, MonthFitsIntoTheTimeout) {
  lesson("Which clock");
  did("polled an empty pipe for 30 days, interrupted by a signal after 31");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(1, 24h * 31);
  expect_eq("the result", waits.poll_until({&item, 1}, Deadline::after(24h * 30)),
            std::optional(0));
  if (!waits.all().empty()) {
    const Waits::Wait& wait = waits.all().front();
    const nanoseconds timeout = wait.timeout.value_or(kCentury);
    expect(timeout > 0ns && timeout <= 24h * 30 + 2ms, "a time-out of up to 30 days",
           wait.in_words);
  }
}

TEST(Deadline, PassedDeadlineStillLooksOnce) {
  lesson("Interrupted: EINTR");
  did("polled a pipe that holds something, with a time-out of 0, then of -5 s");
  const Pipe pipe;
  pipe.make_ready();
  pollfd item = pipe.item();
  Waits waits;
  expect_eq("the result for 0", waits.poll_until({&item, 1}, Deadline::after(0s)),
            std::optional(1));
  expect_eq("the result for -5 s", waits.poll_until({&item, 1}, Deadline::after(-5s)),
            std::optional(1));
}

TEST(Deadline, PassedDeadlineDoesNotWait) {
  lesson("Interrupted: EINTR");
  did("polled an empty pipe an hour after the deadline");
  const Pipe pipe;
  pollfd item = pipe.item();
  Waits waits;
  const auto deadline = Deadline::after(1ms);
  waits.faults().advance_clock(1h);
  expect_eq("the result", waits.poll_until({&item, 1}, deadline), std::optional(0));
  for (const Waits::Wait& wait : waits.all()) {
    expect(wait.timeout == 0ns, "a time-out of 0", wait.in_words);
  }
}

TEST(Deadline, InterruptedLookIsNoLook) {
  lesson("Interrupted: EINTR");
  did("polled a pipe that holds something after the deadline, interrupted once by a signal");
  const Pipe pipe;
  pipe.make_ready();
  pollfd item = pipe.item();
  Waits waits;
  waits.interrupt(1, 0ns);
  expect_eq("the result", waits.poll_until({&item, 1}, Deadline::after(0s)), std::optional(1));
}

TEST(Deadline, OtherErrorsOfPollAreThrown) {
  lesson("How a call fails: errno");
  for (const auto& [error, name] :
       {std::pair(ENOMEM, "ENOMEM"), {EINVAL, "EINVAL"}, {EFAULT, "EFAULT"}}) {
    did(std::string("made poll and ppoll fail with ") + name);
    const Pipe pipe;
    pipe.make_ready();  // who polls again gets a result
    pollfd item = pipe.item();
    Faults faults;
    faults.fail("poll", error);
    faults.fail("ppoll", error);
    const std::string text =
        expect_throw<std::system_error>(std::string("std::system_error with ") + name, [&] {
          poll_until({&item, 1}, Deadline::after(10s));
        });
    if (!expect(text.find("poll") != std::string::npos &&
                    text.ends_with(std::generic_category().message(error)),
                "a text that names the call and the error", text)) {
      return;
    }
  }
}

}  // namespace
}  // namespace mp::test
