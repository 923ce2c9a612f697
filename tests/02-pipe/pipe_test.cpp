#include "02-pipe/pipe.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "01-process/process.hpp"
#include "02-pipe/cpython.hpp"
#include "02-pipe/ends.hpp"
#include "02-pipe/scene.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// What a raw send on the descriptor does, without waiting and without SIGPIPE.
std::string raw_send(int fd) {
  const ssize_t count = ::send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  return count == -1 ? strerrorname_np(errno) : "sent";
}

/// What a raw recv on the descriptor does, without waiting.
std::string raw_recv(int fd) {
  char byte = 0;
  const ssize_t count = ::recv(fd, &byte, 1, MSG_DONTWAIT);
  return count == -1 ? strerrorname_np(errno) : count == 0 ? "end of file" : "received";
}

/// Whether the connection says that it is closed, and means it.
bool says_closed(const Connection& connection) {
  try {
    (void)connection.fileno();
    return false;
  } catch (const ValueError&) {
    return connection.closed();
  }
}

/// The names of those that are open.
std::string open_ones(const std::vector<std::pair<std::string, const Connection*>>& all) {
  std::string names;
  for (const auto& [name, connection] : all) {
    if (!says_closed(*connection)) {
      names += (names.empty() ? "" : " ") + name;
    }
  }
  return names.empty() ? "none" : names;
}

/// Receives until the end of file. @return how many messages came.
int count_messages(Connection& connection) {
  int count = 0;
  try {
    for (;;) {
      (void)connection.recv_bytes();
      ++count;
    }
  } catch (const EOFError&) {
    return count;
  }
}

/// Waits for the process, and ends it when that takes long. @return whether it ended by itself.
bool ends_in_time(Process& process) {
  const bool ended = process.join_for(kLimit);
  if (!ended) {
    process.kill();
  }
  process.join();
  return ended;
}

// ---- two ends

TEST(Pipe, BothDirections) {
  lesson("Both directions");
  did("made a Pipe() and sent a message from each end");
  auto ends = Pipe();
  expect_eq("readable() of the first end", ends.first.readable(), true);
  expect_eq("writable() of the first end", ends.first.writable(), true);
  expect_eq("readable() of the second end", ends.second.readable(), true);
  expect_eq("writable() of the second end", ends.second.writable(), true);
  send_text(ends.first, "there");
  send_text(ends.second, "and back");
  expect_eq("what the second end receives", next_message(ends.second), "there");
  expect_eq("what the first end receives", next_message(ends.first), "and back");
}

TEST(Pipe, MessagesKeepTheirOrderAndTheirBoundaries) {
  lesson("A pipe is a buffer with two ends");
  did("sent four messages, one of them empty and one of 50,000 bytes, before the first was read");
  auto ends = Pipe();
  const std::string large(50'000, 'L');
  send_text(ends.first, "one");
  send_text(ends.first, "");
  send_text(ends.first, large);
  send_text(ends.first, "four");
  expect_eq("the first message", next_message(ends.second), "one");
  expect_eq("the second message", next_message(ends.second), "");
  expect(next_message(ends.second) == large, "the third message to be the one that was sent",
         "another one");
  expect_eq("the fourth message", next_message(ends.second), "four");
}

TEST(Pipe, EndsAreTwo) {
  lesson("A pipe is a buffer with two ends");
  for (const bool duplex : {true, false}) {
    did("made a Pipe(" + words(duplex) + ") and closed one of its ends");
    auto ends = Pipe(duplex);
    if (!expect(ends.first.fileno() != ends.second.fileno(), "two descriptors", "one")) {
      return;
    }
    ends.first.close();
    expect_eq("closed() of the other end", ends.second.closed(), false);
    expect(is_open(ends.second.fileno()), "the other end's descriptor to be open", "it is not");
  }
}

TEST(Pipe, AcrossProcesses) {
  lesson("Who holds which end after fork");
  did("sent a message to a child, which sends it back twice as long");
  auto ends = Pipe();
  const Kid kid([&ends] {
    const std::string text = next_message(ends.second);
    send_text(ends.second, text + text);
    return 0;
  });
  send_text(ends.first, "echo ");
  expect_eq("the answer", next_message(ends.first), "echo echo ");
}

// ---- one direction

TEST(Pipe, OneWayFromTheSecondToTheFirst) {
  lesson("Both directions");
  did("made a Pipe(false) and sent a message on its second end");
  auto ends = Pipe(false);
  expect_eq("readable() of the first end", ends.first.readable(), true);
  expect_eq("writable() of the first end", ends.first.writable(), false);
  expect_eq("readable() of the second end", ends.second.readable(), false);
  expect_eq("writable() of the second end", ends.second.writable(), true);
  send_text(ends.second, "this way");
  expect_eq("what the first end receives", next_message(ends.first), "this way");
}

TEST(Pipe, WrongWayIsAnErrorAndNothingElse) {
  lesson("Both directions");
  did("sent on the first end of a Pipe(false), and received on its second end");
  auto ends = Pipe(false);
  expect_throw<ValueError>("ValueError", [&] { send_text(ends.first, "wrong"); });
  expect_throw<ValueError>("ValueError",
                           [&] { (void)ends.second.recv_bytes_until(Deadline::after(kLimit)); });
  expect_eq("closed() of the first end", ends.first.closed(), false);
  expect_eq("closed() of the second end", ends.second.closed(), false);
  send_text(ends.second, "right");
  expect_eq("what the first end receives afterwards", next_message(ends.first), "right");
}

TEST(Pipe, WrongWayIsClosedInTheKernel) {
  lesson("Both directions");
  did("made a Pipe(false), and called send(2) and recv(2) on its descriptors, past the "
      "connections");
  auto ends = Pipe(false);
  expect_eq("send(2) on the end that receives", raw_send(ends.first.fileno()), "EPIPE");
  expect_eq("recv(2) on the end that sends", raw_recv(ends.second.fileno()), "end of file");
  expect_eq("send(2) on the end that sends", raw_send(ends.second.fileno()), "sent");
  expect_eq("recv(2) on the end that receives", raw_recv(ends.first.fileno()), "received");
}

TEST(Pipe, CPythonCannotGoTheWrongWay) {
  lesson("Talk to Python");
  std::string why_not;
  if (!CPython::works(why_not)) {
    GTEST_SKIP() << why_not;
  }
  {
    did("gave the receiving end of a Pipe(false) to CPython, which receives and then tries to "
        "send");
    auto ends = Pipe(false);
    const CPython python(ends.first.fileno(),
                         "assert conn.recv_bytes() == b'to you'\n"
                         "try:\n"
                         "    conn.send_bytes(b'the wrong way')\n"
                         "except BrokenPipeError:\n"
                         "    sys.exit(0)\n"
                         "sys.exit(3)  # it could send\n");
    ends.first.close();
    send_text(ends.second, "to you");
    expect_eq("CPython's end, which is 0 after a message and a BrokenPipeError,", python.end(),
              "exit code 0");
  }
  {
    did("gave the sending end of a Pipe(false) to CPython, which sends and then tries to receive");
    auto ends = Pipe(false);
    const CPython python(ends.second.fileno(),
                         "conn.send_bytes(b'from me')\n"
                         "if not conn.poll(1):\n"
                         "    sys.exit(3)  # it would wait for ever\n"
                         "try:\n"
                         "    conn.recv_bytes()\n"
                         "except EOFError:\n"
                         "    sys.exit(0)\n"
                         "sys.exit(4)\n");
    ends.second.close();
    expect_eq("what CPython sends", as_text(ends.first.recv_bytes_until(Deadline::after(4s))),
              "from me");
    expect_eq("CPython's end, which is 0 after an EOFError,", python.end(), "exit code 0");
  }
}

TEST(Pipe, DescriptorsBlock) {
  lesson("Talk to Python");
  for (const bool duplex : {true, false}) {
    did("made a Pipe(" + words(duplex) +
        ") and looked at the flags that all who have its descriptors share");
    auto ends = Pipe(duplex);
    for (const Connection* const end : {&ends.first, &ends.second}) {
      expect((must(fcntl(end->fileno(), F_GETFL), "fcntl") & O_NONBLOCK) == 0,
             "a descriptor that blocks, as CPython's Connection needs it", "O_NONBLOCK");
    }
  }
}

// ---- descriptors

TEST(Pipe, ClosedInANewProgram) {
  lesson("One owner for a descriptor");
  for (const bool duplex : {true, false}) {
    did("made a Pipe(" + words(duplex) + ") and looked at its descriptors' FD_CLOEXEC");
    int open_for_a_moment = 0;
    Faults faults;
    faults.after("socketpair", [&](const Call& call) {
      const int* const made = pointer<int>(call.args[3]);
      for (int i = 0; i < 2; ++i) {
        const int flags = fcntl(made[i], F_GETFD);
        open_for_a_moment += flags != -1 && (flags & FD_CLOEXEC) == 0 ? 1 : 0;
      }
    });
    auto ends = Pipe(duplex);
    for (const Connection* const end : {&ends.first, &ends.second}) {
      expect((must(fcntl(end->fileno(), F_GETFD), "fcntl") & FD_CLOEXEC) != 0,
             "FD_CLOEXEC: closed in a program that execve starts", "no FD_CLOEXEC");
    }
    expect(open_for_a_moment == 0,
           "FD_CLOEXEC from the call on that makes them: another thread may fork and execute "
           "right after it",
           std::to_string(open_for_a_moment) + " descriptors without it at first");
  }
}

TEST(Pipe, FailureLeavesNothingOpen) {
  lesson("One owner for a descriptor");
  for (const bool duplex : {true, false}) {
    for (const int error : {EMFILE, ENFILE, ENOMEM}) {
      did("made socketpair fail with " + std::string(strerrorname_np(error)) + " in Pipe(" +
          words(duplex) + ")");
      const std::size_t before = count_descriptors();
      {
        Faults faults;
        faults.fail("socketpair", error);
        const std::string text = expect_error(error, [&] { (void)Pipe(duplex); });
        expect(text.find("socketpair") != std::string::npos, "a text that names the call", text);
      }
      expect_eq("the number of descriptors afterwards", count_descriptors(), before);
    }
  }
  did("tried again after that");
  auto ends = Pipe();
  send_text(ends.first, "again");
  expect_eq("what arrives", next_message(ends.second), "again");
}

TEST(Pipe, FailureOfTheSecondStepLeavesNothingOpen) {
  lesson("One owner for a descriptor");
  did("made shutdown fail with ENOMEM in Pipe(false)");
  const std::size_t before = count_descriptors();
  {
    Faults faults;
    faults.fail("shutdown", ENOMEM);
    expect_error(ENOMEM, [] { (void)Pipe(false); });
  }
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
  did("tried again after that");
  auto ends = Pipe(false);
  send_text(ends.second, "again");
  expect_eq("what arrives", next_message(ends.first), "again");
}

TEST(Pipe, NoDescriptorsLeft) {
  lesson("One owner for a descriptor");
  for (const bool duplex : {true, false}) {
    for (const int room : {0, 1}) {
      did("made a Pipe(" + words(duplex) + ") with room for " + std::to_string(room) +
          " descriptors");
      const std::size_t before = count_descriptors();
      expect_error(EMFILE,
                   [&] { with_descriptors(room, [duplex = duplex] { (void)Pipe(duplex); }); });
      expect_eq("the number of descriptors afterwards", count_descriptors(), before);
    }
  }
  did("tried again with room for two");
  auto ends = with_descriptors(2, [] { return Pipe(); });
  send_text(ends.first, "again");
  expect_eq("what arrives", next_message(ends.second), "again");
}

TEST(Pipe, ManyLeaveNothingOpen) {
  lesson("One owner for a descriptor");
  did("made a hundred pipes, one after the other, and let go of them");
  const std::size_t before = count_descriptors();
  for (int i = 0; i < 100; ++i) {
    auto ends = Pipe(i % 2 == 0);
  }
  expect_eq("the number of descriptors afterwards", count_descriptors(), before);
}

// ---- the end of file

TEST(Pipe, EndOfFileWhenTheLastCopyIsClosed) {
  lesson("Who holds which end after fork");
  did("sent a message and closed the end, of which a child holds a copy");
  auto ends = Pipe();
  const Gate gate;
  const Kid kid([&gate] {
    gate.pass();
    return 0;
  });
  send_text(ends.first, "last words");
  ends.first.close();
  expect_eq("what the other end receives", next_message(ends.second), "last words");
  expect_eq("poll() while the child lives", ends.second.poll(), false);
  did("let the child end, which held the last copy");
  gate.open();
  expect_eq("what the other end receives", next_message(ends.second), "(the end of file)");
  expect_eq("what it receives the next time", next_message(ends.second), "(the end of file)");
}

TEST(Pipe, KilledHolderIsTheEndOfFile) {
  lesson("Nobody reads any more");
  did("killed the child that is the only one to hold the other end");
  auto ends = Pipe();
  const Kid kid([&ends] {
    ends.first.close();
    send_text(ends.second, "alive");
    return waits_for_ever()();
  });
  ends.second.close();
  expect_eq("what it says before", next_message(ends.first), "alive");
  kid.signal(SIGKILL);
  expect_eq("what comes afterwards", next_message(ends.first), "(the end of file)");
  for (int i = 0; i < 2; ++i) {
    expect_error(EPIPE, [&] { send_text(ends.first, "anybody?"); });
  }
}

// ---- keep_only

TEST(Pipe, TextbookLoopEnds) {
  lesson("Who holds which end after fork");
  did("started a child that keeps only its end and receives until the end of file; sent it three "
      "messages and closed the parent's end");
  auto ends = Pipe();
  const Shared<std::atomic<int>> received;
  Process child([&] {
    keep_only(ends.second);
    *received = count_messages(ends.second);
  });
  child.start();
  ends.second.close();
  for (const char* const text : {"one", "two", "three"}) {
    send_text(ends.first, text);
  }
  ends.first.close();
  if (expect(ends_in_time(child), "the child to see the end of file, and to end",
             "it waits: it holds a copy of the parent's end itself")) {
    expect_eq("how many messages it has received", received->load(), 3);
  }
}

TEST(Pipe, SiblingsForkedLaterLetGo) {
  lesson("Who holds which end after fork");
  did("started two children, each with a pipe of its own that it alone keeps, and closed the "
      "parent's end of the first pipe");
  auto first = joined();
  auto second = joined();
  Process one([&] {
    keep_only(first.second);
    count_messages(first.second);
  });
  one.start();
  first.second.close();
  Process two([&] {
    keep_only(second.second);
    count_messages(second.second);
  });
  two.start();
  second.second.close();
  first.first.close();
  expect(ends_in_time(one), "the first child to see the end of file",
         "it waits: its sibling, which was forked later, holds a copy of the parent's end");
  expect_eq("exitcode() of the first child", one.exitcode(), std::optional(0));
  expect_eq("is_alive() of the second child", two.is_alive(), true);
  second.first.close();
  expect(ends_in_time(two), "the second child to see the end of file", "it waits");
}

TEST(Pipe, OnlyTheNamedStayOpen) {
  lesson("Who holds which end after fork");
  did("made three pairs a b, c d, e f and called keep_only(e, b, f)");
  auto [a, b] = joined();
  auto [c, d] = joined();
  auto [e, f] = joined();
  const std::array numbers{a.fileno(), c.fileno(), d.fileno()};
  keep_only(e, b, f);
  expect_eq("what is open",
            open_ones({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}, {"e", &e}, {"f", &f}}), "b e f");
  expect(std::none_of(numbers.begin(), numbers.end(), is_open),
         "the descriptors of the others to be closed", "one of them is open");
  expect_throw<ValueError>("ValueError", [&a = a] { send_text(a, "closed"); });
  send_text(e, "kept");
  expect_eq("what f receives from e", next_message(f), "kept");
  expect_eq("what b receives after a was closed", next_message(b), "(the end of file)");
}

TEST(Pipe, NoneIsKept) {
  lesson("Who holds which end after fork");
  did("called keep_only() with no connection");
  auto [a, b] = joined();
  auto [c, d] = joined();
  keep_only();
  expect_eq("what is open", open_ones({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}}), "none");
  did("called it again");
  keep_only();
  auto [e, f] = joined();
  send_text(e, "new");
  expect_eq("what a new pair receives", next_message(f), "new");
}

TEST(Pipe, NamedTwiceIsKept) {
  lesson("Who holds which end after fork");
  did("called keep_only(a, a, b, a)");
  auto [a, b] = joined();
  auto [c, d] = joined();
  keep_only(a, a, b, a);
  expect_eq("what is open", open_ones({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}}), "a b");
}

TEST(Pipe, ClosedOneNamedClosesNothing) {
  lesson("Who holds which end after fork");
  auto [a, b] = joined();
  auto [c, d] = joined();
  auto [moved, e] = joined();
  Connection taken = std::move(moved);
  d.close();
  const auto open_now = [&a = a, &b = b, &c = c, &e = e] {
    return open_ones({{"a", &a}, {"b", &b}, {"c", &c}, {"e", &e}});
  };
  did("called keep_only(b, d) although d is closed");
  expect_throw<ValueError>("ValueError", [&b = b, &d = d] { keep_only(b, d); });
  expect_eq("what is open", open_now(), "a b c e");
  did("called keep_only(d, c) although d is closed");
  expect_throw<ValueError>("ValueError", [&c = c, &d = d] { keep_only(d, c); });
  expect_eq("what is open", open_now(), "a b c e");
  did("called keep_only() with a connection that was moved from");
  // NOLINTNEXTLINE(bugprone-use-after-move)
  expect_throw<ValueError>("ValueError", [&moved = moved] { keep_only(moved); });
  expect_eq("what is open", open_now(), "a b c e");
  did("called keep_only() with all that are open, and one that is closed");
  expect_throw<ValueError>("ValueError", [&a = a, &b = b, &c = c, &d = d, &e = e, &taken] {
    keep_only(a, b, c, e, taken, d);
  });
  expect_eq("what is open", open_now(), "a b c e");
}

TEST(Pipe, MovedConnectionsAreFound) {
  lesson("Who holds which end after fork");
  did("moved connections into a vector that grows, onto the heap and over each other, and called "
      "keep_only() with one in the vector");
  std::vector<Connection> all;
  for (int i = 0; i < 10; ++i) {
    auto [a, b] = joined();
    all.push_back(std::move(a));
    all.push_back(std::move(b));
  }
  const auto on_heap = std::make_unique<Connection>(std::move(all[3]));
  all[4] = std::move(all[5]);
  keep_only(all[7]);
  std::size_t open = 0;
  for (const Connection& connection : all) {
    open += says_closed(connection) ? 0 : 1;
  }
  expect_eq("how many in the vector are open", open, std::size_t{1});
  expect_eq("closed() of the one that is kept", all[7].closed(), false);
  expect_eq("closed() of the one on the heap", says_closed(*on_heap), true);
  expect_eq("what the kept one receives", next_message(all[7]), "(the end of file)");
}

TEST(Pipe, MovedIntoAProcess) {
  lesson("Who holds which end after fork");
  did("moved an end into a process as its argument, which keeps only that one");
  auto ends = joined();
  const Shared<std::atomic<int>> received;
  Process child(
      [&received](Connection& mine) {
        keep_only(mine);
        *received = count_messages(mine);
      },
      std::move(ends.second));
  child.start();
  send_text(ends.first, "hello");
  ends.first.close();
  if (expect(ends_in_time(child), "the child to see the end of file, and to end",
             "it waits: it holds a copy of the parent's end itself")) {
    expect_eq("how many messages it has received", received->load(), 1);
  }
  did("moved an end into a process as its argument, which keeps none");
  auto others = joined();
  const Shared<std::atomic<bool>> closed;
  Process second(
      [&closed](Connection& mine) {
        keep_only();
        *closed = says_closed(mine);
      },
      std::move(others.second));
  second.start();
  expect(ends_in_time(second), "the child to end", "it does not");
  expect_eq("whether its end was closed", closed->load(), true);
}

TEST(Pipe, NumbersAreUsedAgain) {
  lesson("Who holds which end after fork");
  did("opened files under the numbers of connections that are gone, and called keep_only()");
  std::array<int, 2> numbers{};
  {
    auto [a, b] = joined();
    numbers = {a.fileno(), b.fileno()};
  }
  {
    auto moved_away = joined();
    const Connection first = std::move(moved_away.first);
  }
  const UniqueFd file(must(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, numbers[0]), "fcntl"));
  const UniqueFd another(must(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, numbers[1]), "fcntl"));
  keep_only();
  expect(is_open(file.get()) && is_open(another.get()), "the files to stay open",
         "one of them was closed");
  did("made connections under numbers that were used before, and called keep_only()");
  auto [c, d] = joined();
  c.close();
  d.close();
  auto [e, f] = joined();
  auto [g, h] = joined();
  keep_only(g, h);
  expect_eq("what is open", open_ones({{"e", &e}, {"f", &f}, {"g", &g}, {"h", &h}}), "g h");
}

TEST(Pipe, ManyAreFound) {
  lesson("Who holds which end after fork");
  did("called keep_only() with the last of 300 connections");
  std::list<Connection> all;
  for (int i = 0; i < 150; ++i) {
    auto [a, b] = joined();
    all.push_back(std::move(a));
    all.push_back(std::move(b));
  }
  keep_only(all.back());
  const auto open = std::count_if(all.begin(), all.end(), [](const Connection& connection) {
    return !says_closed(connection);
  });
  expect_eq("how many are open", open, 1);
  expect_eq("closed() of the last one", all.back().closed(), false);
}

TEST(Pipe, ParentsEndsAreUntouched) {
  lesson("Who holds which end after fork");
  did("let a child call keep_only() with none, and end; then sent messages between the parent's "
      "ends");
  auto [a, b] = joined();
  auto [c, d] = joined();
  const Kid kid([] {
    keep_only();
    return 0;
  });
  kid.wait_for_end();
  if (!expect_eq("the child's exit code", kid.take().value_or(-1), 0)) {
    return;
  }
  expect_eq("what is open", open_ones({{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}}), "a b c d");
  send_text(a, "still");
  send_text(d, "here");
  expect_eq("what b receives from a", next_message(b), "still");
  expect_eq("what c receives from d", next_message(c), "here");
}

TEST(Pipe, OtherDescriptorsStayOpen) {
  lesson("Who holds which end after fork");
  did("called keep_only() while other descriptors are open, made before and after the connections");
  const Gate before;
  const UniqueFd copy = duplicate(STDIN_FILENO);
  auto [a, b] = joined();
  const Gate after;
  const Ends socket;
  keep_only(b);
  expect_eq("what is open", open_ones({{"a", &a}, {"b", &b}}), "b");
  for (const auto& [name, fd] : {std::pair("standard input", STDIN_FILENO),
                                 {"standard output", STDOUT_FILENO},
                                 {"standard error", STDERR_FILENO},
                                 {"a pipe made before", before.exit()},
                                 {"a pipe made afterwards", after.exit()},
                                 {"a UniqueFd", copy.get()},
                                 {"a socket that is no connection", socket.other()}}) {
    expect(is_open(fd), std::string(name) + " to stay open", "it was closed");
  }
}

TEST(Pipe, HighNumbersAreFound) {
  lesson("Who holds which end after fork");
  rlimit limit{};
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  constexpr int kHigh = 3000;
  if (limit.rlim_max <= kHigh + 1) {
    GTEST_SKIP() << "this process may not have descriptor " << kHigh;
  }
  did("called keep_only() for one of two connections, the other one of which has a number of 3000 "
      "or more");
  auto [a, b] = joined();
  const Connection high(UniqueFd(must(fcntl(b.fileno(), F_DUPFD_CLOEXEC, kHigh), "fcntl")));
  keep_only(a);
  expect_eq("closed() of the other one", high.closed(), true);
}

TEST(Pipe, ManyAreKept) {
  lesson("Who holds which end after fork");
  did("called keep_only() with six of eight connections");
  auto [a, b] = joined();
  auto [c, d] = joined();
  auto [e, f] = joined();
  auto [g, h] = joined();
  keep_only(h, g, f, d, c, a);
  expect_eq(
      "what is open",
      open_ones(
          {{"a", &a}, {"b", &b}, {"c", &c}, {"d", &d}, {"e", &e}, {"f", &f}, {"g", &g}, {"h", &h}}),
      "a c d f g h");
  expect_eq("whether what is kept is still closed in a new program (FD_CLOEXEC)",
            (fcntl(a.fileno(), F_GETFD) & FD_CLOEXEC) != 0, true);
}

}  // namespace
}  // namespace mp::test
