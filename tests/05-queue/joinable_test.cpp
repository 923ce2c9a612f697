#include "05-queue/joinable.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "04-lock/asked.hpp"
#include "04-lock/waiters.hpp"
#include "05-queue/errors.hpp"
#include "05-queue/queue.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

using namespace std::chrono_literals;

/// What processes share of a queue, at a place that the test knows.
struct Memory {
  TaskQueue::State state;
  CrashSafeQueue::State queue;
  alignas(Ring::kUnit) std::array<std::byte, 1024> bytes;
};

/// A queue there.
TaskQueue queue_in(Memory& memory) {
  return {memory.state, memory.queue, memory.bytes, 100};
}

/// A queue of its own, for small things.
constexpr std::size_t kBytes = 4096;

bool put(TaskQueue& queue, Deadline deadline = Deadline::never()) {
  return queue.put_until(std::as_bytes(std::span("item", 4)), deadline);
}
/// The length of what is got, which says what it was.
std::optional<std::size_t> get(TaskQueue& queue, Deadline deadline = Deadline::never()) {
  const auto item = queue.get_until(deadline);
  return item ? std::optional(item->size()) : std::nullopt;
}
bool join_now(TaskQueue& queue) {
  return queue.join_until(Deadline::after(0s));
}

/// What a child says, that does it. It is ended after 2 s.
std::string in_a_child(const std::function<std::string()>& body) {
  return Asked(body).answer();
}

/// The name of what an action throws.
std::string thrown_by(const std::function<void()>& action) {
  try {
    action();
    return "nothing";
  } catch (const ValueError&) {
    return "ValueError";
  } catch (const Full&) {
    return "Full";
  } catch (const Empty&) {
    return "Empty";
  } catch (const std::system_error& error) {
    return strerrorname_np(error.code().value());
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// Whether a limit of 50 ms was waited for, which began before `action`.
std::string with_a_limit(const std::function<void()>& action) {
  const Deadline deadline = Deadline::after(50ms);
  const std::string thrown = thrown_by(action);
  return thrown + (deadline.remaining() == 0ns ? ", in time" : ", too early");
}

/// A child that waits in join(), and says what became of it.
std::function<std::string()> joins(TaskQueue& queue) {
  return [&queue] { return yes_or_no(queue.join_until(Deadline::never())); };
}

// ---- work that is done

TEST(Joinable, NothingToWaitFor) {
  lesson("Work that is done");
  did("joined a queue into which nothing was ever put");
  TaskQueue queue(0, kBytes);
  expect_eq("join_until(passed)", join_now(queue), true);
  expect_eq("join_until(never)", in_a_child(joins(queue)), "true");
}

TEST(Joinable, UnfinishedUntilItIsSaid) {
  lesson("Work that is done");
  did("put two items, got both, and said of one after the other that it is done");
  TaskQueue queue(0, kBytes);
  put(queue);
  put(queue);
  expect_eq("join_until(passed), with two in the queue,", join_now(queue), false);
  get(queue);
  get(queue);
  expect_eq("join_until(passed), when both are got,", join_now(queue), false);
  queue.task_done();
  expect_eq("join_until(passed), when one is done,", join_now(queue), false);
  queue.task_done();
  expect_eq("join_until(passed), when both are done,", join_now(queue), true);
  did("put one more");
  put(queue);
  expect_eq("join_until(passed), with one more,", join_now(queue), false);
  get(queue);
  queue.task_done();
  expect_eq("join_until(passed), when that is done,", join_now(queue), true);
}

TEST(Joinable, DoneOfMoreThanWerePut) {
  lesson("Work that is done");
  TaskQueue queue(0, kBytes);
  did("called task_done() for a queue into which nothing was ever put");
  expect_eq("what it threw", thrown_by([&] { queue.task_done(); }), "ValueError");
  expect_eq("join_until(passed)", join_now(queue), true);
  did("put an item, and called task_done() three times");
  put(queue);
  expect_eq("what the first one threw", thrown_by([&] { queue.task_done(); }), "nothing");
  expect_eq("what the second one threw", thrown_by([&] { queue.task_done(); }), "ValueError");
  expect_eq("what the third one threw", thrown_by([&] { queue.task_done(); }), "ValueError");
  expect_eq("join_until(passed)", join_now(queue), true);
  put(queue);
  expect_eq("join_until(passed), with one more item,", join_now(queue), false);
}

TEST(Joinable, SaidByAnotherProcess) {
  lesson("Work that is done");
  did("put an item, which a child got and finished");
  TaskQueue queue(0, kBytes);
  put(queue);
  expect_eq("what the child says", in_a_child([&] {
              get(queue);
              return thrown_by([&] { queue.task_done(); });
            }),
            "nothing");
  expect_eq("join_until(passed)", join_now(queue), true);
  expect_eq("what one more task_done() threw", thrown_by([&] { queue.task_done(); }), "ValueError");
}

TEST(Joinable, AllWhoJoinAreWoken) {
  lesson("Work that is done");
  did("let three children sleep in join(), and finished two items");
  TaskQueue queue(0, kBytes);
  put(queue);
  put(queue);
  const Waiters waiters(3, joins(queue));
  if (!waiters.all_asleep()) {
    return;
  }
  queue.task_done();
  expect_eq("how many still wait when one item is done", waiters.busy(), 3);
  queue.task_done();
  waiters.expect_all("what each of them gets from join()", "true");
}

TEST(Joinable, TheLastOneWakesAndNobodyElse) {
  lesson("Work that is done");
  did("let two children sleep in join(), finished three items, and looked at how many sleepers the "
      "kernel is told to wake");
  TaskQueue queue(0, kBytes);
  for (int i = 0; i < 3; ++i) {
    put(queue);
  }
  const Waiters waiters(2, joins(queue));
  if (!waiters.all_asleep()) {
    return;
  }
  {
    const Faults faults;
    queue.task_done();
    queue.task_done();
    expect_eq("how many to wake by those that are not the last", told_to_wake(faults), 0);
    queue.task_done();
    const long woken = told_to_wake(faults);
    expect(woken >= 2, "the last one to wake both", "it wakes " + std::to_string(woken));
  }
  waiters.expect_all("what each of them gets from join()", "true");
}

TEST(Joinable, NoSystemCallWhenNobodyJoins) {
  lesson("Work that is done");
  did("put, got and finished 100 items, and counted the calls of futex(2)");
  TaskQueue queue(0, kBytes);
  const Faults faults;
  for (int i = 0; i < 100; ++i) {
    put(queue);
    get(queue);
    queue.task_done();
  }
  expect_eq("how often it was called, though nobody waits,", faults.count("futex"), 0);
}

TEST(Joinable, CountsBeyondTheLargestNumber) {
  lesson("Work that is done");
  did("put and finished four items, when 4,294,967,294 had been put and finished before");
  const Shared<Memory> memory;
  constexpr std::uint32_t kBefore = 0xfffffffe;
  memory->state.done = kBefore;
  for (auto* position : {&memory->queue.ring.head, &memory->queue.ring.seen_tail,
                         &memory->queue.ring.tail, &memory->queue.ring.seen_head}) {
    *position = Ring::Position{kBefore, 0};
  }
  TaskQueue queue = queue_in(*memory);
  expect_eq("join_until(passed) before", join_now(queue), true);
  for (int i = 0; i < 4; ++i) {
    put(queue);
    expect_eq("join_until(passed), with an item,", join_now(queue), false);
  }
  for (int i = 0; i < 4; ++i) {
    expect_eq("join_until(passed), with one that is not done,", join_now(queue), false);
    expect_eq("what task_done() threw", thrown_by([&] { queue.task_done(); }), "nothing");
  }
  expect_eq("join_until(passed) afterwards", join_now(queue), true);
  expect_eq("what one more task_done() threw", thrown_by([&] { queue.task_done(); }), "ValueError");
  expect_eq("how many were finished, modulo 2 to the 32,", memory->state.done.load(), 2U);
}

TEST(Joinable, TwoAddresses) {
  lesson("Work that is done");
  did("let a child wait in join(), and finished the item through another address");
  const TwoViews<Memory> views;
  TaskQueue here = queue_in(views.here());
  TaskQueue there = queue_in(views.there());
  put(here);
  const Waiters waiters(1, joins(there));
  if (!waiters.all_asleep()) {
    return;
  }
  here.task_done();
  waiters.expect_all("what it gets from join()", "true");
}

// ---- limits

TEST(Joinable, JoinGivesUpAtItsDeadline) {
  lesson("Work that is done");
  did("joined for 120 ms, and an item is unfinished");
  TaskQueue queue(0, kBytes);
  put(queue);
  expect_eq("what a child says", in_a_child([&] {
              const Deadline deadline = Deadline::after(120ms);
              const bool all = queue.join_until(deadline);
              return yes_or_no(all) + (deadline.remaining() == 0ns ? ", in time" : ", too early");
            }),
            "false, in time");
  did("finished the item, when nobody waited any more, and counted the calls of futex(2)");
  const Faults faults;
  queue.task_done();
  expect_eq("how often it was called, though nobody waits,", faults.count("futex"), 0);
  expect_eq("join_until(passed), when it is done,", join_now(queue), true);
}

TEST(Joinable, JoinDoesNotGiveUpBefore) {
  lesson("Work that is done");
  did("let a child join for an hour at most, and finished the item 150 ms later");
  TaskQueue queue(0, kBytes);
  put(queue);
  const Asked child([&] { return yes_or_no(queue.join_until(Deadline::after(1h))); }, 4);
  const auto start = std::chrono::steady_clock::now();
  becomes_true(
      [&] { return !child.is_busy() || std::chrono::steady_clock::now() - start > 150ms; });
  expect(child.is_busy(), "join() to wait", child.is_busy() ? "" : "it said: " + child.answer());
  queue.task_done();
  expect_eq("what it gets from join()", child.answer(), "true");
}

TEST(Joinable, SignalsDoNotEndTheWait) {
  lesson("Work that is done");
  did("sent three signals that have a handler to a child that waits in join()");
  TaskQueue queue(0, kBytes);
  put(queue);
  const Shared<std::atomic<int>> handled;
  const Asked child(
      [&] {
        count_sigusr1(*handled);
        put(queue);  // it is ready for signals
        return joins(queue)();
      },
      4);
  becomes_true([&] { return queue.size() == 2 || !child.is_busy(); });
  if (!child.is_busy()) {
    expect(false, "the child to wait", "it said: " + child.answer());
    return;
  }
  sleeps_on_after_signals(child, *handled);
  queue.task_done();
  queue.task_done();
  expect_eq("what it gets from join()", child.answer(), "true");
}

TEST(Joinable, ErrorsAreThrown) {
  lesson("Work that is done");
  did("made futex(2) fail with ENOSYS for a child that joins");
  TaskQueue queue(0, kBytes);
  put(queue);
  expect_eq("what join_until() threw", in_a_child([&] {
              Faults faults;
              faults.fail("futex", ENOSYS, 5);
              return thrown_by([&] { (void)queue.join_until(Deadline::never()); });
            }),
            "ENOSYS");
}

// ---- who is killed

TEST(Joinable, KilledWithAnItem) {
  lesson("Killed in the middle");
  did("killed a child that had got an item, and joined for 20 ms");
  TaskQueue queue(0, kBytes);
  put(queue);
  const Shared<std::atomic<bool>> has_it;
  const Kid child([&] {
    get(queue);
    *has_it = true;
    return waits_for_ever()();
  });
  becomes_true([&] { return *has_it || !child.is_running(); });
  expect_eq("whether the child has got it", has_it->load(), true);
  child.signal(SIGKILL);
  child.wait_for_end();
  expect_eq("join_until(20ms), for nobody has finished the item,",
            queue.join_until(Deadline::after(20ms)), false);
}

TEST(Joinable, KilledInJoin) {
  lesson("Killed in the middle");
  did("killed one of two children that slept in join(), and finished the item");
  TaskQueue queue(0, kBytes);
  put(queue);
  const Waiters waiters(2, joins(queue));
  if (!waiters.all_asleep()) {
    return;
  }
  waiters.kill(0);
  queue.task_done();
  expect_eq("what the other one gets from join()", waiters[1].answer(), "true");
}

// ---- the queue underneath

TEST(Joinable, FullAndEmptyInTime) {
  lesson("Full and Empty");
  TaskQueue queue(1, kBytes);
  const auto in_time = [](const std::function<bool(Deadline)>& call) {
    return in_a_child([&call] {
      const bool at_once = call(Deadline::after(0s));
      const Deadline deadline = Deadline::after(50ms);
      const bool done = call(deadline);
      return yes_or_no(at_once) + ", " + yes_or_no(done) +
             (deadline.remaining() == 0ns ? ", in time" : ", too early");
    });
  };
  did("got from an empty queue, without waiting and for 50 ms");
  expect_eq("whether there was an item",
            in_time([&](Deadline deadline) { return get(queue, deadline).has_value(); }),
            "false, false, in time");
  did("put into a full queue, without waiting and for 50 ms");
  put(queue);
  expect_eq("whether there was room",
            in_time([&](Deadline deadline) { return put(queue, deadline); }),
            "false, false, in time");
  expect_eq("size()", queue.size(), 1U);
  expect_eq("maxsize()", queue.maxsize(), 1U);
  queue.task_done();
  expect_eq("join_until(passed), for what was refused is no work,", join_now(queue), true);
}

TEST(Joinable, WaitsForRoomAndForItems) {
  lesson("Full and Empty");
  did("let a child wait for an item, and put one");
  TaskQueue queue(1, kBytes);
  {
    const Waiters getter(1, [&] { return words(get(queue)); });
    if (!getter.all_asleep()) {
      return;
    }
    put(queue);
    getter.expect_all("the length of what it gets", "4");
  }
  did("let a child wait for room, and got an item");
  put(queue);
  const Waiters putter(1, [&] { return yes_or_no(put(queue)); });
  if (putter.all_asleep()) {
    get(queue);
    putter.expect_all("whether its item was put", "true");
    expect_eq("size()", queue.size(), 1U);
  }
}

TEST(Joinable, TooLargeForEver) {
  lesson("Too large for ever");
  did("put an item that is larger than the queue, without a limit");
  TaskQueue queue(0, 64);
  expect_eq(
      "what it threw", in_a_child([&] {
        return thrown_by([&] { queue.put_until(std::vector<std::byte>(100), Deadline::never()); });
      }),
      "ValueError");
  expect_eq("join_until(passed)", join_now(queue), true);
}

// ---- close

TEST(Joinable, ClosedForOneProcess) {
  lesson("Closed for one process");
  did("closed a queue twice in a child, and tried there to put and to get");
  TaskQueue queue(0, kBytes);
  put(queue);
  expect_eq("what closed() says before and after, and what put and get threw", in_a_child([&] {
              std::string said = yes_or_no(queue.closed());
              queue.close();
              queue.close();
              said += ", " + yes_or_no(queue.closed());
              said += ", " + thrown_by([&] { put(queue, Deadline::after(0s)); });
              return said + ", " + thrown_by([&] { get(queue, Deadline::after(0s)); });
            }),
            "false, true, ValueError, ValueError");
  did("closed a queue in a child, and asked another queue whether it is closed");
  TaskQueue another(0, kBytes);
  expect_eq("closed() of the other one, and what its put threw", in_a_child([&] {
              queue.close();
              return yes_or_no(another.closed()) + ", " + thrown_by([&] { put(another); });
            }),
            "false, nothing");
  did("put and got in another process, after a child had closed the queue for itself");
  expect_eq("closed()", queue.closed(), false);
  expect_eq("what put threw", thrown_by([&] { put(queue); }), "nothing");
  expect_eq("what get threw", thrown_by([&] { get(queue); }), "nothing");
  expect_eq("size()", queue.size(), 1U);
}

TEST(Joinable, ClosedAndYetFinished) {
  lesson("Closed for one process");
  did("put two items, closed the queue, finished both, and joined");
  TaskQueue queue(0, kBytes);
  put(queue);
  put(queue);
  queue.close();
  expect_eq("join_until(passed), with two that are not done,", join_now(queue), false);
  expect_eq("what the first task_done() threw", thrown_by([&] { queue.task_done(); }), "nothing");
  expect_eq("what the second task_done() threw", thrown_by([&] { queue.task_done(); }), "nothing");
  expect_eq("join_until(passed), when both are done,", join_now(queue), true);
  expect_eq("what a third task_done() threw", thrown_by([&] { queue.task_done(); }), "ValueError");
}

TEST(Joinable, ClosedForChildrenAsWell) {
  lesson("Closed for one process");
  did("closed a queue, and tried to put and to get in a child that was forked afterwards");
  TaskQueue queue(0, kBytes);
  put(queue);
  queue.close();
  expect_eq("what put and get threw", in_a_child([&] {
              return thrown_by([&] { put(queue, Deadline::after(0s)); }) + ", " +
                     thrown_by([&] { get(queue, Deadline::after(0s)); });
            }),
            "ValueError, ValueError");
}

// ---- Queue and JoinableQueue, which stand on it

TEST(Joinable, QueueInOrder) {
  lesson("Full and Empty");
  did("put strings into a Queue, and got them in a child");
  Queue<std::string> queue;
  const std::string long_one(1'000'000, 'x');
  queue.put("one");
  queue.put_nowait("");
  queue.put("three", true, 1h);
  queue.put(long_one, false);
  expect_eq("what the child gets", in_a_child([&] {
              std::string all = queue.get();
              all += "|" + queue.get_nowait();
              all += "|" + queue.get(true, 1h);
              return all + (queue.get(false) == long_one ? "|a long one" : "|another one");
            }),
            "one||three|a long one");
  did("put a number into a Queue, and got it at once, 100 times");
  Queue<int> numbers;
  for (int i = 0; i < 100; ++i) {
    numbers.put(i);
    if (!expect_eq("what get_nowait() threw", thrown_by([&] {
                     if (numbers.get_nowait() != i) {
                       throw std::logic_error("nothing, and got another number");
                     }
                   }),
                   "nothing")) {
      return;
    }
  }
}

TEST(Joinable, EveryWayToPut) {
  lesson("Full and Empty");
  Queue<int> queue(2);
  queue.put(1);
  queue.put(2);
  const auto threw = [&queue](const char* call, const std::function<void()>& action) {
    did(std::string("called ") + call + " for a queue that is full");
    expect_eq("what it threw", in_a_child([&] { return thrown_by(action); }), "Full");
    expect_eq("qsize() then", queue.qsize(), 2U);
  };
  threw("put(3, false)", [&] { queue.put(3, false); });
  threw("put_nowait(3)", [&] { queue.put_nowait(3); });
  threw("put(3, true, 0s)", [&] { queue.put(3, true, 0s); });
  threw("put(3, true, -1s)", [&] { queue.put(3, true, -1s); });
  threw("put(3, false, 1h)", [&] { queue.put(3, false, 1h); });
  did("called put(3, true, 50ms) for a queue that is full");
  expect_eq("what it threw, and when",
            in_a_child([&] { return with_a_limit([&] { queue.put(3, true, 50ms); }); }),
            "Full, in time");
  expect_eq("the first item", queue.get(), 1);
  expect_eq("the second item", queue.get(), 2);
  expect_eq("empty()", queue.empty(), true);
}

TEST(Joinable, EveryWayToGet) {
  lesson("Full and Empty");
  Queue<int> queue(2);
  const auto threw = [&queue](const char* call, const std::function<void()>& action) {
    did(std::string("called ") + call + " for a queue that is empty");
    expect_eq("what it threw", in_a_child([&] { return thrown_by(action); }), "Empty");
    expect_eq("qsize() then", queue.qsize(), 0U);
  };
  threw("get(false)", [&] { queue.get(false); });
  threw("get_nowait()", [&] { queue.get_nowait(); });
  threw("get(true, 0s)", [&] { queue.get(true, 0s); });
  threw("get(true, -1s)", [&] { queue.get(true, -1s); });
  threw("get(false, 1h)", [&] { queue.get(false, 1h); });
  did("called get(true, 50ms) for a queue that is empty");
  expect_eq("what it threw, and when",
            in_a_child([&] { return with_a_limit([&] { queue.get(true, 50ms); }); }),
            "Empty, in time");
}

TEST(Joinable, HowManyAreIn) {
  lesson("A bound needs counting");
  Queue<int> queue(2);
  const auto look = [&queue](const char* when, std::size_t size) {
    did(std::string("looked at a queue for two, ") + when);
    expect_eq("qsize()", queue.qsize(), size);
    expect_eq("empty()", queue.empty(), size == 0);
    expect_eq("full()", queue.full(), size == 2);
  };
  look("which is new", 0);
  queue.put(1);
  look("with one in it", 1);
  in_a_child([&] {
    queue.put(2);
    return "put";
  });
  look("with two in it", 2);
  in_a_child([&] { return words(queue.get()); });
  look("with one left", 1);
  queue.get();
  look("with none left", 0);
}

TEST(Joinable, NoBound) {
  lesson("A bound needs counting");
  for (const int maxsize : {0, -5}) {
    did("put 1,000 numbers into a Queue(" + std::to_string(maxsize) + ")");
    Queue<int> queue(maxsize);
    for (int i = 0; i < 1'000; ++i) {
      queue.put_nowait(i);
    }
    expect_eq("qsize()", queue.qsize(), 1'000U);
    expect_eq("full()", queue.full(), false);
  }
  did("made a Queue of at most 2^60 numbers");
  Queue<int> vast(std::ptrdiff_t{1} << 60U);
  vast.put_nowait(1);
  expect_eq("qsize()", vast.qsize(), 1U);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{32} << 30U, ~std::size_t{0}}) {
    did("made a Queue with " + std::to_string(bytes) + " bytes");
    expect_throw<ValueError>("ValueError", [=] { const Queue<int> queue(9, bytes); });
  }
}

/// A value that cannot be made into bytes.
struct Stubborn {
  int number = 0;
  template <class Archive>
  void save(Archive& /*archive*/) const {
    throw std::out_of_range("no bytes of it");
  }
  template <class Archive>
  void load(Archive& archive) {
    archive(number);
  }
};

TEST(Joinable, WhatCannotBePut) {
  lesson("Too large for ever");
  did("put a value whose dumps() throws");
  JoinableQueue<Stubborn> queue;
  expect_throw<std::out_of_range>("std::out_of_range", [&] { queue.put({}); });
  expect_eq("qsize()", queue.qsize(), 0U);
  expect_eq("join(0s)", queue.join(0s), true);
  did("put a string that is larger than the queue, without a limit");
  JoinableQueue<std::string> small(0, 64);
  expect_eq("what it threw",
            in_a_child([&] { return thrown_by([&] { small.put(std::string(100, 'x')); }); }),
            "ValueError");
  expect_eq("join(0s)", small.join(0s), true);
}

TEST(Joinable, ClosedQueue) {
  lesson("Closed for one process");
  did("called join_thread() for a queue that is open");
  Queue<int> queue;
  queue.put(1);
  expect_eq("what it threw", thrown_by([&] { queue.join_thread(); }), "ValueError");
  expect_eq("what cancel_join_thread() threw", thrown_by([&] { queue.cancel_join_thread(); }),
            "nothing");
  queue.close();
  queue.close();
  did("closed a queue with an item in it");
  const auto threw = [](const char* call, const std::function<void()>& action) {
    expect_eq(std::string("what ") + call + " threw", thrown_by(action), "ValueError");
  };
  threw("put(2)", [&] { queue.put(2); });
  threw("put(2, false)", [&] { queue.put(2, false); });
  threw("put(2, true, 1s)", [&] { queue.put(2, true, 1s); });
  threw("put_nowait(2)", [&] { queue.put_nowait(2); });
  threw("get()", [&] { queue.get(); });
  threw("get(false)", [&] { queue.get(false); });
  threw("get(true, 1s)", [&] { queue.get(true, 1s); });
  threw("get_nowait()", [&] { queue.get_nowait(); });
  expect_eq("what join_thread() threw", thrown_by([&] { queue.join_thread(); }), "nothing");
  expect_eq("what cancel_join_thread() threw", thrown_by([&] { queue.cancel_join_thread(); }),
            "nothing");
  expect_eq("qsize()", queue.qsize(), 1U);
}

TEST(Joinable, JoinableQueueOfWork) {
  lesson("Work that is done");
  did("put 200 numbers, which two children got and finished, joined, and put 200 more");
  JoinableQueue<int> queue(10);
  const Shared<std::array<std::atomic<int>, 2>> sums;  // one for each child
  std::vector<std::unique_ptr<Asked>> workers;
  for (std::size_t i = 0; i < 2; ++i) {
    workers.push_back(std::make_unique<Asked>(
        [&, i] {
          while (const int number = queue.get()) {
            (*sums)[i].store((*sums)[i].load() + number);
            queue.task_done();
          }
          queue.task_done();
          return "no work is left";
        },
        4));
  }
  const Asked master(
      [&] {
        std::string said;
        for (int round = 1; round <= 2; ++round) {
          for (int number = 1; number <= 200; ++number) {
            queue.put(number);
          }
          queue.join();
          said += std::to_string((*sums)[0] + (*sums)[1]) + ", ";
        }
        queue.put(0);
        queue.put(0);
        queue.join();
        return said + yes_or_no(queue.join(0s)) + ", " + thrown_by([&] { queue.task_done(); });
      },
      4);
  expect_eq(
      "the sum of what is done after each join(), and what join(0s) and task_done() do "
      "in the end",
      master.answer(), "20100, 40200, true, ValueError");
  for (const auto& worker : workers) {
    expect_eq("what a child says in the end", worker->answer(), "no work is left");
  }
}

}  // namespace
}  // namespace mp::test
