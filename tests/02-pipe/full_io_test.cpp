#include "02-pipe/full_io.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "02-pipe/ends.hpp"
#include "support/becomes.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

// ---- what came of a call

/// Ends a wait that should not be: shuts the socket down after two seconds, so that a call that
/// is blocked returns. By a thread, because it has to be somebody who is not blocked himself.
class Patience {
 public:
  explicit Patience(int fd) {
    sem_init(&over_, 0, 0);
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += kSeconds;
    sigset_t all;  // signals are for the thread that runs the code under test
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this, fd, until] {
      if (sem_clockwait(&over_, CLOCK_MONOTONIC, &until) == -1 && errno == ETIMEDOUT) {
        lost_ = true;
        ::shutdown(fd, SHUT_RDWR);
      }
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Patience() {
    finish();
    sem_destroy(&over_);
  }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  /// Ends the watch. @return whether it has been lost.
  [[nodiscard]] bool lost() {
    finish();
    return lost_;
  }

 private:
  static constexpr int kSeconds = 2;

  void finish() {
    if (thread_.joinable()) {
      sem_post(&over_);
      thread_.join();
    }
  }

  sem_t over_{};
  std::atomic<bool> lost_ = false;
  std::thread thread_;
};

/// What came of a call, in words, and how many bytes it said.
struct Outcome {
  std::string result;
  std::size_t count = 0;
};

std::string text_of(Stop stop, std::size_t count) {
  const char* const name = stop == Stop::kDone        ? "kDone"
                           : stop == Stop::kEndOfFile ? "kEndOfFile"
                           : stop == Stop::kTimedOut  ? "kTimedOut"
                                                      : "no Stop at all";
  return std::string(name) + " with " + std::to_string(count) + " bytes";
}

bool names_a_call(std::string_view text) {
  const auto has = [text](std::string_view name) { return text.find(name) != text.npos; };
  return std::any_of(kReadCalls.begin(), kReadCalls.end(), has) ||
         std::any_of(kPollCalls.begin(), kPollCalls.end(), has) ||
         std::any_of(kWriteCalls.begin(), kWriteCalls.end(), has);
}

std::string text_of(const std::system_error& error) {
  const char* const name = strerrorname_np(error.code().value());
  std::string text = std::string("std::system_error with ") + (name != nullptr ? name : "0");
  if (!names_a_call(error.what())) {
    text += ", whose text names no call: " + std::string(error.what());
  }
  return text;
}

/// What ends code that makes the same call again and again; thrown by a hook.
struct NoEnd {};

Outcome outcome_of(int fd, Deadline deadline, const std::function<Transfer()>& action) {
  Patience patience(fd);
  Outcome outcome;
  try {
    const Transfer transfer = action();
    outcome = {text_of(transfer.stop, transfer.count), transfer.count};
    if (transfer.stop == Stop::kTimedOut && deadline.remaining() > 0ns) {
      outcome.result += ", before the deadline";
    }
  } catch (const std::system_error& error) {
    outcome.result = text_of(error);
  } catch (const std::exception& error) {
    detail::not_written_yet(error);
    outcome.result = detail::type_in_flight() + ", " + error.what();
  } catch (const NoEnd&) {
    outcome.result = "the same call again and again (the test ended it)";
  }
  if (patience.lost()) {
    outcome.result = "no end within two seconds (the test ended it)";
  }
  return outcome;
}

/// What came of read_exactly(), and the bytes that it said have come.
struct Reading {
  std::string result;
  std::string bytes;
};

Reading read_from(int fd, std::size_t size, Deadline deadline = Deadline::never()) {
  constexpr std::size_t kBehind = 64;
  std::string memory(size + kBehind, '#');
  const auto data = std::as_writable_bytes(std::span(memory)).first(size);
  const Outcome outcome =
      outcome_of(fd, deadline, [&] { return read_exactly(fd, data, deadline); });
  Reading reading{outcome.result, memory.substr(0, std::min(outcome.count, size))};
  if (memory.find_first_not_of('#', size) != std::string::npos) {
    reading.result += ", and it wrote behind the memory that it was given";
  }
  return reading;
}

/// What came of write_all().
Outcome write_to(int fd, const std::vector<std::string>& parts,
                 Deadline deadline = Deadline::never()) {
  std::vector<iovec> list;
  for (const std::string& part : parts) {
    list.push_back(part_of(as_span(part)));
  }
  return outcome_of(fd, deadline, [&] { return write_all(fd, list, deadline); });
}

/// Expects these bytes, which may be many.
bool expect_bytes(std::string_view what, std::string_view seen, std::string_view wanted) {
  const std::string name(what);
  if (wanted.size() < 100 && seen.size() < 100) {
    return expect_eq(what, std::string(seen), wanted);
  }
  const auto shorter = std::min(seen.size(), wanted.size());
  const auto [differs, ignored] = std::mismatch(
      seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(shorter), wanted.begin());
  return expect(seen == wanted,
                name + " to be the " + std::to_string(wanted.size()) + " bytes that were sent",
                std::to_string(seen.size()) + " bytes, which are others from byte " +
                    std::to_string(differs - seen.begin()) + " on");
}

bool expect_reading(const Reading& seen, Stop stop, std::string_view bytes) {
  return expect_eq("the result", seen.result, text_of(stop, bytes.size())) &&
         expect_bytes("what was read", seen.bytes, bytes);
}

/// Expects that everything was written and has arrived.
bool expect_written(const Ends& ends, const Outcome& seen, std::string_view bytes) {
  // The bytes say more than their number, if it came to an end.
  return (!seen.result.starts_with("kDone") ||
          expect_bytes("what has arrived at the other end", ends.take_all(), bytes)) &&
         expect_eq("the result", seen.result, text_of(Stop::kDone, bytes.size()));
}

// ---- what is staged

struct When {
  std::string words;
  Deadline deadline;
};

/// No deadline, and one that no test reaches: both must come to the same.
std::vector<When> both() {
  return {{", without a deadline", Deadline::never()},
          {", with a deadline in a minute", Deadline::after(1min)}};
}

/// And one that has passed, where there is nothing to wait for.
std::vector<When> all_three() {
  std::vector<When> list = both();
  list.push_back({", with a deadline that has passed", Deadline::after(0s)});
  return list;
}

/// Writes bytes that must have room, and waits until they are all read.
bool put_and_wait(int fd, std::string_view bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
             static_cast<ssize_t>(bytes.size()) &&
         becomes_true([fd] {
           int unread = 0;
           return ioctl(fd, SIOCOUTQ, &unread) == 0 && unread == 0;
         });
}

bool is_nonblocking(int fd) {
  return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

void make_nonblocking(int fd) {
  must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), "fcntl(F_SETFL)");
}

/// Makes the socket's buffer as small as it can be: some thousand bytes.
void make_narrow(int fd) {
  constexpr int kSmallest = 1;
  must(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSmallest, sizeof kSmallest), "setsockopt");
}

/// Writes until there is no room. @return how many bytes.
std::size_t fill(int fd) {
  const std::string bytes(1000, '.');
  std::size_t sum = 0;
  for (;;) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count <= 0) {
      return sum;
    }
    sum += static_cast<std::size_t>(count);
  }
}

/// Many bytes, of which no two neighbourhoods are alike.
std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t value = 1;
  for (char& byte : bytes) {
    value = value * 1664525 + 1013904223;
    byte = static_cast<char>(value >> 24);
  }
  return bytes;
}

/// Whether O_NONBLOCK of the descriptor is what it was, at each call that is made while it lives.
class FlagsWatch {
 public:
  explicit FlagsWatch(int fd) {
    const bool at_first = is_nonblocking(fd);
    const auto look = [this, fd, at_first](const Call& call) {
      if (is_nonblocking(fd) != at_first) {
        trouble_ = std::string(at_first ? "cleared" : "set") + " during a call of " +
                   std::string(call.name);
      }
    };
    for (const Names names : {Names(kReadCalls), Names(kWriteCalls), Names(kPollCalls)}) {
      before(faults_, names, look);
      after(faults_, names, look);
    }
  }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  std::string trouble_;
  Faults faults_;
};

/// Ends code that reads a hundred times where a few times are enough.
class ReadLimit {
 public:
  ReadLimit() {
    before(faults_, kReadCalls, [this](const Call&) {
      if (++calls_ > 100) {
        throw NoEnd();
      }
    });
  }

 private:
  int calls_ = 0;
  Faults faults_;
};

/// Whether the code under test asks the kernel to wait.
class WaitWatch {
 public:
  WaitWatch() {
    before(faults_, kPollCalls, [this](const Call& call) { waited_ |= patience(call) > 0; });
  }
  Faults& faults() { return faults_; }
  [[nodiscard]] bool waited() const { return waited_; }

 private:
  bool waited_ = false;
  Faults faults_;
};

// ---- reading: all of it

TEST(FullIo, ReadsWhatIsThere) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    did("read 5 and then 3 of 8 bytes that are there" + words);
    const Ends ends;
    ends.put("abcdefgh");
    const Faults watching;
    const Reading first = read_from(ends.mine(), 5, deadline);
    const int calls = count(watching, kReadCalls);
    if (!expect_reading(first, Stop::kDone, "abcde") ||
        !expect_eq("the number of calls that read", calls, 1) ||
        !expect_reading(read_from(ends.mine(), 3, deadline), Stop::kDone, "fgh")) {
      return;
    }
  }
}

TEST(FullIo, ShortReads) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    for (const std::size_t most : {1U, 2U, 5U}) {
      did("read 12 bytes from a kernel that hands out at most " + std::to_string(most) +
          " at a time" + words);
      const Ends ends;
      ends.put("abcdefghijkl and what follows");
      Faults faults;
      shorten(faults, kReadCalls, most);
      if (!expect_reading(read_from(ends.mine(), 12, deadline), Stop::kDone, "abcdefghijkl")) {
        return;
      }
    }
  }
}

TEST(FullIo, PiecesAsTheyCome) {
  lesson("Bytes have no boundaries");
  constexpr std::array<std::string_view, 5> kPieces{"a", "bc", "defgh", "i", "jkl"};
  for (const auto& [words, deadline] : both()) {
    did("read 12 bytes, of which the other process writes the next ones only when those before "
        "have been read" +
        words);
    const Ends ends;
    const Kid kid([&ends, &kPieces] {
      return std::all_of(
                 kPieces.begin(), kPieces.end(),
                 [&ends](std::string_view piece) { return put_and_wait(ends.other(), piece); })
                 ? 0
                 : 1;
    });
    if (!expect_reading(read_from(ends.mine(), 12, deadline), Stop::kDone, "abcdefghijkl")) {
      return;
    }
  }
}

TEST(FullIo, ReadsAMegabyte) {
  lesson("A pipe is a buffer with two ends");
  const std::string bytes = pattern(std::size_t{1} << 20);
  for (const auto& [words, deadline] : both()) {
    did("read a mebibyte, five times what the buffer holds, from another process" + words);
    const Ends ends;
    const Kid kid(
        [&] {
          constexpr std::size_t kPiece = 70'001;
          for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
            const std::size_t size = std::min(kPiece, bytes.size() - at);
            if (::send(ends.other(), bytes.data() + at, size, MSG_NOSIGNAL) !=
                static_cast<ssize_t>(size)) {
              return 1;
            }
          }
          return 0;
        },
        4);
    if (!expect_reading(read_from(ends.mine(), bytes.size(), deadline), Stop::kDone, bytes)) {
      return;
    }
  }
}

TEST(FullIo, EmptyReadAsksNobody) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    did("read 0 bytes, where the other end is closed" + words);
    Ends ends;
    ends.close_other();
    const Faults watching;
    const Reading seen = read_from(ends.mine(), 0, deadline);
    const int calls = count(watching, kReadCalls) + count(watching, kPollCalls);
    if (!expect_reading(seen, Stop::kDone, "") ||
        !expect_eq("the number of calls that read or wait", calls, 0)) {
      return;
    }
  }
}

// ---- reading: the end of the file

TEST(FullIo, EndOfFile) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    Ends ends;
    ends.close_other();
    const ReadLimit limit;
    for (const char* again : {"", " once more"}) {
      did(std::string("read 5 bytes") + again + " where the other end is closed" + words);
      if (!expect_reading(read_from(ends.mine(), 5, deadline), Stop::kEndOfFile, "")) {
        return;
      }
    }
  }
}

TEST(FullIo, EndOfFileInTheMiddle) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    did("read 5 bytes where the other end was closed after 3" + words);
    Ends ends;
    ends.put("abc");
    ends.close_other();
    const ReadLimit limit;
    if (!expect_reading(read_from(ends.mine(), 5, deadline), Stop::kEndOfFile, "abc")) {
      return;
    }
  }
}

TEST(FullIo, EndOfFileBehindTheLastByte) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    did("read 5 bytes where the other end was closed after 5" + words);
    Ends ends;
    ends.put("abcde");
    ends.close_other();
    if (!expect_reading(read_from(ends.mine(), 5, deadline), Stop::kDone, "abcde")) {
      return;
    }
  }
}

TEST(FullIo, EndOfFileWhileItWaits) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : both()) {
    did("read 5 bytes while the other process wrote 3, saw them read, and ended" + words);
    Ends ends;
    const Gate gate;
    const Kid kid([&] {
      gate.pass();
      const bool read = put_and_wait(ends.other(), "abc");
      return read && falls_asleep(getppid()) ? 0 : 1;
    });
    ends.close_other();
    const ReadLimit limit;
    gate.open();
    if (!expect_reading(read_from(ends.mine(), 5, deadline), Stop::kEndOfFile, "abc")) {
      return;
    }
  }
}

TEST(FullIo, UnreadMessagesOfOurs) {
  lesson("A message that ends too early");
  for (const std::string_view bytes : {"", "abc"}) {
    for (const auto& [words, deadline] : all_three()) {
      did("read 5 bytes from a peer that wrote " + std::to_string(bytes.size()) +
          " and closed without reading what we had sent (ECONNRESET)" + words);
      Ends ends;
      (void)::send(ends.mine(), "unread", 6, MSG_NOSIGNAL);
      ends.put(bytes);
      ends.close_other();
      if (!expect_reading(read_from(ends.mine(), 5, deadline), Stop::kEndOfFile, bytes)) {
        return;
      }
    }
  }
}

// ---- reading: interrupted, or nothing there yet

TEST(FullIo, InterruptedReads) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  for (const auto& [words, deadline] : all_three()) {
    for (int place = 0; place < 4; ++place) {
      did("read 8 bytes, 2 at a time; a signal interrupted call " + std::to_string(place + 1) +
          " twice (EINTR)" + words);
      const Ends ends;
      ends.put("abcdefgh");
      Faults faults;
      shorten(faults, kReadCalls, 2);
      fail(faults, kReadCalls, EINTR, 2, place);
      if (!expect_reading(read_from(ends.mine(), 8, deadline), Stop::kDone, "abcdefgh")) {
        return;
      }
    }
  }
}

std::atomic<int>* signals_caught = nullptr;

/// While it lives, this process counts SIGUSR1, which interrupts its calls.
class CountsSignals {
 public:
  CountsSignals() {
    signals_caught = &*count_;
    struct sigaction action {};  // without SA_RESTART
    action.sa_handler = [](int) { ++*signals_caught; };
    must(sigaction(SIGUSR1, &action, &before_), "sigaction");
  }
  ~CountsSignals() { (void)sigaction(SIGUSR1, &before_, nullptr); }
  CountsSignals(const CountsSignals&) = delete;
  CountsSignals& operator=(const CountsSignals&) = delete;

  /// In a Kid: sends one to the parent as soon as that sleeps, and sees it caught.
  void interrupt_parent() const {
    const int before = *count_;
    (void)falls_asleep(getppid());
    (void)::kill(getppid(), SIGUSR1);
    (void)becomes_true([&] { return *count_ != before; });
  }

 private:
  Shared<std::atomic<int>> count_;
  struct sigaction before_ {};
};

TEST(FullIo, SignalsWhileItWaits) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  const CountsSignals signals;
  for (const auto& [words, deadline] : both()) {
    did("read 6 bytes; signals came before the first and between the third and the fourth" + words);
    const Ends ends;
    const Gate gate;
    const Kid kid([&] {
      gate.pass();
      signals.interrupt_parent();
      signals.interrupt_parent();
      ends.put("abc");
      signals.interrupt_parent();
      ends.put("def");
      return 0;
    });
    gate.open();
    if (!expect_reading(read_from(ends.mine(), 6, deadline), Stop::kDone, "abcdef")) {
      return;
    }
  }
}

TEST(FullIo, NonBlockingRead) {
  lesson("One deadline for the whole message");
  for (const auto& [words, deadline] : both()) {
    for (int place = 0; place < 3; ++place) {
      did("read 4 bytes, 2 at a time, from a socket that another process has made non-blocking; "
          "call " +
          std::to_string(place + 1) + " found nothing (EAGAIN), then there was something" + words);
      const Ends ends;
      make_nonblocking(ends.mine());
      ends.put("abcd");
      Faults faults;
      shorten(faults, kReadCalls, 2);
      fail(faults, kReadCalls, EAGAIN, 1, place);
      if (!expect_reading(read_from(ends.mine(), 4, deadline), Stop::kDone, "abcd")) {
        return;
      }
    }
  }
}

TEST(FullIo, ReaderSleeps) {
  lesson("A pipe is a buffer with two ends");
  for (const bool nonblocking : {false, true}) {
    for (const auto& [words, deadline] : both()) {
      did(std::string("read 4 bytes from a ") + (nonblocking ? "non-blocking" : "blocking") +
          " socket; the other process writes 2 as soon as the reader sleeps, then 2 more" + words);
      const Ends ends;
      if (nonblocking) {
        make_nonblocking(ends.mine());
      }
      const Gate gate;
      const Shared<std::atomic<bool>> slept;
      const Kid kid([&] {
        gate.pass();
        *slept = falls_asleep(getppid());
        return put_and_wait(ends.other(), "ab") && put_and_wait(ends.other(), "cd") ? 0 : 1;
      });
      gate.open();
      if (!expect_reading(read_from(ends.mine(), 4, deadline), Stop::kDone, "abcd") ||
          !expect(*slept, "the reader to sleep while there is nothing to read",
                  "it does not: it asks again and again, and uses up a processor")) {
        return;
      }
    }
  }
}

TEST(FullIo, ReadLeavesFlagsAlone) {
  lesson("Bytes have no boundaries");
  for (const bool nonblocking : {false, true}) {
    did(std::string("read from a ") + (nonblocking ? "non-blocking" : "blocking") +
        " socket, with several deadlines, and looked at its flags during every call");
    const Ends ends;
    if (nonblocking) {
      make_nonblocking(ends.mine());
    }
    ends.put("abcdef");
    const FlagsWatch watch(ends.mine());
    if (!expect_reading(read_from(ends.mine(), 2), Stop::kDone, "ab") ||
        !expect_reading(read_from(ends.mine(), 2, Deadline::after(1min)), Stop::kDone, "cd") ||
        !expect_reading(read_from(ends.mine(), 2, Deadline::after(0s)), Stop::kDone, "ef") ||
        !expect_reading(read_from(ends.mine(), 2, Deadline::after(20ms)), Stop::kTimedOut, "")) {
      return;
    }
    expect(watch.trouble().empty(),
           "O_NONBLOCK to be as it was: every process that shares the socket sees it",
           watch.trouble());
    expect_eq("O_NONBLOCK afterwards", is_nonblocking(ends.mine()), nonblocking);
  }
}

// ---- reading: the deadline

TEST(FullIo, ReadTimesOut) {
  lesson("One deadline for the whole message");
  const Ends ends;
  did("read 5 bytes with a deadline in 20 ms, and nothing came");
  if (!expect_reading(read_from(ends.mine(), 5, Deadline::after(20ms)), Stop::kTimedOut, "")) {
    return;
  }
  did("read 5 bytes with a deadline that has passed, where nothing is");
  WaitWatch watch;
  expect_reading(read_from(ends.mine(), 5, Deadline::after(0s)), Stop::kTimedOut, "");
  expect(!watch.waited(), "an answer without waiting", "a call that waits");
}

TEST(FullIo, NothingIsLostAtATimeOut) {
  lesson("One deadline for the whole message");
  for (const auto timeout : {20ms, 0ms}) {
    const Ends ends;
    did("read 5 bytes with a deadline in " + std::to_string(timeout.count()) +
        " ms, and 3 bytes came");
    ends.put("abc");
    if (!expect_reading(read_from(ends.mine(), 5, Deadline::after(timeout)), Stop::kTimedOut,
                        "abc")) {
      return;
    }
    did("read the other 2 bytes, which came later");
    ends.put("def");
    expect_reading(read_from(ends.mine(), 2, Deadline::after(timeout)), Stop::kDone, "de");
  }
}

TEST(FullIo, PassedDeadlineTakesWhatIsThere) {
  lesson("One deadline for the whole message");
  const auto passed = Deadline::after(0s);
  WaitWatch watch;
  shorten(watch.faults(), kReadCalls, 2);
  {
    const Ends ends;
    ends.put("abcdef");
    did("read 6 bytes that are there, 2 at a time, with a deadline that has passed");
    if (!expect_reading(read_from(ends.mine(), 6, passed), Stop::kDone, "abcdef")) {
      return;
    }
    ends.put("abcde");
    did("read 6 bytes, of which 5 are there, with a deadline that has passed");
    expect_reading(read_from(ends.mine(), 6, passed), Stop::kTimedOut, "abcde");
  }
  expect(!watch.waited(), "what is there, without waiting", "a call that waits");
}

TEST(FullIo, OneDeadlineForAllThatIsRead) {
  lesson("One deadline for the whole message");
  did("read 50 bytes with a deadline in 300 ms; a byte comes after each 100 ms of waiting");
  const Ends ends;
  int waits = 0;
  Reading seen;
  {
    Faults faults;
    before(faults, kPollCalls, [&](const Call& call) {
      if (patience(call) > 0) {
        ++waits;
        ends.put("x");
        faults.advance_clock(100ms);
      }
    });
    seen = read_from(ends.mine(), 50, Deadline::after(300ms));
  }
  if (expect(waits < 5, "an end when the deadline has passed, after 3 bytes",
             std::to_string(waits) + " waits: each byte gave it more time")) {
    expect_reading(seen, Stop::kTimedOut, seen.bytes);
  }
}

TEST(FullIo, ReadinessThatVanishes) {
  lesson("One deadline for the whole message");
  did("read 3 bytes with a deadline in 20 ms; they were there, and another process that shares the "
      "socket was faster");
  const Ends ends;
  ends.put("abc");
  Faults faults;
  bool taken = false;
  before(faults, kReadCalls, [&](const Call&) {
    if (!std::exchange(taken, true)) {
      std::array<char, 3> bytes{};
      (void)::recv(ends.mine(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    }
  });
  expect_reading(read_from(ends.mine(), 3, Deadline::after(20ms)), Stop::kTimedOut, "");
}

// ---- reading: other errors

/// A number that is no open descriptor.
int closed_descriptor() {
  const Ends ends;
  return ends.mine();
}

TEST(FullIo, ErrorsOfReading) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const int error : {EIO, ENOTCONN, EINVAL}) {
    did(std::string("read 4 bytes; the call failed with ") + strerrorname_np(error));
    const Ends ends;
    ends.put("abcd");
    Faults faults;
    fail(faults, kReadCalls, error);
    if (!expect_eq("the result", read_from(ends.mine(), 4).result,
                   std::string("std::system_error with ") + strerrorname_np(error))) {
      return;
    }
  }
  for (const auto& [words, deadline] : all_three()) {
    did("read 3 bytes from a descriptor that is not open" + words);
    if (!expect_eq("the result", read_from(closed_descriptor(), 3, deadline).result,
                   "std::system_error with EBADF")) {
      return;
    }
    for (int place = 0; place < 2; ++place) {
      did("read 4 bytes, 2 at a time; call " + std::to_string(place + 1) + " failed with ENOMEM" +
          words);
      const Ends ends;
      ends.put("abcd");
      Faults faults;
      shorten(faults, kReadCalls, 2);
      fail(faults, kReadCalls, ENOMEM, 1, place);
      if (!expect_eq("the result", read_from(ends.mine(), 4, deadline).result,
                     "std::system_error with ENOMEM")) {
        return;
      }
    }
  }
}

// ---- writing: all of it

TEST(FullIo, SeveralPartsWithOneCall) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    did("wrote three parts" + words);
    const Ends ends;
    int calls = 0;
    Outcome seen;
    {
      const Faults watching;
      seen = write_to(ends.mine(), {"head", "body of it", "tail"}, deadline);
      calls = count(watching, kWriteCalls);
    }
    if (!expect_written(ends, seen, "headbody of ittail") ||
        !expect_eq("the number of calls that write", calls, 1)) {
      return;
    }
  }
}

TEST(FullIo, EmptyParts) {
  lesson("Bytes have no boundaries");
  const std::vector<std::vector<std::string>> lists{
      {"", "ab", "cd"}, {"ab", "", "", "cd"}, {"ab", "cd", "", ""}, {"", "", "ab", "", "cd", ""}};
  for (const auto& [words, deadline] : all_three()) {
    for (const auto& parts : lists) {
      std::string shown;
      for (const std::string& part : parts) {
        shown += " \"" + part + "\"";
      }
      did("wrote the parts" + shown.append(words));
      const Ends ends;
      int calls = 0;
      Outcome seen;
      {
        const Faults watching;
        seen = write_to(ends.mine(), parts, deadline);
        calls = count(watching, kWriteCalls);
      }
      if (!expect_written(ends, seen, "abcd") ||
          !expect_eq("the number of calls that write", calls, 1)) {
        return;
      }
    }
  }
}

TEST(FullIo, NothingToWrite) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    for (const std::size_t size : {0U, 1U, 3U}) {
      did("wrote " + std::to_string(size) + " parts, all of them empty, where nobody reads" +
          words);
      Ends ends;
      ends.close_other();
      const Faults watching;
      const Outcome seen = write_to(ends.mine(), std::vector<std::string>(size), deadline);
      const int calls = count(watching, kWriteCalls) + count(watching, kPollCalls);
      if (!expect_eq("the result", seen.result, text_of(Stop::kDone, 0)) ||
          !expect_eq("the number of calls that write or wait", calls, 0)) {
        return;
      }
    }
  }
}

TEST(FullIo, ShortWrites) {
  lesson("Bytes have no boundaries");
  for (const auto& [words, deadline] : all_three()) {
    for (std::size_t most = 12; most > 0; --most) {
      did("wrote the parts \"abc\" \"\" \"defgh\" \"i\" \"jkl\" to a kernel that takes at most " +
          std::to_string(most) + " bytes at a time" + words);
      const Ends ends;
      Outcome seen;
      {
        Faults faults;
        shorten(faults, kWriteCalls, most);
        seen = write_to(ends.mine(), {"abc", "", "defgh", "i", "jkl"}, deadline);
      }
      if (!expect_written(ends, seen, "abcdefghijkl")) {
        return;
      }
    }
  }
}

TEST(FullIo, WritesAMegabyte) {
  lesson("A pipe is a buffer with two ends");
  const std::string bytes = pattern(std::size_t{1} << 20);
  const std::vector<std::string> parts{bytes.substr(0, 4), bytes.substr(4, 300'000),
                                       bytes.substr(300'004)};
  for (const bool nonblocking : {false, true}) {
    for (const auto& [words, deadline] : both()) {
      did(std::string("wrote a mebibyte, five times what the buffer holds, to a ") +
          (nonblocking ? "non-blocking" : "blocking") +
          " socket, from which another process reads in small pieces" + words);
      const Ends ends;
      if (nonblocking) {
        make_nonblocking(ends.mine());
      }
      const Kid kid(
          [&] {
            std::array<char, 3001> piece{};
            for (std::size_t at = 0; at < bytes.size();) {
              const ssize_t got = ::recv(ends.other(), piece.data(), piece.size(), 0);
              if (got <= 0 || bytes.compare(at, static_cast<std::size_t>(got), piece.data(),
                                            static_cast<std::size_t>(got)) != 0) {
                return 1;
              }
              at += static_cast<std::size_t>(got);
            }
            return 0;
          },
          4);
      if (!expect_eq("the result", write_to(ends.mine(), parts, deadline).result,
                     text_of(Stop::kDone, bytes.size()))) {
        return;
      }
      kid.wait_for_end();
      if (!expect(kid.take() == 0, "the bytes to arrive as they are", "others have arrived") ||
          !expect(ends.take_all().empty(), "nothing more to arrive", "more bytes")) {
        return;
      }
    }
  }
}

// ---- writing: interrupted, or no room

TEST(FullIo, InterruptedWrites) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  for (const auto& [words, deadline] : all_three()) {
    for (int place = 0; place < 4; ++place) {
      did("wrote \"abc\" and \"defgh\" to a kernel that takes 2 bytes at a time; a signal "
          "interrupted call " +
          std::to_string(place + 1) + " twice (EINTR)" + words);
      const Ends ends;
      Outcome seen;
      {
        Faults faults;
        shorten(faults, kWriteCalls, 2);
        fail(faults, kWriteCalls, EINTR, 2, place);
        seen = write_to(ends.mine(), {"abc", "defgh"}, deadline);
      }
      if (!expect_written(ends, seen, "abcdefgh")) {
        return;
      }
    }
  }
}

TEST(FullIo, NonBlockingWrite) {
  lesson("A pipe is a buffer with two ends");
  for (const auto& [words, deadline] : both()) {
    for (int place = 0; place < 3; ++place) {
      did("wrote \"abc\" and \"d\", 2 bytes at a time, to a socket that another process has made "
          "non-blocking; call " +
          std::to_string(place + 1) + " found no room (EAGAIN), then there was some" + words);
      const Ends ends;
      make_nonblocking(ends.mine());
      Outcome seen;
      {
        Faults faults;
        shorten(faults, kWriteCalls, 2);
        fail(faults, kWriteCalls, EAGAIN, 1, place);
        seen = write_to(ends.mine(), {"abc", "d"}, deadline);
      }
      if (!expect_written(ends, seen, "abcd")) {
        return;
      }
    }
  }
}

TEST(FullIo, WriterSleeps) {
  lesson("A pipe is a buffer with two ends");
  for (const bool nonblocking : {false, true}) {
    for (const auto& [words, deadline] : both()) {
      did(std::string("wrote to a ") + (nonblocking ? "non-blocking" : "blocking") +
          " socket whose buffer is full; the other process reads as soon as the writer sleeps" +
          words);
      const Ends ends;
      if (nonblocking) {
        make_nonblocking(ends.mine());
      }
      const std::size_t before = fill(ends.mine());
      const Gate gate;
      const Shared<std::atomic<bool>> slept;
      const Kid kid([&] {
        gate.pass();
        *slept = falls_asleep(getppid());
        return ends.take(before).size() == before ? 0 : 1;
      });
      gate.open();
      const Outcome seen = write_to(ends.mine(), {"ab", "cd"}, deadline);
      if (!expect(*slept, "the writer to sleep while there is no room",
                  "it does not: it tries again and again, and uses up a processor, or gives up")) {
        return;
      }
      kid.wait_for_end();
      if (!expect_written(ends, seen, "abcd")) {
        return;
      }
    }
  }
}

TEST(FullIo, WriteLeavesFlagsAlone) {
  lesson("One deadline for the whole message");
  for (const bool nonblocking : {false, true}) {
    did(std::string("wrote to a ") + (nonblocking ? "non-blocking" : "blocking") +
        " socket, with several deadlines, and looked at its flags during every call");
    const Ends ends;
    if (nonblocking) {
      make_nonblocking(ends.mine());
    }
    const FlagsWatch watch(ends.mine());
    if (!expect_written(ends, write_to(ends.mine(), {"ab"}), "ab") ||
        !expect_written(ends, write_to(ends.mine(), {"cd"}, Deadline::after(1min)), "cd") ||
        !expect_written(ends, write_to(ends.mine(), {"ef"}, Deadline::after(0s)), "ef")) {
      return;
    }
    (void)fill(ends.mine());
    if (!expect_eq("the result with a full buffer and a deadline in 20 ms",
                   write_to(ends.mine(), {"gh"}, Deadline::after(20ms)).result,
                   text_of(Stop::kTimedOut, 0))) {
      return;
    }
    expect(watch.trouble().empty(),
           "O_NONBLOCK to be as it was: every process that shares the socket sees it",
           watch.trouble());
    expect_eq("O_NONBLOCK afterwards", is_nonblocking(ends.mine()), nonblocking);
  }
}

// ---- writing: nobody reads

volatile sig_atomic_t sigpipes = 0;

/// While it lives, SIGPIPE is counted, and not the end of the test; and whether the process's
/// handling of it is changed is looked at, whenever something is written.
class SigpipeWatch {
 public:
  SigpipeWatch() {
    sigpipes = 0;
    struct sigaction action {};
    action.sa_handler = note;
    must(sigaction(SIGPIPE, &action, &before_), "sigaction");
    before(faults_, kWriteCalls, [this](const Call&) { look(); });
  }
  ~SigpipeWatch() { (void)sigaction(SIGPIPE, &before_, nullptr); }
  SigpipeWatch(const SigpipeWatch&) = delete;
  SigpipeWatch& operator=(const SigpipeWatch&) = delete;

  /// Expects that there was no signal, and that nothing was changed for it.
  bool expect_none() {
    look();
    return expect(sigpipes == 0, "no SIGPIPE",
                  "SIGPIPE was raised: it kills a process that does not catch it") &&
           expect(trouble_.empty(), "the process's handling of SIGPIPE to be its own business",
                  trouble_);
  }

 private:
  static void note(int /*signum*/) { sigpipes = sigpipes + 1; }

  void look() {
    struct sigaction now {};
    sigaction(SIGPIPE, nullptr, &now);
    if (now.sa_handler != note) {
      trouble_ = "another handler, if only for the time of the call: it holds for all threads";
    }
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (sigismember(&mask, SIGPIPE) != 0) {
      trouble_ = "it is blocked";
    }
  }

  std::string trouble_;
  struct sigaction before_ {};
  Faults faults_;
};

TEST(FullIo, NobodyReads) {
  lesson("Nobody reads any more");
  for (const bool unread : {false, true}) {
    for (const auto& [words, deadline] : all_three()) {
      did(std::string("wrote where the other end is closed") +
          (unread ? " and has left bytes unread" : "") + words);
      Ends ends;
      if (unread) {
        (void)::send(ends.mine(), "unread", 6, MSG_NOSIGNAL);
      }
      ends.close_other();
      SigpipeWatch watch;
      const Outcome seen = write_to(ends.mine(), {"ab", "cd"}, deadline);
      if (!watch.expect_none() ||
          !expect_eq("the result", seen.result, "std::system_error with EPIPE")) {
        return;
      }
    }
  }
}

TEST(FullIo, ReaderGoesWhileItWaits) {
  lesson("Nobody reads any more");
  for (const auto& [words, deadline] : both()) {
    did("wrote to a socket whose buffer is full; as soon as the writer sleeps the other process "
        "ends, without having read" +
        words);
    Ends ends;
    (void)fill(ends.mine());
    const Gate gate;
    const Shared<std::atomic<bool>> slept;
    const Kid kid([&] {
      gate.pass();
      *slept = falls_asleep(getppid());
      return 0;
    });
    ends.close_other();
    SigpipeWatch watch;
    gate.open();
    const Outcome seen = write_to(ends.mine(), {"ab", "cd"}, deadline);
    if (!watch.expect_none() ||
        !expect_eq("the result", seen.result, "std::system_error with EPIPE") ||
        !expect(*slept, "the writer to sleep while there is no room",
                "it does not: it tries again and again, and uses up a processor")) {
      return;
    }
  }
}

// ---- writing: the deadline

/// Expects a time-out, and that those bytes have arrived that were counted.
bool expect_partly_written(const Ends& ends, const Outcome& seen, std::string_view bytes) {
  const std::string arrived = ends.take_all();
  return expect_eq("the result", seen.result, text_of(Stop::kTimedOut, arrived.size())) &&
         expect_bytes("what has arrived", arrived, bytes.substr(0, arrived.size()));
}

TEST(FullIo, WriteTimesOut) {
  lesson("One deadline for the whole message");
  const std::string bytes = pattern(100'000);
  {
    did("wrote two parts, of which the second is too long for the buffer, with a deadline in 20 "
        "ms, and nobody read");
    const Ends ends;
    make_narrow(ends.mine());
    const Outcome seen =
        write_to(ends.mine(), {bytes.substr(0, 10), bytes.substr(10)}, Deadline::after(20ms));
    if (!expect_partly_written(ends, seen, bytes)) {
      return;
    }
    expect(seen.count > 0, "as many bytes as there is room for", "none");
  }
  did("wrote to a full buffer with a deadline in 20 ms, and nobody read");
  const Ends ends;
  (void)fill(ends.mine());
  expect_eq("the result", write_to(ends.mine(), {"ab", "cd"}, Deadline::after(20ms)).result,
            text_of(Stop::kTimedOut, 0));
}

TEST(FullIo, PassedDeadlineHandsOverWhatFits) {
  lesson("One deadline for the whole message");
  const auto passed = Deadline::after(0s);
  const std::string bytes = pattern(100'000);
  const Ends ends;
  const Ends narrow;
  make_narrow(narrow.mine());
  WaitWatch watch;
  did("wrote to a full buffer, with a deadline that has passed");
  (void)fill(narrow.mine());
  if (!expect_eq("the result", write_to(narrow.mine(), {"ab", "cd"}, passed).result,
                 text_of(Stop::kTimedOut, 0))) {
    return;
  }
  (void)narrow.take_all();
  did("wrote two parts, of which the second is too long for the buffer, with a deadline that has "
      "passed");
  const Outcome seen = write_to(narrow.mine(), {bytes.substr(0, 10), bytes.substr(10)}, passed);
  if (!expect_partly_written(narrow, seen, bytes)) {
    return;
  }
  expect(seen.count > 0, "as many bytes as there is room for", "none");
  did("wrote two parts, for which there is room, to a kernel that takes 2 bytes at a time, with a "
      "deadline that has passed");
  shorten(watch.faults(), kWriteCalls, 2);
  const Outcome small = write_to(ends.mine(), {"abc", "defgh"}, passed);
  expect_eq("the result", small.result, text_of(Stop::kDone, 8));
  expect(!watch.waited(), "what fits, without waiting", "a call that waits");
  expect_bytes("what has arrived", ends.take(8), "abcdefgh");
}

TEST(FullIo, OneDeadlineForAllThatIsWritten) {
  lesson("One deadline for the whole message");
  did("wrote 300,000 bytes with a deadline in 300 ms; after each 100 ms of waiting the other end "
      "reads the few thousand that its buffer holds");
  const std::string bytes = pattern(300'000);
  const Ends ends;
  make_narrow(ends.mine());
  int waits = 0;
  std::string arrived;
  Outcome seen;
  {
    Faults faults;
    before(faults, kPollCalls, [&](const Call& call) {
      if (patience(call) > 0) {
        ++waits;
        arrived += ends.take_all();
        faults.advance_clock(100ms);
      }
    });
    seen = write_to(ends.mine(), {bytes}, Deadline::after(300ms));
  }
  arrived += ends.take_all();
  if (expect(waits < 5, "an end when the deadline has passed, after 3 waits",
             std::to_string(waits) + " waits: each piece gave it more time")) {
    expect_eq("the result", seen.result, text_of(Stop::kTimedOut, arrived.size()));
    expect_bytes("what has arrived", arrived, bytes.substr(0, arrived.size()));
  }
}

// ---- writing: other errors

TEST(FullIo, ErrorsOfWriting) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const int error : {EIO, ENOTCONN, ENOBUFS}) {
    did(std::string("wrote 4 bytes; the call failed with ") + strerrorname_np(error));
    const Ends ends;
    Faults faults;
    fail(faults, kWriteCalls, error);
    if (!expect_eq("the result", write_to(ends.mine(), {"abcd"}).result,
                   std::string("std::system_error with ") + strerrorname_np(error))) {
      return;
    }
  }
  for (const auto& [words, deadline] : all_three()) {
    did("wrote to a descriptor that is not open" + words);
    if (!expect_eq("the result", write_to(closed_descriptor(), {"abc"}, deadline).result,
                   "std::system_error with EBADF")) {
      return;
    }
    for (int place = 0; place < 2; ++place) {
      did("wrote 4 bytes to a kernel that takes 2 at a time; call " + std::to_string(place + 1) +
          " failed with ENOMEM" + words);
      const Ends ends;
      Faults faults;
      shorten(faults, kWriteCalls, 2);
      fail(faults, kWriteCalls, ENOMEM, 1, place);
      if (!expect_eq("the result", write_to(ends.mine(), {"abc", "d"}, deadline).result,
                     "std::system_error with ENOMEM")) {
        return;
      }
    }
  }
}

// ---- what shows only when one looks twice

TEST(FullIo, NobodyReadsFromTheMiddleOn) {
  lesson("Nobody reads any more");
  for (const auto& [words, deadline] : all_three()) {
    did("wrote 4 bytes to a kernel that takes 2 at a time; behind the first 2 the other end was "
        "closed" +
        words);
    Ends ends;
    SigpipeWatch watch;
    Faults faults;
    shorten(faults, kWriteCalls, 2);
    after(faults, kWriteCalls, [&](const Call&) { ends.close_other(); });
    const Outcome seen = write_to(ends.mine(), {"ab", "cd"}, deadline);
    if (!watch.expect_none() ||
        !expect_eq("the result", seen.result, "std::system_error with EPIPE")) {
      return;
    }
  }
}

TEST(FullIo, ErrorsOfWaitingAreNoTimeOut) {
  lesson("One deadline for the whole message");
  did("read with a deadline where nothing is there, and the call that waits failed with ENOMEM");
  const Ends ends;
  Faults faults;
  fail(faults, kPollCalls, ENOMEM);
  const Reading reading = read_from(ends.mine(), 3, Deadline::after(50ms));
  if (count(faults, kPollCalls) > 0) {  // there are other ways to wait
    expect_eq("the result of reading", reading.result, "std::system_error with ENOMEM");
  }
}

TEST(FullIo, ManyParts) {
  lesson("Bytes have no boundaries");
  for (const std::size_t number : {std::size_t{17}, std::size_t{1024}}) {
    did("wrote " + std::to_string(number) + " parts of one byte each");
    const Ends ends;
    Random random;
    const std::string bytes = random.bytes(number);
    std::vector<std::string> parts;
    for (const char byte : bytes) {
      parts.emplace_back(1, byte);
    }
    const Outcome seen = write_to(ends.mine(), parts);
    if (!expect_eq("the result", seen.result, text_of(Stop::kDone, number)) ||
        !expect_bytes("what came out at the other end", ends.take_all(), bytes)) {
      return;
    }
  }
}

TEST(FullIo, TwoTransfersAtOnce) {
  lesson("Bytes have no boundaries");
  const auto deadline = Deadline::after(2s);
  {
    did("read from one socket while a call that reads from another one was about to be made");
    const Ends first;
    const Ends second;
    first.put("first");
    second.put("2nd");
    Faults faults;
    bool inside = false;
    before(faults, kReadCalls, [&](const Call&) {
      if (!std::exchange(inside, true)) {
        expect_reading(read_from(second.mine(), 3, deadline), Stop::kDone, "2nd");
      }
    });
    expect_reading(read_from(first.mine(), 5, deadline), Stop::kDone, "first");
  }
  did("wrote to one socket while a call that writes to another one was about to be made");
  const Ends first;
  const Ends second;
  Faults faults;
  bool inside = false;
  before(faults, kWriteCalls, [&](const Call&) {
    if (!std::exchange(inside, true)) {
      expect_eq("the result of the one inside", write_to(second.mine(), {"2nd"}, deadline).result,
                text_of(Stop::kDone, 3));
    }
  });
  expect_eq("the result of the one around it",
            write_to(first.mine(), {"fi", "rst"}, deadline).result, text_of(Stop::kDone, 5));
  expect_eq("what came out of the first one", first.take_all(), "first");
  expect_eq("what came out of the second one", second.take_all(), "2nd");
}

}  // namespace
}  // namespace mp::test
