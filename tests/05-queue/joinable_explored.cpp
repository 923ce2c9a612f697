#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "05-queue/explored.hpp"

namespace {

using explored::Deadline;
using explorer::World;
using namespace mp::test;
using namespace std::chrono_literals;

/// A queue in shared memory, with room for some items.
class Scene {
 public:
  /// @param items  how many are in it, put by nobody who takes part.
  explicit Scene(World& world, int items = 0)
      : world_(world),
        state_(world.shared<explored::TaskQueue::State>()),
        queue(state_, world.shared<explored::CrashSafeQueue::State>(), ring_memory(world, 16), 8,
              0) {
    world.name(state_.done, "done");
    world.name(state_.joining, "joining");
    for (int i = 0; i < items; ++i) {
      put();
    }
  }

  /// Puts one more.
  void put() { queue.put_until(item_of(1), Deadline::never()); }

  /// A process that finishes work, and whose last act that is.
  void finisher(const std::string& name, const std::function<void()>& body) {
    const std::size_t index = finishers_++;
    world_.process(name, [this, index, body] {
      body();
      finished_[index] = world_.now();
    });
  }
  /// A process that waits for the end of all work, and does something then.
  explorer::Added joiner(
      const std::string& name, const std::function<void()>& then = [] {}) {
    return world_.process(name, [this, then] {
      world_.require(queue.join_until(Deadline::never()), "without a limit, join() returns true");
      then();
    });
  }
  /// Lets them run. When the last finisher is at its end nobody has a reason to sleep, so no time
  /// passes any more: whoever missed his wake-up would sleep for a nap.
  void run() {
    world_.run();
    world_.require(world_.now() <= *std::max_element(finished_.begin(), finished_.end()),
                   "who joins is woken by the last one that finishes",
                   explorer::Verdict::kLostWakeup);
  }

  /// Whether task_done() refuses.
  bool is_refused() {
    try {
      queue.task_done();
      return false;
    } catch (const explored::ValueError&) {
      return true;
    }
  }
  /// How many were finished.
  [[nodiscard]] std::uint32_t done() const { return state_.done.load(); }

 private:
  World& world_;
  explored::TaskQueue::State& state_;
  std::size_t finishers_ = 0;
  std::array<std::chrono::nanoseconds, 3> finished_{};

 public:
  explored::TaskQueue queue;
};

// ---- join() comes back when all is done

TEST(JoinableExplored, TwoFinishAndOneJoins) {
  lesson("Work that is done");
  did("explored two processes that finish an item each, and one that waits in join()");
  expect_explored("join() to come back when both are done, at once, and not before",
                  {.preemptions = 2, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 2);
                    auto& one = world.guarded("one", 0);
                    auto& other = world.guarded("other", 0);
                    scene.finisher("F1", [&] {
                      one = 1;
                      scene.queue.task_done();
                    });
                    scene.finisher("F2", [&] {
                      other = 1;
                      scene.queue.task_done();
                    });
                    scene.joiner("J", [&] {
                      world.require(one == 1 && other == 1, "join() waits for all the work");
                    });
                    scene.run();
                  });
}

TEST(JoinableExplored, OneFinishesAndTwoJoin) {
  lesson("Work that is done");
  did("explored a process that finishes the last item, and two that wait in join()");
  expect_explored("join() to come back in both, at once",
                  {.preemptions = 1, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F", [&] { scene.queue.task_done(); });
                    scene.joiner("J1");
                    scene.joiner("J2");
                    scene.run();
                  });
}

TEST(JoinableExplored, NeverIsNothingUnfinished) {
  lesson("Work that is done");
  did("explored a process that puts a second item before it finishes the first one, and one that "
      "waits in join()");
  expect_explored("join() to come back when both are done",
                  {.preemptions = 3, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    auto& second = world.guarded("second", 0);
                    scene.finisher("F", [&] {
                      scene.put();
                      scene.queue.task_done();
                      second = 1;
                      scene.queue.task_done();
                    });
                    scene.joiner("J", [&] {
                      world.require(second == 1,
                                    "join() waits, for at every moment something was unfinished");
                    });
                    scene.run();
                  });
}

TEST(JoinableExplored, MoreComesAfterTheWakeUp) {
  lesson("Work that is done");
  did("explored a process that finishes the last item, puts another one and finishes that, and one "
      "that waits in join()");
  expect_explored("join() to come back when nothing is left, at once",
                  {.preemptions = 3, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F", [&] {
                      scene.queue.task_done();
                      scene.put();
                      scene.queue.task_done();
                    });
                    scene.joiner("J");
                    scene.run();
                  });
}

// ---- what is counted

TEST(JoinableExplored, OneTooMany) {
  lesson("Work that is done");
  did("explored two processes that both say that the only item is done, and one that joins");
  expect_explored("one of them to be refused, and one item to be done",
                  {.preemptions = 3, .faults = 0, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    for (const char* name : {"F1", "F2"}) {
                      scene.finisher(name, [&] { world.record(scene.is_refused() ? 1 : 0); });
                    }
                    scene.joiner("J");
                    scene.run();
                    world.require(world.recorded().at(0) + world.recorded().at(1) == 1,
                                  "one of the two is refused");
                    world.require(scene.done() == 1, "as many are done as were put",
                                  explorer::Verdict::kOverCount);
                  });
}

TEST(JoinableExplored, RefusedChangesNothing) {
  lesson("Work that is done");
  did("explored a process that says of more items than were put that they are done, one that "
      "joins, and one that puts an item");
  expect_explored("task_done() to change nothing when it refuses",
                  {.preemptions = 3, .faults = 0, .executions = 60'000}, [](World& world) {
                    Scene scene(world);
                    world.process("X", [&] { world.record(scene.is_refused() ? 1 : 0); });
                    scene.finisher("F", [&] {
                      scene.put();
                      world.record(scene.is_refused() ? 1 : 0);
                    });
                    scene.joiner("J");
                    scene.run();
                    world.require(world.recorded().at(0) + world.recorded().at(1) == 1,
                                  "for one item, one of the two is refused");
                    world.require(scene.done() == 1, "as many are done as were put",
                                  explorer::Verdict::kOverCount);
                  });
}

TEST(JoinableExplored, NobodyIsRefusedWhoHasAnItem) {
  lesson("Work that is done");
  did("explored a process that finishes an item, and another one that puts one and finishes it");
  expect_explored("no error, for each of them has an item",
                  {.preemptions = 3, .faults = 0, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F1", [&] { scene.queue.task_done(); });
                    scene.finisher("F2", [&] {
                      scene.put();
                      scene.queue.task_done();
                    });
                    scene.run();
                    world.require(scene.done() == 2, "two are done");
                  });
}

TEST(JoinableExplored, DoneAsSoonAsItIsGot) {
  lesson("Work that is done");
  did("explored a process that puts an item, and one that gets it and says at once that it is "
      "done");
  expect_explored("no error, and nothing unfinished",
                  {.preemptions = 2, .faults = 0, .executions = 60'000, .spins = 200},
                  [](World& world) {
                    Scene scene(world);
                    world.process("P", [&] { scene.put(); });
                    scene.finisher("G", [&] {
                      const auto item = scene.queue.get_until(Deadline::never());
                      world.require(item && number_of(*item) == 1, "the item is got");
                      scene.queue.task_done();
                    });
                    world.run();
                    world.require(scene.queue.join_until(Deadline::after(0s)),
                                  "nothing is unfinished in the end");
                  });
}

// ---- limits

TEST(JoinableExplored, GivesUpInTime) {
  lesson("Work that is done");
  did("explored a join() with a limit of 120 ms, for an item that nobody finishes");
  expect_explored("false, after 120 ms", {.preemptions = 2, .faults = 1, .executions = 60'000},
                  [](World& world) {
                    Scene scene(world, 1);
                    world.process("J", [&] {
                      const auto start = world.now();
                      const auto limit = world.within(120ms);
                      world.require(!scene.queue.join_until(Deadline::after(120ms)),
                                    "join() returns false, for an item is unfinished");
                      world.require(world.now() - start >= 120ms, "join() waits for all its time");
                    });
                    world.process("P", [&] { scene.put(); });
                    world.run();
                  });
}

TEST(JoinableExplored, LongLimit) {
  lesson("Work that is done");
  did("explored a join() with a limit of an hour, and a process that finishes the last item");
  expect_explored("true, at once", {.preemptions = 2, .faults = 2, .executions = 60'000},
                  [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F", [&] { scene.queue.task_done(); });
                    world.process("J", [&] {
                      world.require(scene.queue.join_until(Deadline::after(1h)),
                                    "join() returns true, for there was time enough");
                    });
                    scene.run();
                  });
}

TEST(JoinableExplored, OneGivesUpAndAnotherJoins) {
  lesson("Work that is done");
  did("explored a join() with a limit of 10 ms beside one without, and a process that finishes the "
      "last item");
  expect_explored("the other one to be woken, whether the first one has given up or not",
                  {.preemptions = 1, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F", [&] { scene.queue.task_done(); });
                    world.process("J1", [&] {
                      const auto start = world.now();
                      world.require(scene.queue.join_until(Deadline::after(10ms)) ||
                                        world.now() - start >= 10ms,
                                    "join() does not give up before its time");
                    });
                    scene.joiner("J2");
                    scene.run();
                  });
}

// ---- deaths

TEST(JoinableExplored, TheLastFinisherDies) {
  lesson("Killed in the middle");
  did("explored a process that finishes the last item and may be killed anywhere, and one that "
      "waits in join(), 200 ms at most");
  expect_explored("join() to come back a nap later at most, if the item was counted",
                  {.preemptions = 2, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    world.process("F", [&] { scene.queue.task_done(); }).may_die();
                    world.process("J", [&] {
                      const auto start = world.now();
                      const bool all = scene.queue.join_until(Deadline::after(200ms));
                      world.require(!all || world.now() - start <= explored::CrashSafeQueue::kNap,
                                    "who joins looks up after kNap, for nobody may wake him");
                      world.require(all || scene.done() == 0,
                                    "join() returns true when the item is counted");
                    });
                    world.run();
                  });
}

TEST(JoinableExplored, TheLastFinisherDiesInTime) {
  lesson("Killed in the middle");
  did("explored a process that finishes the last item and may be killed anywhere, and a join() "
      "whose time is over before it would look up from a nap");
  expect_explored("true, if the item was counted: there is a last look",
                  {.preemptions = 2, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    bool alive = false;
                    bool all = false;
                    world
                        .process("F",
                                 [&] {
                                   scene.queue.task_done();
                                   alive = true;
                                 })
                        .may_die();
                    world.process("J",
                                  [&] { all = scene.queue.join_until(Deadline::after(20ms)); });
                    world.run();
                    // Of one who lives, the count may have come after the other one's time.
                    world.require(all || alive || scene.done() == 0,
                                  "join() returns true when the item is counted");
                  });
}

TEST(JoinableExplored, OneThatJoinsDies) {
  lesson("Killed in the middle");
  did("explored two processes that wait in join(), one of which may be killed, and one that "
      "finishes the last item");
  expect_explored("the other one to be woken",
                  {.preemptions = 1, .faults = 1, .executions = 60'000}, [](World& world) {
                    Scene scene(world, 1);
                    scene.finisher("F", [&] { scene.queue.task_done(); });
                    scene.joiner("J1").may_die();
                    scene.joiner("J2");
                    scene.run();
                  });
}

TEST(JoinableExplored, APutterDies) {
  lesson("Killed in the middle");
  did("explored a process that puts an item and may be killed anywhere; then got and finished what "
      "was there, and joined");
  expect_explored("nothing unfinished that was not put, and nobody refused who has an item",
                  {.preemptions = 1, .faults = 1, .executions = 60'000, .spins = 200},
                  [](World& world) {
                    Scene scene(world);
                    world.process("P", [&] { scene.put(); }).may_die();
                    world.run();
                    while (scene.queue.get_until(Deadline::after(0s))) {
                      world.require(!scene.is_refused(), "task_done() takes what was got");
                    }
                    world.require(scene.queue.join_until(Deadline::after(0s)),
                                  "nothing is unfinished in the end");
                  });
}

}  // namespace
