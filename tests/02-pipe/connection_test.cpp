#include "02-pipe/connection.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "02-pipe/connection_stage.hpp"
#include "02-pipe/cpython.hpp"
#include "support/becomes.hpp"
#include "support/child.hpp"
#include "support/recorder.hpp"
#include "support/sanitizer.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr unsigned kPatient = 10;  ///< seconds, for a Kid with much to do on a busy machine

// ---- first of all

TEST(Connection, OrderAndBoundaries) {
  lesson("Bytes have no boundaries");
  const std::vector<std::string> texts{"one", "two and a half", "", "three"};
  std::string bytes;
  Line line;
  did("sent four messages");
  for (const std::string& text : texts) {
    bytes += frame(text);
    if (!expect_send(line.conn, text, "sent")) {
      return;
    }
  }
  expect_outcome("at the other end", message(line.ends.take(bytes.size())), message(bytes));
  did("received four messages that had come at once");
  line.ends.put(bytes);
  for (const std::string& text : texts) {
    if (!expect_recv(line.conn, message(text))) {
      return;
    }
  }
  did("received four messages that came byte by byte");
  for (const std::string& text : texts) {
    const Kid sender(
        [&] {
          for (const char c : frame(text)) {
            line.ends.put({&c, 1});
          }
          return 0;
        },
        kPatient);
    if (!expect_outcome("recv_bytes()", live_recv(line.conn), message(text))) {
      return;
    }
  }
}

// ---- an end, and its owner

TEST(Connection, NeedsADescriptor) {
  lesson("One owner for a descriptor");
  did("made a Connection of a UniqueFd that owns nothing");
  expect_throw<ValueError>("ValueError", [] { const mp::Connection conn{UniqueFd()}; });
}

TEST(Connection, NeedsADirection) {
  lesson("Both directions");
  did("made a Connection that may neither receive nor send");
  Ends ends;
  const int fd = ends.give();
  expect_throw<ValueError>("ValueError",
                           [fd] { const mp::Connection conn(UniqueFd(fd), false, false); });
  expect(!is_open(fd), "the descriptor to be closed: it was handed over", "it is still open");
}

TEST(Connection, KnowsWhatItMayDo) {
  lesson("Both directions");
  for (const auto& [readable, writable] : {std::pair(true, true), {true, false}, {false, true}}) {
    did("asked a Connection made with readable = " + words(readable) +
        ", writable = " + words(writable));
    Ends ends;
    const int fd = ends.give();
    const mp::Connection conn(UniqueFd(fd), readable, writable);
    expect_eq("readable()", conn.readable(), readable);
    expect_eq("writable()", conn.writable(), writable);
    expect_eq("closed()", conn.closed(), false);
    expect_eq("fileno()", conn.fileno(), fd);
  }
}

TEST(Connection, ClosesOnce) {
  lesson("One owner for a descriptor");
  did("closed a Connection twice");
  Line line;
  const int fd = line.conn.fileno();
  line.conn.close();
  expect(!is_open(fd), "the descriptor to be closed", "it is still open");
  expect_eq("closed()", line.conn.closed(), true);
  const UniqueFd stranger(must(fcntl(line.ends.other(), F_DUPFD_CLOEXEC, fd), "fcntl"));
  line.conn.close();
  expect(is_open(stranger.get()),
         "the second close() to do nothing: the number may be somebody else's by now",
         "it closed a descriptor of the same number");
}

/// Expects that nothing can be done with a connection any more.
bool expect_all_closed(mp::Connection& conn) {
  std::array<char, 8> buffer{};
  const auto run = [](auto action) {
    return outcome([&] {
      action();
      return std::string("no exception");
    });
  };
  return expect_outcome("send_bytes()", send(conn, "x"), kClosed) &&
         expect_outcome("recv_bytes()", recv(conn), kClosed) &&
         expect_outcome("recv_bytes_into()", recv_into(conn, buffer), kClosed) &&
         expect_outcome("poll()", run([&] { (void)conn.poll(); }), kClosed) &&
         expect_outcome("send<int>()", run([&] { conn.send(1); }), kClosed) &&
         expect_outcome("recv<int>()", run([&] { conn.recv<int>(); }), kClosed) &&
         expect_outcome("fileno()", run([&] { (void)conn.fileno(); }), kClosed);
}

TEST(Connection, ClosedRefusesEverything) {
  lesson("Both directions");
  for (const auto& [readable, writable] : {std::pair(true, true), {true, false}, {false, true}}) {
    did("used a closed Connection that was made with readable = " + words(readable) +
        ", writable = " + words(writable));
    Line line(readable, writable);
    line.ends.put(frame("unread"));
    line.conn.close();
    if (!expect_all_closed(line.conn)) {
      return;
    }
  }
}

TEST(Connection, ClosesAtTheEndOfItsLife) {
  lesson("One owner for a descriptor");
  did("let a Connection go out of scope");
  Ends ends;
  {
    const mp::Connection conn(UniqueFd(ends.give()));
    expect(!readable(ends.other()), "the end to be open in the scope", "the end of file");
  }
  expect(readable(ends.other()), "the other end to see the end of file", "it sees nothing");
}

TEST(Connection, MovedFromIsClosed) {
  lesson("One owner for a descriptor");
  did("moved a Connection to a new one");
  Line line;
  mp::Connection moved(std::move(line.conn));
  expect_eq("closed() of the old one", line.conn.closed(), true);
  expect_all_closed(line.conn);
  line.ends.put(frame("for the new one"));
  expect_recv(moved, message("for the new one"));
  did("moved it to one that was open");
  Line another;
  another.conn = std::move(moved);
  expect(readable(another.ends.other()), "what that one held to be closed", "it is still open");
  line.ends.put(frame("for the third one"));
  expect_recv(another.conn, message("for the third one"));
}

TEST(Connection, MovedInTheMiddleOfAMessage) {
  lesson("One deadline for the whole message");
  did("moved a Connection that had received a part of a message");
  Line line;
  line.ends.put(frame("in two parts").substr(0, 9));
  expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError");
  mp::Connection moved(std::move(line.conn));
  line.ends.put(frame("in two parts").substr(9));
  expect_recv(moved, message("in two parts"));
  did("moved another one into the one that had been moved from");
  Line another;
  line.conn = std::move(another.conn);
  another.ends.put(frame("from its beginning"));
  expect_recv(line.conn, message("from its beginning"));
}

TEST(Connection, ClosesOnlyThisCopy) {
  lesson("Who holds which end after fork");
  did("closed an end of which a child had its own copy, made by fork");
  Line line;
  const Gate gate;
  const Kid child(
      [&] {
        gate.pass();
        return recv(line.conn) == message("for the child") && send(line.conn, "thanks") == "sent"
                   ? 0
                   : 1;
      },
      kPatient);
  line.conn.close();
  expect(!readable(line.ends.other()), "the child's copy to be untouched",
         "the end of file at the other end: shutdown(2) is for all copies");
  if (::send(line.ends.other(), frame("for the child").data(), 17, MSG_NOSIGNAL) == 17) {
    gate.open();
    expect_outcome("at the other end", message(line.ends.take(10)), message(frame("thanks")));
  }
}

/// The descriptors that keep_only() would find.
std::vector<int> tracked() {
  std::vector<int> fds;
  TrackedFd::for_each([&](const TrackedFd& fd) { fds.push_back(fd.get()); });
  return fds;
}

TEST(Connection, FoundInTheTable) {
  lesson("Who holds which end after fork");
  did("looked for Connections in the table, as keep_only() does");
  Line line;
  const int fd = line.conn.fileno();
  expect(tracked() == std::vector{fd}, "the one that there is", "another list");
  {
    const mp::Connection moved(std::move(line.conn));
    expect(tracked() == std::vector{fd}, "the one that was moved, once", "another list");
  }
  expect(tracked().empty(), "nothing after its end", "one that is gone");
  Line another;
  TrackedFd::for_each([](TrackedFd& found) { found.reset(); });
  expect_eq("closed() of one that was closed there", another.conn.closed(), true);
  did("made a Connection of a descriptor whose number is too high for the table");
  Faults faults;
  expect_outcome("the constructor", outcome([] {
                   const mp::Connection conn(UniqueFd{static_cast<int>(TrackedFd::kMost)});
                   return std::string("no exception");
                 }),
                 "std::system_error EMFILE");
  expect_eq("the number of calls of close()", faults.count("close"), 1);
}

// ---- messages

TEST(Connection, BothDirections) {
  lesson("Both directions");
  did("sent and received at both ends of one socket");
  auto [first, second] = two_connections();
  expect_send(first, "there", "sent");
  expect_send(second, "back", "sent");
  expect_send(first, "there again", "sent");
  expect_recv(second, message("there"));
  expect_recv(first, message("back"));
  expect_recv(second, message("there again"));
}

TEST(Connection, EmptyMessages) {
  lesson("A frame says where a message ends");
  did("received empty messages");
  Line line;
  line.ends.put(frame("") + frame("") + frame("not empty"));
  std::array<char, 20> buffer{};
  expect_eq("poll()", line.conn.poll(), true);
  expect_eq("poll() again", line.conn.poll(), true);
  expect_recv(line.conn, message(""));
  expect_eq("poll() after one of three", line.conn.poll(), true);
  expect_outcome("recv_bytes_into() with no buffer", recv_into(line.conn, {}), message(""));
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), message("not empty"));
  expect_eq("poll() after all of them", line.conn.poll(), false);
  did("sent an empty message");
  expect_outcome("send_bytes()", send(line.conn, {}), "sent");
  expect_outcome("at the other end", message(line.ends.take(4)), message(frame("")));
}

/// All calls about a descriptor.
int count_all(const Faults& faults) {
  int sum = count(faults, kReadCalls) + count(faults, kWriteCalls) + count(faults, kPollCalls);
  for (const std::string_view name : {"fcntl", "dup", "dup2", "dup3", "close", "shutdown"}) {
    sum += faults.count(name);
  }
  return sum;
}

TEST(Connection, CostsFewCalls) {
  lesson("A frame says where a message ends");
  std::string buffer(16384, '\0');
  for (const std::size_t size : {0, 1, 100, 16384}) {
    const std::string text(size, 'x');
    Line line;
    did("sent a message of " + std::to_string(size) + " bytes, for which there was room");
    {
      const Faults faults;
      line.conn.send_bytes(as_span(text));
      expect(count(faults, kWriteCalls) == 1 && count_all(faults) == 1, "one system call",
             std::to_string(count_all(faults)) + " system calls");
    }
    for (const bool into : {false, true}) {
      did("received a message of " + std::to_string(size) + " bytes that was there" +
          (into ? ", with recv_bytes_into()" : ""));
      line.ends.put(frame(text));
      const Faults faults;
      if (into) {
        (void)line.conn.recv_bytes_into(std::as_writable_bytes(std::span(buffer)));
      } else {
        (void)line.conn.recv_bytes();
      }
      const int calls = count_all(faults);
      expect(count(faults, kReadCalls) == calls && calls <= 2,
             "two system calls: one for the header and one for the body",
             std::to_string(calls) + " system calls, of which " +
                 std::to_string(calls - count(faults, kReadCalls)) + " read nothing");
    }
  }
}

TEST(Connection, SentFromWhereItIs) {
  lesson("A frame says where a message ends");
  did("looked at where the kernel is told to take a message of 20000 bytes from");
  Line line;
  const std::string text(20'000, 'x');
  bool inside = true;
  std::string seen;
  {
    Faults faults;
    const auto look = [&](const void* from, std::size_t size) {
      const auto* const byte = static_cast<const char*>(from);
      inside = inside && (size <= 12 || (byte >= text.data() && byte < text.data() + text.size()));
    };
    before(faults, kWriteCalls, [&](const Call& call) {
      for (const iovec& part : parts_of_write(call)) {
        look(part.iov_base, part.iov_len);
      }
    });
    seen = live_send(line.conn, text);
  }
  expect_outcome("send_bytes()", seen, "sent");
  expect(inside, "the caller's memory: nothing is copied", "other memory");
}

TEST(Connection, SixteenMebibytes) {
  lesson("Bytes have no boundaries");
  Random random;
  did("sent 16 MiB to a process that sent them back" + random.words());
  const std::string text = many_bytes(random, 16 * kMiB);
  auto [here, there] = two_connections();
  const Kid echo(
      [&here = here, &there = there] {
        here.close();
        const Bytes all = there.recv_bytes();
        there.send_bytes(all);
        there.send_bytes(all);
        return 0;
      },
      kPatient);
  there.close();
  here.send_bytes(as_span(text));
  expect_outcome("recv_bytes()", live_recv(here), message(text));
  std::string buffer(text.size() + 1, '\0');
  expect_outcome("recv_bytes_into()", live_recv_into(here, buffer), message(text));
  echo.wait_for_end();
  expect_eq("the exit code of the other process", echo.take(), std::optional(0));
}

TEST(Connection, TooLongToSend) {
  lesson("Lengths that cannot be");
  did("sent a message of 1 TiB and one byte");
  Line line;
  const std::string_view bytes("there is no such memory, and nobody looks at it");
  constexpr auto kTooLong = static_cast<std::size_t>(kMaxMessage + 1);
  expect_throw<ValueError>("ValueError", [&] {
    line.conn.send_bytes({reinterpret_cast<const std::byte*>(bytes.data()), kTooLong});
  });
  expect_eq("the number of bytes at the other end", unread(line.ends.other()), 0);
  did("went on with that connection");
  expect_usable(line);
}

// ---- directions

TEST(Connection, ReadOnlyRefusesToSend) {
  lesson("Both directions");
  did("sent on an end that only receives");
  Line line(true, false);
  expect_send(line.conn, "the wrong way", kReadOnly);
  expect_outcome("send<int>()", outcome([&] {
                   line.conn.send(1);
                   return std::string("sent");
                 }),
                 kReadOnly);
  expect_eq("the number of bytes at the other end", unread(line.ends.other()), 0);
  did("went on with that end");
  expect_usable(line, true, false);
}

TEST(Connection, WriteOnlyRefusesToReceive) {
  lesson("Both directions");
  did("received on an end that only sends");
  Line line(false, true);
  line.ends.put(frame("the wrong way"));
  std::array<char, 20> buffer{};
  const int before = unread(line.conn.fileno());
  expect_recv(line.conn, kWriteOnly);
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), kWriteOnly);
  expect_outcome("poll()", outcome([&] { return words(line.conn.poll()); }), kWriteOnly);
  expect_eq("the number of bytes that wait there", unread(line.conn.fileno()), before);
  did("went on with that end");
  expect_usable(line, false, true);
}

// ---- nobody at the other end

TEST(Connection, EndOfFileAgainAndAgain) {
  lesson("A pipe is a buffer with two ends");
  did("received when the other end was closed, and two messages were left");
  Line line;
  line.ends.put(frame("first") + frame("second"));
  line.ends.close_other();
  std::array<char, 20> buffer{};
  expect_recv(line.conn, message("first"));
  expect_recv(line.conn, message("second"));
  for (int i = 0; i < 2; ++i) {
    expect_eq("poll()", line.conn.poll(), true);
    expect_recv(line.conn, "EOFError");
    expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), "EOFError");
  }
  expect_eq("closed()", line.conn.closed(), false);
  expect_eq("readable()", line.conn.readable(), true);
}

TEST(Connection, EndOfFileWithOurMessagesUnread) {
  lesson("Nobody reads any more");
  did("received when the other end was closed with a message of ours unread in it (ECONNRESET)");
  Line line;
  expect_send(line.conn, "never read", "sent");
  line.ends.put(frame("the last one"));
  line.ends.close_other();
  std::array<char, 20> buffer{};
  expect_recv(line.conn, message("the last one"));
  expect_recv(line.conn, "EOFError");
  expect_recv(line.conn, "EOFError");
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), "EOFError");
  expect_eq("closed()", line.conn.closed(), false);
}

TEST(Connection, BrokenPipeEachTime) {
  lesson("Nobody reads any more");
  ::signal(SIGPIPE, SIG_DFL);
  for (const bool leave_unread : {false, true}) {
    for (const bool duplex : {true, false}) {
      did("sent on a connection whose other end was closed" +
          std::string(leave_unread ? " with a message of ours unread in it" : "") +
          (duplex ? "" : ", and which only sends"));
      Line line(duplex, true);
      if (leave_unread) {
        expect_send(line.conn, "never read", "sent");
      }
      line.ends.close_other();
      for (int i = 0; i < 3; ++i) {
        if (!expect_send(line.conn, "x", "std::system_error EPIPE")) {
          return;
        }
      }
      expect_eq("closed()", line.conn.closed(), false);
      expect_eq("writable()", line.conn.writable(), true);
    }
  }
}

TEST(Connection, PeerEndsWhileWeWaitForRoom) {
  lesson("Nobody reads any more");
  did("waited for room to send, when the process that should have read was killed");
  ::signal(SIGPIPE, SIG_DFL);
  Line line;
  while (::send(line.conn.fileno(), frame("").data(), 4, MSG_DONTWAIT | MSG_NOSIGNAL) == 4) {
  }
  const Kid reader(
      [] {
        falls_asleep(getppid());
        ::raise(SIGKILL);
        return 0;
      },
      kPatient);
  line.ends.close_other();
  for (int i = 0; i < 2; ++i) {
    expect_outcome("send_bytes()", outcome([&] {
                     line.conn.send_bytes(as_span("no room for it"));
                     return std::string("sent");
                   }),
                   "std::system_error EPIPE");
  }
  expect_recv(line.conn, "EOFError");
}

TEST(Connection, TornMessage) {
  lesson("A message that ends too early");
  const std::string whole = frame("a message that never ends");
  const std::string long_header = big_endian(0xffffffff, 4) + big_endian(5'000'000'000, 8);
  std::array<char, 30> buffer{};
  for (const std::string& part : {whole.substr(0, 1), whole.substr(0, 4), whole.substr(0, 10),
                                  whole.substr(0, whole.size() - 1), long_header.substr(0, 7)}) {
    for (const bool into : {false, true}) {
      for (const bool unread_there : {false, true}) {
        did("received " + std::string(into ? "with recv_bytes_into() " : "") +
            "when the other end was closed after a message and " + std::to_string(part.size()) +
            " bytes of the next one" +
            (unread_there ? ", with a message of ours unread in it (ECONNRESET)" : ""));
        Line line;
        if (unread_there) {
          expect_send(line.conn, "never read", "sent");
        }
        line.ends.put(frame("whole") + part);
        line.ends.close_other();
        if (!expect_recv(line.conn, message("whole")) ||
            !expect_outcome(into ? "recv_bytes_into()" : "recv_bytes()",
                            into ? recv_into(line.conn, buffer) : recv(line.conn), "BadMessage") ||
            !expect_recv(line.conn, "EOFError") || !expect_recv(line.conn, "EOFError") ||
            !expect_eq("closed()", line.conn.closed(), false)) {
          return;
        }
      }
    }
  }
}

TEST(Connection, TornAfterATimeout) {
  lesson("A message that ends too early");
  did("received a part of a message in time, and then the end of file");
  for (const bool into : {false, true}) {
    Line line;
    std::array<char, 30> buffer{};
    line.ends.put(frame("a message that never ends").substr(0, 10));
    expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError");
    line.ends.close_other();
    expect_outcome(into ? "recv_bytes_into()" : "recv_bytes()",
                   into ? recv_into(line.conn, buffer) : recv(line.conn), "BadMessage");
    expect_recv(line.conn, "EOFError");
  }
}

// ---- lengths

TEST(Connection, AsLongAsAllowed) {
  lesson("Lengths that cannot be");
  did("received messages that were exactly as long as maxlength, and shorter");
  Line line;
  line.ends.put(frame("12345") + frame("") + frame("1234"));
  expect_outcome("recv_bytes(5)", recv(line.conn, soon(), 5), message("12345"));
  expect_outcome("recv_bytes(0)", recv(line.conn, soon(), 0), message(""));
  expect_outcome("recv_bytes(5)", recv(line.conn, soon(), 5), message("1234"));
}

TEST(Connection, LongerThanAllowed) {
  lesson("Lengths that cannot be");
  for (const bool duplex : {true, false}) {
    did("received a message of 5 bytes with maxlength 4, on an end that " +
        std::string(duplex ? "also sends" : "only receives"));
    Line line(true, duplex);
    line.ends.put(frame("12345") + frame("x"));
    if (!expect_outcome("recv_bytes(4)", recv(line.conn, soon(), 4), "BadMessage") ||
        !expect_end_of_receiving(line, duplex)) {
      return;
    }
  }
}

TEST(Connection, RefusedByItsHeader) {
  lesson("Lengths that cannot be");
  did("received with maxlength 1000 when the header of a message of 1 TiB had come");
  Line line;
  line.ends.put(big_endian(0xffffffff, 4) + big_endian(kMaxMessage, 8));
  expect_outcome("recv_bytes_until()", recv(line.conn, passed(), 1000), "BadMessage");
  did("received a part of a message, and then went on with a maxlength that is too small for it");
  Line another;
  another.ends.put(frame("more than four").substr(0, 9));
  expect_outcome("recv_bytes_until()", recv(another.conn, passed()), "TimeoutError");
  expect_outcome("recv_bytes_until(4)", recv(another.conn, passed(), 4), "BadMessage");
}

TEST(Connection, GarbageInPlaceOfALength) {
  lesson("Lengths that cannot be");
  const std::string negative = big_endian(0xfffffffe, 4);
  const std::string too_long = big_endian(0xffffffff, 4) + big_endian(kMaxMessage + 1, 8);
  std::array<char, 8> buffer{};
  for (const bool duplex : {true, false}) {
    for (const std::string& header : {negative, too_long}) {
      for (const bool into : {false, true}) {
        did("received " + std::string(into ? "with recv_bytes_into() " : "") + "on an end that " +
            (duplex ? "also sends" : "only receives") + ", where the length was " +
            (header == negative ? "-2" : "1 TiB and one byte"));
        Line line(true, duplex);
        line.ends.put(header + frame("no message any more"));
        if (!expect_outcome(into ? "recv_bytes_into()" : "recv_bytes()",
                            into ? recv_into(line.conn, buffer) : recv(line.conn), "BadMessage") ||
            !expect_end_of_receiving(line, duplex)) {
          return;
        }
      }
    }
  }
}

/// While it lives, there is hardly any memory to be had.
class Poverty {
 public:
  Poverty() {
    must(getrlimit(RLIMIT_AS, &before_), "getrlimit");
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + 8 * kMiB;
    must(setrlimit(RLIMIT_AS, &now), "setrlimit");
  }
  ~Poverty() { setrlimit(RLIMIT_AS, &before_); }
  Poverty(const Poverty&) = delete;
  Poverty& operator=(const Poverty&) = delete;

 private:
  rlimit before_{};
};

TEST(Connection, NoMemoryForTheMessage) {
  lesson("Lengths that cannot be");
  did("received a message of 40 MiB where there was no memory for it, and then where there was");
  if (kAddressSanitizer) {
    GTEST_SKIP() << "AddressSanitizer ends a program that has no memory left";
  }
  Line line;
  std::array<char, 8> buffer{};
  const Kid sender(
      [&ends = line.ends] {
        const std::string bytes = frame(std::string(40 * kMiB, 'm'));
        for (std::size_t at = 0; at < bytes.size();) {
          at += static_cast<std::size_t>(must(
              ::send(ends.other(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL), "send"));
        }
        return 0;
      },
      kPatient);
  line.ends.close_other();
  {
    const Poverty poor;
    expect_outcome("recv_bytes()", live_recv(line.conn), "std::bad_alloc");
    expect_outcome("recv_bytes_into() with too short a buffer", live_recv_into(line.conn, buffer),
                   "std::bad_alloc");
  }
  expect_outcome("recv_bytes()", live_recv(line.conn), message(std::string(40 * kMiB, 'm')));
}

// ---- into the caller's memory

TEST(Connection, IntoABuffer) {
  lesson("Bytes have no boundaries");
  did("received three messages with recv_bytes_into(), shorter than the buffer and as long");
  Line line;
  line.ends.put(frame("12345") + frame("678") + frame("") + frame("these bytes are still unread"));
  std::string buffer = "-----";
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), message("12345"));
  buffer = "-----";
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), message("678"));
  expect_eq("the buffer", buffer, "678--");
  expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), message(""));
  expect_recv(line.conn, message("these bytes are still unread"));
}

TEST(Connection, BufferTooShort) {
  lesson("Bytes have no boundaries");
  for (const std::size_t size : {std::size_t{7}, std::size_t{100'000}}) {
    Random random;
    const std::string text = many_bytes(random, size);
    for (const std::size_t room : {std::size_t{0}, size / 2, size - 1}) {
      did("received a message of " + std::to_string(size) + " bytes into a buffer of " +
          std::to_string(room));
      Line line;
      line.ends.put(frame(text) + frame("the next one"));
      std::string buffer(room, '-');
      if (!expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer),
                          "BufferTooShort with " + message(text)) ||
          !expect(buffer == std::string(room, '-'), "the buffer to be unchanged", "other bytes") ||
          !expect_eq("readable()", line.conn.readable(), true) ||
          !expect_recv(line.conn, message("the next one"))) {
        return;
      }
    }
  }
}

TEST(Connection, IntoABufferAfterAPart) {
  lesson("One deadline for the whole message");
  const std::string whole = frame("1234567890");
  for (const std::size_t part : {2, 4, 7, 13}) {
    for (const std::size_t room : {20, 10, 9}) {
      did("received " + std::to_string(part) + " bytes of a frame of 14 before a limit, and then " +
          "with a buffer of " + std::to_string(room));
      Line line;
      line.ends.put(whole.substr(0, part));
      std::string buffer(room, '-');
      if (!expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError")) {
        return;
      }
      line.ends.put(whole.substr(part) + frame("the next one") + std::string(30, '\0'));
      const std::string expected =
          room < 10 ? "BufferTooShort with " + message("1234567890") : message("1234567890");
      const std::string content =
          room < 10 ? std::string(room, '-') : "1234567890" + std::string(room - 10, '-');
      if (!expect_outcome("recv_bytes_into()", recv_into(line.conn, buffer), expected) ||
          !expect_eq("the buffer", buffer, content) ||
          !expect_recv(line.conn, message("the next one"))) {
        return;
      }
    }
  }
}

/// Where a call of kReadCalls puts what it reads, first of all.
std::pair<const char*, std::size_t> target(const Call& call) {
  if (call.name == "recvmsg") {
    const auto* const header = pointer<msghdr>(call.args[1]);
    return {static_cast<const char*>(header->msg_iov->iov_base), header->msg_iov->iov_len};
  }
  if (call.name == "readv") {
    const auto* const part = pointer<iovec>(call.args[1]);
    return {static_cast<const char*>(part->iov_base), part->iov_len};
  }
  return {pointer<char>(call.args[1]), static_cast<std::size_t>(call.args[2])};
}

TEST(Connection, IntoABufferWithoutACopy) {
  lesson("Bytes have no boundaries");
  for (const bool header_before : {false, true}) {
    did("looked at where recv_bytes_into() lets the kernel put a message of 100000 bytes" +
        std::string(header_before ? " whose header had come before" : ""));
    Line line;
    Random random;
    const std::string text = many_bytes(random, 100'000);
    std::string buffer(text.size(), '\0');
    line.ends.put(frame(text).substr(0, 4));
    if (header_before) {
      expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError");
    }
    line.ends.put(text);
    bool inside = true;
    std::string seen;
    {
      Faults faults;
      before(faults, kReadCalls, [&](const Call& call) {
        const auto [to, size] = target(call);
        if (size > 12 && (to < buffer.data() || to >= buffer.data() + buffer.size())) {
          inside = false;
        }
      });
      seen = live_recv_into(line.conn, buffer);
    }
    expect_outcome("recv_bytes_into()", seen, message(text));
    expect(inside, "the body to be read straight into the buffer", "it is read elsewhere first");
  }
}

// ---- errors

TEST(Connection, ErrorEndsReceiving) {
  lesson("A message that ends too early");
  std::array<char, 20> buffer{};
  for (const bool duplex : {true, false}) {
    for (const bool in_body : {false, true}) {
      for (const bool into : {false, true}) {
        const int error = duplex ? ENOMEM : EIO;  // what the error is makes no difference
        did("received " + std::string(into ? "with recv_bytes_into() " : "") + "on an end that " +
            (duplex ? "also sends" : "only receives") + "; the call that reads the " +
            (in_body ? "body" : "header") + " failed with " + strerrorname_np(error));
        Line line(true, duplex);
        if (in_body) {
          line.ends.put(frame("a message").substr(0, 4));
          expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError");
        }
        line.ends.put(frame("a message").substr(in_body ? 4 : 0));
        std::string seen;
        {
          Faults faults;
          fail(faults, kReadCalls, error);
          seen = into ? live_recv_into(line.conn, buffer) : live_recv(line.conn);
        }
        if (!expect_outcome(into ? "recv_bytes_into()" : "recv_bytes()", seen,
                            std::string("std::system_error ") + strerrorname_np(error)) ||
            !expect_end_of_receiving(line, duplex)) {
          return;
        }
      }
    }
  }
}

TEST(Connection, ErrorEndsSending) {
  lesson("A message that ends too early");
  for (const bool duplex : {true, false}) {
    const int error = duplex ? ENOMEM : EIO;  // what the error is makes no difference
    did("sent on an end that " + std::string(duplex ? "also receives" : "only sends") +
        "; the call for the second half of the message failed with " + strerrorname_np(error));
    Line line(duplex, true);
    std::string seen;
    {
      Faults faults;
      shorten(faults, kWriteCalls, 6);
      after(faults, kWriteCalls, [&](const Call&) { fail(faults, kWriteCalls, error); });
      seen = live_send(line.conn, "a message");
    }
    if (!expect_outcome("send_bytes()", seen,
                        std::string("std::system_error ") + strerrorname_np(error)) ||
        !expect_outcome("at the other end", message(line.ends.take_all()),
                        message(frame("a message").substr(0, 6))) ||
        !expect_end_of_sending(line, duplex)) {
      return;
    }
  }
}

TEST(Connection, InterruptedGoesOn) {
  lesson_in("00-syscalls", "Interrupted: EINTR");
  did("sent and received where signals interrupted the calls (EINTR)");
  Line line;
  line.ends.put(frame("a message"));
  std::string sent;
  std::string received;
  {
    Faults faults;
    shorten(faults, kWriteCalls, 5);
    shorten(faults, kReadCalls, 3);
    fail(faults, kWriteCalls, EINTR, 2, 1);
    fail(faults, kReadCalls, EINTR, 2, 1);
    sent = live_send(line.conn, "and another one");
    received = live_recv(line.conn);
  }
  expect_outcome("send_bytes()", sent, "sent");
  expect_outcome("recv_bytes()", received, message("a message"));
  expect_outcome("at the other end", message(line.ends.take_all()),
                 message(frame("and another one")));
}

// ---- limits

TEST(Connection, NothingInTime) {
  lesson("One deadline for the whole message");
  did("received with a limit when nothing came");
  Line line;
  expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError");
  expect_outcome("recv_bytes_until()", recv(line.conn, Deadline::after(5ms)), "TimeoutError");
  expect_outcome("recv_for<int>()",
                 outcome([&] { return std::to_string(line.conn.recv_for<int>(5ms)); }),
                 "TimeoutError");
  expect_eq("poll()", line.conn.poll(), false);
  expect_eq("poll(5ms)", line.conn.poll(5ms), false);
  expect_eq("poll(-1s)", line.conn.poll(-1s), false);
  did("went on with that connection");
  expect_usable(line);
}

TEST(Connection, PassedDeadlineTakesWhatIsThere) {
  lesson("One deadline for the whole message");
  did("sent and received with a deadline that had passed, where nothing had to be waited for");
  Line line;
  line.ends.put(frame("there already") + frame("this one, too"));
  expect_outcome("recv_bytes_until()", recv(line.conn, passed()), message("there already"));
  expect_outcome("recv_bytes_until()", recv(line.conn, passed()), message("this one, too"));
  expect_outcome("send_bytes_until()", send(line.conn, "there is room", passed()), "sent");
  expect_outcome("at the other end", message(line.ends.take_all()),
                 message(frame("there is room")));
}

TEST(Connection, PartIsKept) {
  lesson("One deadline for the whole message");
  for (const std::string_view text : {"in many pieces", ""}) {
    const std::string whole = frame(text);
    did("received a message of " + std::to_string(text.size()) +
        " bytes, one byte more at each call, with a deadline that had passed");
    Line line;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      if (!expect_outcome("recv_bytes_until()", recv(line.conn, passed()), "TimeoutError")) {
        return;
      }
      line.ends.put(whole.substr(i, 1));
    }
    line.ends.put(frame("the next one"));
    expect_outcome("recv_bytes_until()", recv(line.conn, passed()), message(text));
    expect_recv(line.conn, message("the next one"));
  }
}

TEST(Connection, OneDeadlineForHeaderAndBody) {
  lesson("One deadline for the whole message");
  const std::string whole = frame("a message that trickles in");
  for (const std::size_t first : {0, 3, 6}) {
    did("received with a limit of 0.8 s when " + std::to_string(first) +
        " bytes of a frame were there and one more came every 0.4 s");
    Line line;
    const int fd = line.conn.fileno();
    std::size_t put = 0;
    const auto drip = [&](std::size_t count) {
      line.ends.put(whole.substr(put, count));
      put = std::min(put + count, whole.size());
    };
    drip(first);
    int waits = 0;
    std::string seen;
    {
      Faults faults;
      before(faults, kPollCalls, [&](const Call& call) {
        if (poll_patience_ms(call) != 0) {
          ++waits;
          faults.advance_clock(400ms);
          drip(1);
        }
      });
      before(faults, kReadCalls, [&](const Call& call) {
        if (may_block(call) && !readable(fd)) {
          drip(whole.size());
        }
      });
      seen = live_recv(line.conn, Deadline::after(800ms));
    }
    if (!expect_outcome("recv_bytes_until()", seen, "TimeoutError") ||
        !expect_eq("the number of waits for a byte", waits, 2)) {
      return;
    }
    drip(whole.size());
    if (!expect_recv(line.conn, message(whole.substr(4)))) {
      return;
    }
  }
}

TEST(Connection, WaitsForRoom) {
  lesson("A pipe is a buffer with two ends");
  did("sent 1 MiB, which is more than the buffer holds, with a limit and a reader");
  Random random;
  const std::string text = many_bytes(random, kMiB);
  auto [here, there] = two_connections();
  const Kid reader(
      [&here = here, &there = there, &text] {
        here.close();
        return live_recv(there) == message(text) ? 0 : 1;
      },
      kPatient);
  there.close();
  expect_outcome("send_bytes()", live_send(here, text), "sent");
  reader.wait_for_end();
  expect_eq("the exit code of the reader, 0 if it got the message", reader.take(),
            std::optional(0));
}

TEST(Connection, NoRoomInTime) {
  lesson("One deadline for the whole message");
  for (const bool duplex : {true, false}) {
    did("sent with a limit when there was no room for a single byte");
    Line line(duplex, true);
    std::string filling;
    while (::send(line.conn.fileno(), frame("").data(), 4, MSG_DONTWAIT | MSG_NOSIGNAL) == 4) {
      filling += frame("");
    }
    expect_outcome("send_bytes_until()", send(line.conn, "too early", passed()), "TimeoutError");
    expect_outcome("send_bytes_until()", send(line.conn, "still", Deadline::after(5ms)),
                   "TimeoutError");
    expect_outcome("send_for()", outcome([&] {
                     line.conn.send_for(1, 5ms);
                     return std::string("sent");
                   }),
                   "TimeoutError");
    expect_outcome("at the other end", message(line.ends.take_all()), message(filling));
    did("went on with that connection, when there was room");
    if (!expect_usable(line, duplex, true)) {
      return;
    }
  }
}

TEST(Connection, CutOffEndsSending) {
  lesson("A message that ends too early");
  for (const bool duplex : {true, false}) {
    did("sent a message on an end that " + std::string(duplex ? "also receives" : "only sends") +
        ", of which only a part went in time; another process held a copy of that end");
    Line line(duplex, true);
    const Kid holder(waits_for_ever(), kPatient);
    const std::string text(kMiB, 'x');
    if (!expect_outcome("send_bytes_until()", send(line.conn, text, passed()), "TimeoutError")) {
      return;
    }
    const std::string part = line.ends.take_all();
    if (!expect(!part.empty() && frame(text).starts_with(part),
                "a part of the message at the other end", message(part)) ||
        !expect_end_of_sending(line, duplex)) {
      return;
    }
  }
}

TEST(Connection, ReceiverLearnsOfTheCut) {
  lesson("A message that ends too early");
  did("received a message that was cut off by the sender's limit");
  auto [sender, receiver] = two_connections();
  const Kid holder(
      [&receiver = receiver] {
        receiver.close();
        return waits_for_ever()();
      },
      kPatient);
  expect_outcome("send_bytes_until()", send(sender, "whole", passed()), "sent");
  expect_outcome("send_bytes_until()", send(sender, std::string(kMiB, 'x'), passed()),
                 "TimeoutError");
  expect_recv(receiver, message("whole"));
  expect_recv(receiver, "BadMessage");
  expect_recv(receiver, "EOFError");
  expect_recv(receiver, "EOFError");
  did("sent in the other direction");
  expect_send(receiver, "and back", "sent");
  expect_recv(sender, message("and back"));
}

TEST(Connection, OneDeadlineForSending) {
  lesson("One deadline for the whole message");
  did("sent 4 MiB with a limit of 0.8 s to a reader that makes room every 0.4 s");
  Line line;
  const std::string text(4 * kMiB, 'x');
  int waits = 0;
  std::string seen;
  {
    Faults faults;
    before(faults, kPollCalls, [&](const Call& call) {
      if (poll_patience_ms(call) != 0) {
        ++waits;
        faults.advance_clock(400ms);
        (void)line.ends.take_all();
      }
    });
    before(faults, kWriteCalls, [&](const Call& call) {
      if (may_block(call)) {
        line.ends.close_other();
      }
    });
    seen = live_send(line.conn, text, Deadline::after(800ms));
  }
  expect_outcome("send_bytes_until()", seen, "TimeoutError");
  expect_eq("the number of waits for room", waits, 2);
}

// ---- any order

/// A connection at which anything happens in any order, and what is known of it: what the test has
/// sent, and how much of that has arrived.
class Story {
 public:
  explicit Story(Random& random)
      : random_(random), duplex_(random.below(2) == 0), line_(true, duplex_) {}

  /// @return whether everything was as expected.
  bool run() {
    for (step_ = 1; step_ <= 50; ++step_) {
      if (!one_step()) {
        return false;
      }
    }
    return true;
  }

 private:
  bool one_step() {
    const std::size_t what = random_.below(100);
    if (what < 20) {
      put_message();
    } else if (what < 50) {
      deliver();
    } else if (what < 68) {
      const std::size_t maxlength = a_maxlength();
      return compare("recv_bytes_until(passed, " + std::to_string(maxlength) + ")",
                     recv(line_.conn, passed(), maxlength), expected_message(maxlength));
    } else if (what < 78) {
      return receive_into();
    } else if (what < 86) {
      return compare("poll()", outcome([&] { return words(line_.conn.poll()); }),
                     !reading_ ? refused() : words(ended_ || arrived_ > taken_));
    } else if (what < 96) {
      return send_message();
    } else if (what < 98) {
      line_.ends.close_other();
      ended_ = true;
      wire_.clear();
    } else if (what == 98 && random_.below(3) == 0) {
      line_.conn.close();
      closed_ = true;
      reading_ = false;
    }
    return true;
  }

  bool compare(const std::string& call, const std::string& seen, const std::string& expected) {
    return expect_outcome("step " + std::to_string(step_) + ", " + call, seen, expected);
  }

  [[nodiscard]] std::string refused() const { return closed_ ? kClosed : kWriteOnly; }

  void put_message() {
    constexpr std::array<std::size_t, 4> kLimits{3, 40, 1000, 9000};
    messages_.push_back(random_.bytes(random_.below(kLimits.at(random_.below(kLimits.size())))));
    if (!ended_) {
      wire_ += frame(messages_.back());
    }
  }

  void deliver() {
    if (ended_ || closed_ || arrived_ - taken_ > 40'000) {  // so there is always room
      return;
    }
    const std::size_t count =
        std::min(wire_.size(), 1 + random_.below(random_.below(2) * 4000 + 7));
    if (count > 0) {
      line_.ends.put(wire_.substr(0, count));
      wire_.erase(0, count);
      arrived_ += count;
    }
  }

  std::size_t a_maxlength() {
    if (messages_.empty() || random_.below(8) != 0) {
      return kMaxMessage;
    }
    return messages_.front().size() + random_.below(2) - (messages_.front().empty() ? 0 : 1);
  }

  [[nodiscard]] bool is_complete() const {
    return !messages_.empty() && arrived_ >= 4 + messages_.front().size();
  }

  /// What receiving must give now, if it does not wait.
  std::string expected_message(std::size_t maxlength) {
    if (!reading_) {
      return refused();
    }
    if (!messages_.empty() && arrived_ >= 4 && messages_.front().size() > maxlength) {
      reading_ = false;
      closed_ = closed_ || !duplex_;
      return "BadMessage";
    }
    if (is_complete()) {
      const std::string text = std::move(messages_.front());
      messages_.pop_front();
      arrived_ -= 4 + text.size();
      taken_ = 0;
      return message(text);
    }
    if (ended_) {
      const bool torn = arrived_ > 0;
      arrived_ = taken_ = 0;
      messages_.clear();
      return torn ? "BadMessage" : "EOFError";
    }
    taken_ = arrived_;
    return "TimeoutError";
  }

  bool receive_into() {
    if (reading_ && !ended_ && !is_complete()) {
      return true;  // it would wait
    }
    const bool complete = reading_ && is_complete();
    const std::size_t length = messages_.empty() ? 0 : messages_.front().size();
    std::string buffer(length / 2 + random_.below(length + 2), '\0');
    const bool too_short = complete && length > buffer.size();
    const std::string seen = recv_into(line_.conn, buffer);
    return compare("recv_bytes_into()", seen,
                   (too_short ? "BufferTooShort with " : "") + expected_message(kMaxMessage));
  }

  bool send_message() {
    const std::string text = random_.bytes(random_.below(500));
    std::string expected = "sent";
    if (closed_) {
      expected = kClosed;
    } else if (!duplex_) {
      expected = kReadOnly;
    } else if (ended_) {
      expected = "std::system_error EPIPE";
    }
    if (!compare("send_bytes()", send(line_.conn, text), expected)) {
      return false;
    }
    if (expected == "sent") {
      outgoing_ += frame(text);
    }
    if (!ended_ && random_.below(2) == 0) {  // otherwise they stay unread: ECONNRESET
      const std::string taken = line_.ends.take(outgoing_.size());
      return compare("at the other end", message(taken), message(std::exchange(outgoing_, "")));
    }
    return true;
  }

  Random& random_;
  const bool duplex_;
  Line line_;
  int step_ = 0;
  std::deque<std::string> messages_;  // all that have not been received, also those on their way
  std::string wire_;                  // what has not been put into the socket yet
  std::size_t arrived_ = 0;           // how many bytes of the frames of messages_ have
  std::size_t taken_ = 0;             // how many of these a call that timed out has taken
  std::string outgoing_;              // what the code has sent, and nobody has read
  bool ended_ = false;
  bool reading_ = true;
  bool closed_ = false;
};

TEST(Connection, AnythingInAnyOrder) {
  lesson("A frame says where a message ends");
  Random random;
  did("sent, received, waited and closed in any order, with frames cut in any pieces" +
      random.words());
  for (int round = 0; round < 250; ++round) {
    if (!Story(random).run()) {
      return;
    }
  }
}

// ---- death

/// Receives until there is an end. @return the outcomes, as "3 whole messages, EOFError".
std::string receive_all(mp::Connection& conn, const std::vector<std::string>& texts) {
  std::size_t whole = 0;
  std::string seen = live_recv(conn);
  while (whole < texts.size() && seen == message(texts[whole])) {
    ++whole;
    seen = live_recv(conn);
  }
  std::string all = std::to_string(whole) + " whole messages, " + seen;
  if (seen == "BadMessage") {
    all += ", " + live_recv(conn);
  }
  return all;
}

/// What receive_all() must say when so many bytes of the frames have been sent.
std::string expected_of(const std::vector<std::string>& texts, std::size_t bytes) {
  std::size_t whole = 0;
  while (whole < texts.size() && bytes >= 4 + texts[whole].size()) {
    bytes -= 4 + texts[whole++].size();
  }
  return std::to_string(whole) + " whole messages, " + (bytes > 0 ? "BadMessage, " : "") +
         "EOFError";
}

/// How many bytes the processes that the body made have written.
std::size_t bytes_written(const Recording& recording) {
  std::size_t sum = 0;
  for (const RecordedCall& call : recording.calls) {
    if (!call.by_first && call.family == Family::kWrite && call.result > 0) {
      sum += static_cast<std::size_t>(call.result);
    }
  }
  return sum;
}

/// Runs a sender that is killed at each of its system calls in turn.
/// @param piece  how many bytes the kernel takes at once.
void kill_senders(const std::vector<std::string>& texts, std::size_t piece) {
  for (int at = 1; at < 200; ++at) {
    const Shared<std::array<char, 200>> seen;
    const Recording recording = record(
        [&] {
          auto [sending, receiving] = two_connections();
          const pid_t sender = must(fork(), "fork");
          if (sender == 0) {
            alarm(kPatient);
            receiving.close();
            Faults faults;
            shorten(faults, kWriteCalls, piece);
            for (const std::string& text : texts) {
              sending.send_bytes(as_span(text));
            }
            _exit(0);
          }
          sending.close();
          receive_all(receiving, texts).copy(seen->data(), seen->size() - 1);
          waitpid(sender, nullptr, 0);
        },
        {.kill_at = at, .kill_scope = KillScope::kDescendants});
    detail::not_written_yet(std::runtime_error(recording.threw));
    const std::string text = recording.threw.empty() ? seen->data() : recording.threw;
    const std::string moment =
        recording.killed ? "a sender killed at its system call " + std::to_string(at) + " (" +
                               std::string(recording.calls[recording.killed_call].name) + ")"
                         : "a sender that was not killed";
    if (!expect_outcome(moment, recording.timed_out ? "nothing, in time" : text,
                        expected_of(texts, bytes_written(recording)))) {
      return;
    }
    if (!recording.killed) {
      expect_outcome(moment, text, std::to_string(texts.size()) + " whole messages, EOFError");
      expect(at > 3, "a sender with some system calls", std::to_string(at - 1) + " calls");
      return;
    }
  }
}

TEST(Connection, SenderKilledAtEachCall) {
  lesson("A message that ends too early");
  std::string why_not;
  if (!recorder_works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  did("killed a sender of three messages at each of its system calls in turn");
  Random random;
  kill_senders({"ten bytes.", many_bytes(random, 16384), many_bytes(random, 300'000)}, 40'000);
  did("killed a sender of short messages, which went two bytes at a time, at each call in turn");
  kill_senders({"abc", "", "defgh"}, 2);
}

TEST(Connection, ReceiverKilledInTheMiddle) {
  lesson("Nobody reads any more");
  did("sent 16 MiB to a process that was killed when it had read some of it");
  ::signal(SIGPIPE, SIG_DFL);
  Line line(false, true);
  const Kid receiver(
      [&ends = line.ends] {
        std::array<char, 4096> piece{};
        for (int i = 0; i < 200; ++i) {
          must(::recv(ends.other(), piece.data(), piece.size(), 0), "recv");
        }
        ::raise(SIGKILL);
        return 0;
      },
      kPatient);
  line.ends.close_other();
  const std::string text(16 * kMiB, 'x');
  expect_outcome("send_bytes()", live_send(line.conn, text), "std::system_error EPIPE");
  expect_send(line.conn, "x", "std::system_error EPIPE");
}

// ---- CPython is the judge

TEST(Connection, PythonSendsThemBack) {
  lesson("Talk to Python");
  Random random;
  did("sent messages to CPython, which sends them back reversed" + random.words());
  std::string why_not;
  Line line;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const CPython python(line.ends.other(),
                       "try:\n"
                       "    while True:\n"
                       "        conn.send_bytes(conn.recv_bytes()[::-1])\n"
                       "except EOFError:\n"
                       "    sys.exit(7)\n");
  line.ends.close_other();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16384},
                                 std::size_t{16385}, std::size_t{65537}, 16 * kMiB}) {
    std::string text = many_bytes(random, size);
    line.conn.send_bytes(as_span(text));
    std::reverse(text.begin(), text.end());
    const Deadline patient = Deadline::after(15s);
    if (!expect_outcome("recv_bytes()", live_recv(line.conn, patient), message(text))) {
      return;
    }
  }
  did("closed the connection: CPython's recv_bytes() must raise EOFError, and it ends with 7");
  line.conn.close();
  expect_eq("its end", python.end(), "exit code 7");
}

TEST(Connection, PythonCloses) {
  lesson("Talk to Python");
  did("received from CPython, which closes its end after two messages");
  std::string why_not;
  Line line;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const CPython python(line.ends.other(),
                       "conn.send_bytes(b'first')\n"
                       "conn.send_bytes(b'')\n"
                       "conn.close()\n");
  line.ends.close_other();
  const Deadline patient = Deadline::after(15s);
  expect_outcome("recv_bytes()", live_recv(line.conn, patient), message("first"));
  expect_outcome("recv_bytes()", live_recv(line.conn, patient), message(""));
  expect_outcome("recv_bytes()", live_recv(line.conn, patient), "EOFError");
  expect_eq("its end", python.end(), "exit code 0");
}

TEST(Connection, PythonKilledInTheMiddle) {
  lesson("Talk to Python");
  did("received from CPython, which was killed in the middle of sending 16 MiB");
  std::string why_not;
  Line line;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  const CPython python(line.ends.other(),
                       "import fcntl, signal, struct, termios, threading, time\n"
                       "def kill_when_under_way():\n"
                       "    while True:\n"
                       "        waiting = fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4))\n"
                       "        if struct.unpack('i', waiting)[0] > 50000:\n"
                       "            os.kill(os.getpid(), signal.SIGKILL)\n"
                       "        time.sleep(0.001)\n"
                       "threading.Thread(target=kill_when_under_way).start()\n"
                       "conn.send_bytes(b'whole')\n"
                       "conn.send_bytes(bytes(2**24))\n");
  line.ends.close_other();
  expect_eq("its end by SIGKILL", python.end(), "exit code 9");
  expect_recv(line.conn, message("whole"));
  expect_recv(line.conn, "BadMessage");
  expect_recv(line.conn, "EOFError");
}

// ---- values

/// A struct that can be copied byte by byte.
struct Point {
  int x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

enum class Colour : std::uint16_t { kRed = 1, kBlue = 700 };

/// A struct that says what is in it.
struct Person {
  std::string name;
  std::vector<Point> places;
  std::optional<Colour> colour;
  std::map<std::string, std::vector<std::uint8_t>> things;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(name, places, colour, CEREAL_NVP(things));
  }
  bool operator==(const Person&) const = default;
};

// The bytes of a view are an address.
static_assert(mp::detail::PlainStruct<Point> && !mp::detail::PlainStruct<Person>);
static_assert(!mp::detail::PlainStruct<std::string_view> &&
              !mp::detail::PlainStruct<std::span<int>>);

/// Sends values and receives them, one after the other.
class Post {
 public:
  template <class T>
  bool carries(const std::string& what, const T& value) {
    const std::string seen = outcome([&] {
      ends_.first.send(value);
      return ends_.second.recv<T>() == value ? std::string("as it went in") : "another value";
    });
    return expect_outcome(what, seen, "as it went in");
  }

 private:
  std::pair<mp::Connection, mp::Connection> ends_ = two_connections();
};

TEST(Connection, NumbersAndStrings) {
  lesson("Values as bytes");
  did("sent numbers and strings, and received them");
  Post post;
  post.carries("an int", 42);
  post.carries("the smallest long", std::numeric_limits<long>::min());
  post.carries("an unsigned char", static_cast<unsigned char>(255));
  post.carries("a double", -0.125);
  post.carries("infinity", std::numeric_limits<float>::infinity());
  post.carries("true", true);
  post.carries("false", false);
  post.carries("a char", 'x');
  post.carries("an enum", Colour::kBlue);
  post.carries("a byte", std::byte{200});
  post.carries("a string", std::string("with a \0 and \xff in it", 18));
  post.carries("a string of 100000 characters", std::string(100'000, 's'));
  post.carries("a wide string", std::u32string(U"\U0001f40d"));
  post.carries("a duration", std::chrono::milliseconds(1234));
}

TEST(Connection, Containers) {
  lesson("Values as bytes");
  did("sent containers, and received them");
  Post post;
  post.carries("a vector", std::vector{1, 2, 3});
  post.carries("a vector of bool", std::vector{true, false, true});
  post.carries("a vector of strings", std::vector<std::string>{"a", "", "ccc"});
  post.carries("an array", std::array{1.5, 2.5});
  post.carries("an array of bool", std::array{true, false});
  post.carries("a deque", std::deque{1, 2, 3});
  post.carries("a list", std::list<std::string>{"x", "y"});
  post.carries("a set", std::set{3, 1, 2});
  post.carries("a map", std::map<int, std::string>{{1, "one"}, {2, "two"}});
  post.carries("an unordered map", std::unordered_map<std::string, int>{{"one", 1}, {"two", 2}});
  post.carries("a pair", std::pair(1, std::string("x")));
  post.carries("a tuple", std::tuple(1, 2.5, std::string("x")));
  post.carries("an optional", std::optional(std::string("there")));
  post.carries("an empty optional", std::optional<int>());
  post.carries("a variant", std::variant<int, std::string, std::monostate>("text"));
  post.carries("its last alternative",
               std::variant<int, std::string, std::monostate>(std::monostate()));
  post.carries("a nesting", std::map<std::string, std::vector<std::optional<std::pair<int, char>>>>{
                                {"a", {{{1, 'x'}}, std::nullopt}}, {"b", {}}});
  did("sent empty containers, and received them");
  post.carries("an empty vector", std::vector<int>());
  post.carries("an empty vector of strings", std::vector<std::string>());
  post.carries("an empty string", std::string());
  post.carries("an empty map", std::map<int, int>());
  post.carries("an empty set", std::set<std::string>());
  post.carries("an empty deque", std::deque<int>());
  post.carries("an empty tuple", std::tuple<>());
}

TEST(Connection, Structs) {
  lesson("Values as bytes");
  did("sent structs, and received them");
  Post post;
  post.carries("a plain struct", Point{3, 0.5});
  post.carries("a vector of plain structs", std::vector<Point>{{1, 2}, {3, 4}});
  post.carries("an array of plain structs", std::array{Point{1, 2}, Point{3, 4}});
  const Person someone{
      "someone", {{1, 2}, {3, 4}}, Colour::kRed, {{"keys", {1, 2, 3}}, {"nothing", {}}}};
  post.carries("a struct with serialize", someone);
  post.carries("an empty one", Person());
  post.carries("a vector of them", std::vector<Person>{someone, {}, someone});
}

/// A value whose second half cannot be written.
struct Unwritable {
  std::string text = "the first half";

  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
    throw std::domain_error("it cannot be written");
  }
};

TEST(Connection, WhatCannotBeWrittenIsNotSent) {
  lesson("Values as bytes");
  did("sent a value whose serialize throws");
  Line line;
  expect_throw<std::domain_error>("std::domain_error",
                                  [&] { line.conn.send(std::vector<Unwritable>(3)); });
  expect_throw<std::domain_error>("std::domain_error",
                                  [&] { line.conn.send_for(Unwritable(), 1s); });
  expect_eq("the number of bytes at the other end", unread(line.ends.other()), 0);
  did("went on with that connection");
  expect_usable(line);
}

/// A value as it is in a message.
template <class T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// A container's length as it is in a message.
std::string raw_length(std::uint64_t length) {
  return raw(length);
}

/// Lets messages in that are no T, and one behind them that is.
class Hoax {
 public:
  template <class T>
  bool refused(const std::string& what, const std::string& body) {
    line_.ends.put(frame(body) + frame(raw(77)));
    return expect_outcome(what, outcome([&] {
                            (void)line_.conn.recv<T>();
                            return std::string("a value");
                          }),
                          "UnpicklingError") &&
           expect_outcome("the next message, an int",
                          outcome([&] { return std::to_string(line_.conn.recv<int>()); }), "77");
  }

 private:
  Line line_;
};

TEST(Connection, MessageThatIsNoSuchValue) {
  lesson("Values as bytes");
  did("received values from messages that were too short, too long, or something else");
  Hoax hoax;
  hoax.refused<int>("an int of 3 bytes", "abc");
  hoax.refused<int>("an int of no bytes", "");
  hoax.refused<int>("an int of 5 bytes", "abcde");
  hoax.refused<Point>("a struct that is cut off", raw(Point{}).substr(1));
  hoax.refused<std::string>("a string with a byte behind it", raw_length(2) + "abc");
  hoax.refused<std::string>("a string that is cut off", raw_length(4) + "abc");
  hoax.refused<std::tuple<>>("an empty tuple of one byte", "x");
  hoax.refused<std::vector<std::string>>("a vector whose last string is missing",
                                         raw_length(2) + raw_length(1) + "a");
  hoax.refused<bool>("a bool that is 2", "\x02");
  hoax.refused<std::vector<bool>>("a vector with a bool that is 2", raw_length(1) + "\x02");
  hoax.refused<std::array<bool, 2>>("an array with a bool that is 2", "\x01\x02");
  hoax.refused<std::optional<int>>("an optional whose flag is 2", "\x02");
  using Variant = std::variant<int, char>;
  hoax.refused<Variant>("a variant with an alternative that it does not have", raw(2) + "abcd");
  hoax.refused<Variant>("a variant with a negative alternative", raw(-1) + "abcd");
}

std::size_t most_taken = 0;

/// Takes memory as std::allocator does, and notes the largest piece.
template <class T>
struct Counting {
  using value_type = T;
  Counting() = default;
  template <class U>
  Counting(const Counting<U>&) {}
  T* allocate(std::size_t count) {
    most_taken = std::max(most_taken, count * sizeof(T));
    return std::allocator<T>().allocate(count);
  }
  void deallocate(T* data, std::size_t count) { std::allocator<T>().deallocate(data, count); }
  bool operator==(const Counting&) const { return true; }
};

TEST(Connection, LengthsThatLie) {
  lesson("Values as bytes");
  did("received containers whose length is a lie");
  Hoax hoax;
  using Large = std::array<char, kMiB>;
  const std::string body(4000, 'x');
  hoax.refused<std::string>("a string of 2^63 characters", raw_length(std::uint64_t{1} << 63));
  hoax.refused<std::u32string>("a wide string of 2^62", raw_length(std::uint64_t{1} << 62));
  hoax.refused<std::vector<int>>("a vector of 2^62 ints", raw_length(std::uint64_t{1} << 62));
  hoax.refused<std::vector<std::string>>("a vector of 2^40 strings",
                                         raw_length(std::uint64_t{1} << 40) + body);
  hoax.refused<std::map<int, int>>("a map of 2^40", raw_length(std::uint64_t{1} << 40) + body);
  hoax.refused<std::unordered_map<int, int>>("an unordered map of 2^40",
                                             raw_length(std::uint64_t{1} << 40) + body);
  did("received containers whose elements are so large that 4000 of them have no room in memory");
  hoax.refused<std::vector<Large>>("a vector", raw_length(4000) + body);
  hoax.refused<std::deque<Large>>("a deque", raw_length(4000) + body);
  hoax.refused<std::list<Large>>("a list", raw_length(4000) + body);
  did("looked at how much memory is taken for a message of 4008 bytes");
  hoax.refused<std::vector<double, Counting<double>>>("a vector", raw_length(4000) + body);
  hoax.refused<std::vector<Point, Counting<Point>>>("a vector", raw_length(4000) + body);
  expect(most_taken <= 4 * body.size(), "about as much memory as the message takes",
         std::to_string(most_taken) + " bytes at once");
}

// ---- what shows only when one looks twice

TEST(Connection, LeavesTheDescriptorAsItIs) {
  lesson("One deadline for the whole message");
  did("made a connection, and sent and received with a deadline");
  Ends ends;
  const int flags = must(fcntl(ends.mine(), F_GETFL), "fcntl");
  const UniqueFd same(must(fcntl(ends.mine(), F_DUPFD_CLOEXEC, 0), "fcntl"));
  mp::Connection conn{UniqueFd(ends.give())};
  expect_eq("the flags of what others share with it (F_GETFL), once it is made,",
            fcntl(same.get(), F_GETFL), flags);
  expect_outcome("recv_bytes_until()", recv(conn, passed()), "TimeoutError");
  conn.send_bytes_until(as_span("a message"), Deadline::after(std::chrono::seconds(2)));
  expect_eq("the same flags afterwards", fcntl(same.get(), F_GETFL), flags);
}

TEST(Connection, TwoAtATime) {
  lesson("Bytes have no boundaries");
  did("received on one connection while a call that reads for another one was about to be made");
  Line first;
  Line second;
  first.ends.put(frame("the first message"));
  second.ends.put(frame("another"));
  std::array<char, 40> buffer{};
  Faults faults;
  bool inside = false;
  before(faults, kReadCalls, [&](const Call&) {
    if (!std::exchange(inside, true)) {
      expect_outcome("recv_bytes() inside", recv(second.conn, passed()), message("another"));
    }
  });
  expect_outcome("recv_bytes_into() around it", live_recv_into(first.conn, buffer),
                 message("the first message"));
}

TEST(Connection, MuchLongerThanAllowed) {
  lesson("Lengths that cannot be");
  did("received with maxlength 1000 when the header of a message of 5,000,000 bytes had come");
  Line line(true, false);
  line.ends.put(big_endian(5'000'000, 4));
  expect_outcome("recv_bytes_until()", recv(line.conn, passed(), 1000), "BadMessage");
  expect_end_of_receiving(line, false);
}

}  // namespace
}  // namespace mp::test
