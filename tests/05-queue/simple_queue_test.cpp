#include "05-queue/simple_queue.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"
#include "04-lock/asked.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 5> kSends{"sendmsg", "send", "sendto", "write", "writev"};
constexpr std::array<std::string_view, 5> kReceives{"recv", "recvmsg", "recvfrom", "read", "readv"};

/// A child that comes so far with a message: that many bytes of it, and there it stands, with more
/// to do, until it is let go on. No luck is needed then to find it there.
class Halfway {
 public:
  template <class Calls>
  Halfway(const Calls& calls, std::size_t bytes, const std::function<std::string()>& body)
      : child_(
            [this, &calls, bytes, &body] {
              Faults faults;
              for (const std::string_view name : calls) {
                faults.shorten(name, bytes);
                faults.after(name, [this](const Call& /*call*/) {
                  if (!there_->exchange(true)) {
                    gate_.pass();
                  }
                });
              }
              return body();
            },
            4) {}

  /// Waits until it stands there. @return whether it does.
  [[nodiscard]] bool stands() const {
    return expect(becomes_true([this] { return *there_ || !child_.is_busy(); }) && *there_,
                  "it to come half the way",
                  child_.is_busy() ? "a child that does not move"
                                   : "a child that ended, and said: " + child_.answer());
  }
  void go_on() const { gate_.open(); }
  [[nodiscard]] std::string answer() const { return child_.answer(); }

 private:
  Shared<std::atomic<bool>> there_;
  Gate gate_;
  Asked child_;
};

/// Whether a child waits for a lock: it sleeps in futex(2), and has not come to an end.
bool waits_for_its_turn(const Asked& child) {
  becomes_true([&child] { return !child.is_busy() || is_asleep_in_futex(child.pid()); });
  return expect(child.is_busy() && is_asleep_in_futex(child.pid()),
                "the other child to sleep until it is its turn",
                child.is_busy() ? "one that does not sleep in a lock"
                                : "one that ended, and said: " + child.answer());
}

/// Whether a child waits, wherever: it sleeps, and has not come to an end.
bool sleeps(const Asked& child) {
  becomes_true([&child] { return !child.is_busy() || is_asleep(child.pid()); });
  return expect(child.is_busy(), "the child to wait",
                child.is_busy() ? "" : "one that ended, and said: " + child.answer());
}

/// What a child says, that does it. It is ended after 2 s.
std::string in_a_child(const std::function<std::string()>& body) {
  return Asked(body).answer();
}

std::string puts(SimpleQueue<std::string>& queue, const std::string& text) {
  queue.put(text);
  return "put";
}

/// A long text is shown by its ends.
std::string shown(const std::string& text) {
  return text.size() < 60 ? text
                          : text.substr(0, 20) + "... (" + std::to_string(text.size()) + " bytes)";
}

/// The message that a child gets.
std::string got_by_a_child(SimpleQueue<std::string>& queue) {
  return in_a_child([&queue] { return shown(queue.get()); });
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string text_of(const Bytes& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += static_cast<char>(byte);
  }
  return text;
}

/// The name of what an action throws.
std::string thrown_by(const std::function<void()>& action) {
  try {
    action();
    return "nothing";
  } catch (const ValueError&) {
    return "ValueError";
  } catch (const std::system_error& error) {
    return strerrorname_np(error.code().value());
  } catch (const std::exception& error) {
    return error.what();
  }
}

// ---- what goes in comes out

TEST(SimpleQueue, InTheOrderOfTheirPuts) {
  lesson("A pipe is a queue of bytes");
  did("put three numbers, and got three");
  SimpleQueue<int> queue;
  for (const int number : {1, -2, 3}) {
    queue.put(number);
  }
  for (const int number : {1, -2, 3}) {
    if (!expect_eq("the next one", queue.get(), number)) {
      return;
    }
  }
}

TEST(SimpleQueue, AnyValue) {
  lesson("A pipe is a queue of bytes");
  did("put a nested value, and got it in a child");
  using Nested = std::map<std::string, std::vector<std::optional<double>>>;
  const Nested value{{"none", {std::nullopt}}, {"", {}}, {std::string("a\0b", 3), {1.5, -2}}};
  SimpleQueue<Nested> queue;
  queue.put(value);
  expect_eq("what a child gets",
            in_a_child([&] { return queue.get() == value ? "the same value" : "another value"; }),
            "the same value");
}

TEST(SimpleQueue, EmptyMessagesAreMessages) {
  lesson("A pipe is a queue of bytes");
  did("put a message of no bytes, and then one of three");
  LockedPipe pipe;
  pipe.put_bytes({});
  expect_eq("empty()", pipe.empty(), false);
  pipe.put_bytes(bytes_of("abc"));
  expect_eq("the first message", text_of(pipe.get_bytes()), "");
  expect_eq("the second message", text_of(pipe.get_bytes()), "abc");
}

TEST(SimpleQueue, EmptyOrNot) {
  lesson("A pipe is a queue of bytes");
  did("asked empty() before and after puts and gets");
  SimpleQueue<std::string> queue;
  const auto is_empty = [&queue] {  // in a child, for it might wait
    return in_a_child([&queue] { return queue.empty() ? "empty" : "not empty"; });
  };
  expect_eq("a new queue", is_empty(), "empty");
  queue.put("one");
  queue.put("two");
  expect_eq("with two messages it", is_empty(), "not empty");
  queue.get();
  expect_eq("with one message it", is_empty(), "not empty");
  queue.get();
  expect_eq("with none left it", is_empty(), "empty");
}

TEST(SimpleQueue, BothWaysBetweenProcesses) {
  lesson("A pipe is a queue of bytes");
  did("put a message, forked, put another one in the child, and got both in the parent");
  SimpleQueue<std::string> queue;
  queue.put("from the parent");
  expect_eq("what the child says", in_a_child([&] { return puts(queue, "from the child"); }),
            "put");
  expect_eq("the first message", queue.get(), "from the parent");
  expect_eq("the second message", queue.get(), "from the child");
  queue.put("to a child");
  expect_eq("what a child gets", got_by_a_child(queue), "to a child");
  expect_eq("empty() afterwards", queue.empty(), true);
}

TEST(SimpleQueue, GetWaitsForAMessage) {
  lesson("A pipe is a queue of bytes");
  did("let a child get from an empty queue, and put a message when it slept");
  SimpleQueue<std::string> queue;
  const Asked child([&queue] { return queue.get(); }, 4);
  sleeps(child);
  queue.put("here");
  expect_eq("what the child gets", child.answer(), "here");
}

TEST(SimpleQueue, LargerThanThePipe) {
  lesson("A pipe is a queue of bytes");
  did("put a message of 1 MB in a child, which the kernel has no room for, and got it then");
  SimpleQueue<std::string> queue;
  std::string text(1'000'000, 'x');
  text.back() = '!';
  const Asked child([&] { return puts(queue, text); }, 4);
  sleeps(child);
  expect_eq("empty() meanwhile",
            in_a_child([&] { return std::string(queue.empty() ? "true" : "false"); }), "false");
  const Asked getter([&] {
    const std::string got = queue.get();
    return got == text ? "the same" : "another one: " + shown(got);
  });
  expect_eq("the message that comes out", getter.answer(), "the same");
  expect_eq("what the child says then", child.answer(), "put");
}

// ---- one at a time

TEST(SimpleQueue, MessagesOfTwoSendersStayWhole) {
  lesson("One lock for each end");
  did("let one child send 7 bytes of a long message, and another one put a message then");
  SimpleQueue<std::string> queue;
  const Halfway first(kSends, 7, [&] { return puts(queue, std::string(40, 'a')); });
  if (!first.stands()) {
    return;
  }
  const Asked second([&] { return puts(queue, std::string(40, 'b')); }, 4);
  waits_for_its_turn(second);
  expect_eq("empty(), when a part of a message is there,", queue.empty(), false);
  first.go_on();
  expect_eq("what the first child says", first.answer(), "put");
  expect_eq("what the second child says", second.answer(), "put");
  expect_eq("the first message", got_by_a_child(queue), std::string(40, 'a'));
  expect_eq("the second message", got_by_a_child(queue), std::string(40, 'b'));
}

TEST(SimpleQueue, MessagesForTwoReceiversStayWhole) {
  lesson("One lock for each end");
  did("let one child receive 3 bytes of a message, and another one get a message then");
  SimpleQueue<std::string> queue;
  queue.put(std::string(40, 'a'));
  queue.put(std::string(40, 'b'));
  const Halfway first(kReceives, 3, [&] { return queue.get(); });
  if (!first.stands()) {
    return;
  }
  const Asked second([&] { return queue.get(); }, 4);
  waits_for_its_turn(second);
  first.go_on();
  expect_eq("what the first child gets", first.answer(), std::string(40, 'a'));
  expect_eq("what the second child gets", second.answer(), std::string(40, 'b'));
}

TEST(SimpleQueue, SendersGoOnWhileOneWaitsForAMessage) {
  lesson("One lock for each end");
  did("put a message in one child, while another one slept in get()");
  SimpleQueue<std::string> queue;
  const Asked getter([&] { return queue.get(); }, 4);
  sleeps(getter);
  const Asked putter([&] { return puts(queue, "here"); });
  expect_eq("what the one that puts says", putter.answer(), "put");
  expect_eq("what the other one gets", getter.answer(), "here");
}

TEST(SimpleQueue, QueuesDoNotWaitForEachOther) {
  lesson("One lock for each end");
  did("put into one queue and got from it in a child, while one slept in get() of another queue, "
      "and one was in the middle of put() there");
  SimpleQueue<std::string> queue;
  SimpleQueue<std::string> another;
  const Asked getter([&] { return queue.get(); }, 4);
  const Halfway putter(kSends, 7, [&] { return puts(queue, "here"); });
  if (!sleeps(getter) || !putter.stands()) {
    return;
  }
  expect_eq("what it got", in_a_child([&] {
              another.put("there");
              return another.get();
            }),
            "there");
  putter.go_on();
  expect_eq("what the other one gets", getter.answer(), "here");
}

TEST(SimpleQueue, ReceiversGoOnWhileOneWaitsForRoom) {
  lesson("One lock for each end");
  did("got messages in one child, while another one slept in put(), since the pipe was full");
  SimpleQueue<std::string> queue;
  const std::string text(100'000, 'x');
  const Asked putter(
      [&] {
        for (int i = 0; i < 10; ++i) {
          queue.put(text);
        }
        return "all put";
      },
      4);
  sleeps(putter);
  const Asked getter([&] {
    for (int i = 0; i < 10; ++i) {
      if (const std::string got = queue.get(); got != text) {
        return "another message: " + shown(got);
      }
    }
    return std::string("all got");
  });
  expect_eq("what the one that gets says", getter.answer(), "all got");
  expect_eq("what the one that puts says", putter.answer(), "all put");
}

TEST(SimpleQueue, EmptyWaitsForNobody) {
  lesson("One lock for each end");
  did("asked empty() in a child, while another one slept in get()");
  SimpleQueue<std::string> queue;
  const auto asks = [&queue] { return queue.empty() ? "empty" : "not empty"; };
  const Asked getter([&] { return queue.get(); }, 4);
  sleeps(getter);
  expect_eq("what the one that asks says", in_a_child(asks), "empty");
  queue.put("here");
  expect_eq("what the other one gets", getter.answer(), "here");
  did("asked empty() in a child, while another one was in the middle of put()");
  const Halfway putter(kSends, 7, [&] { return puts(queue, "a message"); });
  if (putter.stands()) {
    expect_eq("what the one that asks says", in_a_child(asks), "not empty");
    putter.go_on();
    expect_eq("what the one that puts says", putter.answer(), "put");
  }
}

/// Looks at a child that waits, for 60 ms, and expects that it sleeps all the time and does not
/// come back to ask. It counts its calls that ask.
void expect_one_long_sleep(const std::atomic<int>& asked) {
  const auto start = std::chrono::steady_clock::now();
  becomes_true([&] { return asked > 50 || std::chrono::steady_clock::now() - start > 60ms; });
  expect(asked <= 50, "it to sleep until it is its turn",
         "one that asks again and again: " + std::to_string(asked) + " times and more");
}

/// What a child answers that waits in `body`; its calls that ask are counted.
std::string counting(std::atomic<int>& asked, const std::function<std::string()>& body) {
  Faults faults;
  for (const std::string_view name : {"futex", "poll", "ppoll", "recv", "recvmsg", "recvfrom",
                                      "read", "sched_yield", "nanosleep", "clock_nanosleep"}) {
    faults.before(name, [&asked](const Call& /*call*/) { ++asked; });
  }
  return body();
}

TEST(SimpleQueue, WaitingForAMessageIsSleeping) {
  lesson("A pipe is a queue of bytes");
  did("let a child get from an empty queue, and counted for 60 ms how often it asked");
  SimpleQueue<std::string> queue;
  const Shared<std::atomic<int>> asked;
  const Asked child([&] { return counting(*asked, [&queue] { return queue.get(); }); }, 4);
  sleeps(child);
  expect_one_long_sleep(*asked);
  queue.put("here");
  expect_eq("what the child gets", child.answer(), "here");
}

TEST(SimpleQueue, WaitingForItsTurnIsSleeping) {
  lesson("One lock for each end");
  did("let a child put, while another one was in the middle of put(), and counted for 60 ms how "
      "often it asked");
  SimpleQueue<std::string> queue;
  const Shared<std::atomic<int>> asked;
  const Halfway first(kSends, 7, [&] { return puts(queue, "first"); });
  if (!first.stands()) {
    return;
  }
  const Asked second([&] { return counting(*asked, [&] { return puts(queue, "second"); }); }, 4);
  becomes_true([&] { return *asked > 0 || !second.is_busy(); });
  expect_one_long_sleep(*asked);
  first.go_on();
  expect_eq("what the first child says", first.answer(), "put");
  expect_eq("what the second child says", second.answer(), "put");
}

// ---- the lock comes back

TEST(SimpleQueue, PutThatFailsGivesTheLockBack) {
  lesson("One lock for each end");
  did("made sending fail once with EPIPE");
  SimpleQueue<std::string> queue;
  {
    Faults faults;
    for (const std::string_view name : kSends) {
      faults.fail(name, EPIPE);
    }
    expect_eq("what put() threw", thrown_by([&] { queue.put("lost"); }), "EPIPE");
  }
  did("put a message after a put() that had failed with EPIPE");
  expect_eq("what put() threw", thrown_by([&] { queue.put("one"); }), "nothing");
  expect_eq("what a child says that puts", in_a_child([&] { return puts(queue, "two"); }), "put");
  expect_eq("the first message", got_by_a_child(queue), "one");
  expect_eq("the second message", got_by_a_child(queue), "two");
}

TEST(SimpleQueue, TooLongGivesTheLockBack) {
  lesson("One lock for each end");
  did("put a message that is longer than kMaxMessage, and one of three bytes then");
  LockedPipe pipe;
  const std::span<const std::byte> too_long(bytes_of("abc").data(), kMaxMessage + 1);
  expect_eq("what put_bytes() threw", thrown_by([&] { pipe.put_bytes(too_long); }), "ValueError");
  expect_eq("empty(), for nothing of it is sent,", pipe.empty(), true);
  expect_eq("what the next put_bytes() threw", thrown_by([&] { pipe.put_bytes(bytes_of("abc")); }),
            "nothing");
  expect_eq("the message that a child gets", in_a_child([&] { return text_of(pipe.get_bytes()); }),
            "abc");
}

TEST(SimpleQueue, GetThatFailsGivesTheLockBack) {
  lesson("One lock for each end");
  did("made receiving fail in a child, once, with EIO");
  SimpleQueue<std::string> queue;
  queue.put("one");
  expect_eq("what its first get() threw, and its second one, since receiving is over for it,",
            in_a_child([&] {
              Faults faults;
              for (const std::string_view name : kReceives) {
                faults.fail(name, EIO);
              }
              const std::string first = thrown_by([&] { queue.get(); });
              return first + ", " + thrown_by([&] { queue.get(); });
            }),
            "EIO, ValueError");
  did("got a message in a child, after receiving had failed in another one with EIO");
  expect_eq("the message", got_by_a_child(queue), "one");
}

/// A value that can be made neither into bytes nor out of them.
struct Stubborn {
  bool on_the_way_in = false;
  bool on_the_way_out = false;

  template <class Archive>
  void save(Archive& archive) const {
    archive(on_the_way_out);
    if (on_the_way_in) {
      throw std::out_of_range("no bytes of it");
    }
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(on_the_way_out);
    if (on_the_way_out) {
      throw std::out_of_range("not out of bytes");
    }
  }
};

TEST(SimpleQueue, WhatCannotBeSentIsAnErrorOfItsSender) {
  lesson("A pipe is a queue of bytes");
  did("put a value whose dumps() throws");
  SimpleQueue<Stubborn> queue;
  expect_throw<std::out_of_range>("std::out_of_range", [&] { queue.put({.on_the_way_in = true}); });
  expect_eq("empty(), for no byte is sent,", queue.empty(), true);
  did("put and got a value whose loads() throws, and then another one");
  queue.put({.on_the_way_out = true});
  queue.put({});
  expect_throw<std::out_of_range>("std::out_of_range", [&] { queue.get(); });
  expect_eq("what the next get() threw, in a child,",
            in_a_child([&] { return thrown_by([&] { queue.get(); }); }), "nothing");
  expect_eq("empty()", queue.empty(), true);
}

// ---- the end

TEST(SimpleQueue, Closed) {
  lesson("Closed for one process");
  did("closed a queue, twice, and went on");
  SimpleQueue<std::string> queue;
  queue.put("one");
  queue.close();
  queue.close();
  expect_eq("what put() threw", thrown_by([&] { queue.put("two"); }), "ValueError");
  expect_eq("what get() threw", thrown_by([&] { queue.get(); }), "ValueError");
  expect_eq("what empty() threw", thrown_by([&] { (void)queue.empty(); }), "ValueError");
  expect_eq("what put() threw the second time", thrown_by([&] { queue.put("two"); }), "ValueError");
  expect_eq("what get() threw the second time", thrown_by([&] { queue.get(); }), "ValueError");
}

TEST(SimpleQueue, ClosedForOneProcess) {
  lesson("Closed for one process");
  did("closed a queue in a child, and tried there to put, to get and to ask");
  SimpleQueue<std::string> queue;
  queue.put("one");
  expect_eq("what was thrown", in_a_child([&] {
              queue.close();
              return thrown_by([&] { queue.put("two"); }) + ", " + thrown_by([&] { queue.get(); }) +
                     ", " + thrown_by([&] { (void)queue.empty(); });
            }),
            "ValueError, ValueError, ValueError");
  did("put and got in other processes, after a child had closed the queue for itself, and had "
      "tried to go on");
  expect_eq("empty()", queue.empty(), false);
  expect_eq("what a child says that puts", in_a_child([&] { return puts(queue, "two"); }), "put");
  expect_eq("the first message", got_by_a_child(queue), "one");
  expect_eq("the second message", got_by_a_child(queue), "two");
}

TEST(SimpleQueue, CloseWaitsForNobody) {
  lesson("Closed for one process");
  did("closed a queue in a child, while one slept in get() and another one was in the middle of "
      "put()");
  SimpleQueue<std::string> queue;
  const Asked getter([&] { return queue.get(); }, 4);
  sleeps(getter);
  const Halfway putter(kSends, 2, [&] { return puts(queue, "here"); });
  if (!putter.stands()) {
    return;
  }
  expect_eq("what it says", in_a_child([&] {
              queue.close();
              return "closed";
            }),
            "closed");
  putter.go_on();
  expect_eq("what the one that puts says", putter.answer(), "put");
  expect_eq("what the one that gets says", getter.answer(), "here");
}

TEST(SimpleQueue, NoDescriptorIsLeft) {
  lesson("Closed for one process");
  const std::size_t before = count_descriptors();
  {
    did("made a queue, closed it, and counted the descriptors");
    SimpleQueue<int> queue;
    queue.put(1);  // here too, so that a stub says so
    queue.close();
    expect_eq("how many are left", count_descriptors() - before, 0U);
  }
  did("made a queue that was never used, and counted the descriptors when it was gone");
  { const SimpleQueue<int> queue; }
  expect_eq("how many are left", count_descriptors() - before, 0U);
}

// ---- all together

TEST(SimpleQueue, ManyToMany) {
  lesson("One lock for each end");
  did("let three children put 400 messages each, and two get them all");
  constexpr int kPutters = 3;
  constexpr int kEach = 400;
  using Message = std::vector<int>;  // who, which one, and more of the same
  SimpleQueue<Message> queue;
  const Shared<std::array<std::atomic<int>, kPutters * kEach>> times;
  std::vector<std::unique_ptr<Asked>> getters;
  for (int i = 0; i < 2; ++i) {
    getters.push_back(std::make_unique<Asked>(
        [&] {
          std::array<int, kPutters> last{};
          last.fill(-1);
          for (int count = 0; count < kPutters * kEach / 2; ++count) {
            const Message message = queue.get();
            const int who = message.empty() ? kPutters : message[0];
            if (who < 0 || who >= kPutters || message.size() < 2) {
              return std::string("a message that nobody has put");
            }
            const auto which = static_cast<std::size_t>(message[1]);
            if (which >= kEach || message.size() != 2 + which % 300 ||
                (message.size() > 2 && message.back() != message[1])) {
              return std::string("a message that is torn");
            }
            if (message[1] <= last[static_cast<std::size_t>(who)]) {
              return std::string("a message that comes after a later one");
            }
            last[static_cast<std::size_t>(who)] = message[1];
            (*times)[static_cast<std::size_t>(who) * kEach + which] += 1;
          }
          return std::string("all in order");
        },
        4));
  }
  std::vector<std::unique_ptr<Asked>> putters;
  for (int who = 0; who < kPutters; ++who) {
    putters.push_back(std::make_unique<Asked>(
        [&queue, who] {
          for (int which = 0; which < kEach; ++which) {
            Message message(2 + static_cast<std::size_t>(which) % 300, which);
            message[0] = who;
            queue.put(message);
          }
          return "all put";
        },
        4));
  }
  for (const auto& getter : getters) {
    if (!expect_eq("what one says that gets", getter->answer(), "all in order")) {
      return;
    }
  }
  for (const auto& putter : putters) {
    expect_eq("what one says that puts", putter->answer(), "all put");
  }
  int missing = 0;
  for (const auto& count : *times) {
    missing += count == 1 ? 0 : 1;
  }
  expect_eq("how many messages were not got exactly once", missing, 0);
}

}  // namespace
}  // namespace mp::test
