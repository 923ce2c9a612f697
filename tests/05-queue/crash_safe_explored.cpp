#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "05-queue/explored.hpp"

#define mp explored
#include "02-pipe/errors.hpp"
#include "04-lock/semaphore.hpp"
#undef mp

namespace {

using explored::CrashSafeQueue;
using explored::Deadline;
using explorer::World;
using namespace mp::test;
using namespace std::chrono_literals;

/// What takes so many units of the ring, of which one is for the length: so many times its number.
std::vector<std::byte> item_with(int number, std::size_t units) {
  return std::vector((units - 1) * explored::Ring::kUnit, static_cast<std::byte>(number));
}

/// A queue with room for so many units and items. Items 1, 2, … are in it already, and take so many
/// units. Nobody looks again before it sleeps, unless `spins` says so.
class Scene {
 public:
  Scene(World& world, std::size_t units, std::ptrdiff_t most,
        std::initializer_list<std::size_t> inside = {}, int spins = 0)
      : world_(world),
        state_(world.shared<CrashSafeQueue::State>()),
        memory_(ring_memory(world, units)),
        queue_(state_, memory_, most, spins),
        start_(world.now()) {
    world.name(state_.putting.word, "the putters' lock");
    world.name(state_.getting.word, "the getters' lock");
    name(state_.getters, "getters");
    name(state_.putters, "putters");
    name(state_.big_putters, "big putters");
    explored::Ring ring(state_.ring, memory_, 100);
    int number = 0;
    for (const std::size_t size : inside) {
      ring.try_push(item_with(++number, size));
    }
  }

  CrashSafeQueue& queue() { return queue_; }
  CrashSafeQueue::State& state() { return state_; }

  /// Puts in, and that it is put is what the exploration demands.
  void put(int number, std::size_t units = 2) {
    world_.require(queue_.put_until(item_with(number, units), Deadline::never()),
                   "who waits for ever comes in");
  }
  bool put_for(std::chrono::nanoseconds time, int number) {
    return queue_.put_until(item_with(number, 2), Deadline::after(time));
  }
  /// @return the number of what is got; 0 for none.
  int get(Deadline deadline = Deadline::never()) {
    const int number = number_in(queue_.get_until(deadline));
    world_.require(number != 0 || !deadline.is_never(), "who waits for ever gets an item");
    return number;
  }
  /// As get(); -1 if no producer is left.
  int get_or_eof(Deadline deadline = Deadline::never()) {
    try {
      return number_in(queue_.get_or_eof_until(deadline));
    } catch (const explored::EOFError&) {
      return -1;
    }
  }

  /// Nobody sleeps for a moment when it can go on: time passes when nobody can run.
  void nobody_napped() const {
    world_.require(world_.now() == start_,
                   "who can go on is woken, and does not find out at the end of its nap",
                   explorer::Verdict::kLostWakeup);
  }
  /// For a process that lets others go on: that was its last act.
  void last_act() { last_act_ = std::max(last_act_, world_.now()); }
  /// The same as nobody_napped(), where faults may make time pass: after the last act of those who
  /// let others go on, it passes no more.
  void nobody_napped_afterwards() const {
    world_.require(world_.now() <= last_act_,
                   "who can go on is woken, and does not find out at the end of its nap",
                   explorer::Verdict::kLostWakeup);
  }

 private:
  int number_in(const std::optional<explored::Bytes>& item) {
    if (!item) {
      return 0;
    }
    world_.require(!item->empty() && std::count(item->begin(), item->end(), *item->begin()) ==
                                         static_cast<std::ptrdiff_t>(item->size()),
                   "no item is torn");
    return static_cast<int>(*item->begin());
  }
  void name(const CrashSafeQueue::Waiters& waiters, const std::string& who) {
    world_.name(waiters.sequence, who + "' sequence");
    world_.name(waiters.asleep, who + " asleep");
  }

  World& world_;
  CrashSafeQueue::State& state_;
  std::span<std::byte> memory_;
  CrashSafeQueue queue_;
  std::chrono::nanoseconds start_;
  std::chrono::nanoseconds last_act_{0};
};

/// A look at the queue takes many operations, and many looks are no spinning.
constexpr explorer::Options within_bounds(int preemptions, int faults) {
  return {.preemptions = preemptions, .faults = faults, .executions = 60'000, .spins = 1'000};
}

/// What was recorded, in order of its size.
std::vector<std::int64_t> sorted(const World& world) {
  std::vector<std::int64_t> numbers = world.recorded();
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// ---- nobody sleeps who can go on

TEST(CrashSafeExplored, OneAndOne) {
  lesson("Say first, look then");
  for (const int spins : {0, 1}) {
    did("explored every interleaving of one that puts two items and one that gets them, with room "
        "for one and spins " +
        std::to_string(spins));
    expect_explored("each item got once, in order, and nobody asleep who can go on",
                    within_bounds(2 - spins, 0), [spins](World& world) {
                      Scene scene(world, 8, 1, {}, spins);
                      world.process("putter", [&] {
                        scene.put(1);
                        scene.put(2);
                      });
                      world.process("getter", [&] {
                        world.require(scene.get() == 1, "the first item comes first");
                        world.require(scene.get() == 2, "the second item comes second");
                      });
                      world.run();
                      scene.nobody_napped();
                    });
  }
}

TEST(CrashSafeExplored, TwoAndTwo) {
  lesson("Say first, look then");
  did("explored every interleaving of two that put and two that get, with room for one item");
  expect_explored(
      "each item got once, and nobody asleep who can go on", within_bounds(1, 0), [](World& world) {
        Scene scene(world, 8, 1);
        for (int i = 1; i <= 2; ++i) {
          world.process("P" + std::to_string(i), [&, i] { scene.put(i); });
          world.process("G" + std::to_string(i), [&] { world.record(scene.get()); });
        }
        world.run();
        world.require(sorted(world) == std::vector<std::int64_t>{1, 2}, "each item is got once");
        scene.nobody_napped();
      });
}

TEST(CrashSafeExplored, TwoItemsForTwo) {
  lesson("Who can go on");
  did("explored two that get an item each, and a third that puts two in a row");
  expect_explored("both of them to have one", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 2);
    world.process("G1", [&] { world.record(scene.get()); });
    world.process("G2", [&] { world.record(scene.get()); });
    world.process("P", [&] {
      scene.put(1);
      scene.put(2);
    });
    world.run();
    world.require(sorted(world) == std::vector<std::int64_t>{1, 2}, "each item is got once");
    scene.nobody_napped();
  });
}

TEST(CrashSafeExplored, ItemsByTwoForTwo) {
  lesson("Who can go on");
  did("explored two that get an item each, and two others that put one each");
  expect_explored("both of them to have one", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 2);
    world.process("G1", [&] { world.record(scene.get()); });
    world.process("G2", [&] { world.record(scene.get()); });
    world.process("P1", [&] { scene.put(1); });
    world.process("P2", [&] { scene.put(2); });
    world.run();
    world.require(sorted(world) == std::vector<std::int64_t>{1, 2}, "each item is got once");
    scene.nobody_napped();
  });
}

TEST(CrashSafeExplored, TwoPlacesForTwo) {
  lesson("Who can go on");
  did("explored two that put into a full queue, and a third that gets two items in a row");
  expect_explored("both of them to be through", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 2, {2, 2});
    world.process("P1", [&] { scene.put(11); });
    world.process("P2", [&] { scene.put(12); });
    world.process("G", [&] {
      world.require(scene.get() == 1, "the oldest item comes first");
      world.require(scene.get() == 2, "the second item comes second");
    });
    world.run();
    world.require(scene.queue().size() == 2, "two came in where two went out");
    scene.nobody_napped();
  });
}

TEST(CrashSafeExplored, BytesForTwo) {
  lesson("Who can go on");
  did("explored two that wait for bytes, and one that gets an item as large as both of theirs");
  expect_explored("both of them to be through", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 4, 9, {4});
    world.process("P1", [&] { scene.put(11); });
    world.process("P2", [&] { scene.put(12); });
    world.process("G", [&] { world.require(scene.get() == 1, "the oldest item comes first"); });
    world.run();
    world.require(scene.queue().size() == 2, "two came in where one went out");
    scene.nobody_napped();
  });
}

/// In a full queue of two small items, a large one and a small one want to come in. One is got, and
/// the others only when the small one is in.
void smaller_one_first(World& world, std::ptrdiff_t most) {
  Scene scene(world, 4, most, {2, 2});
  auto& sign = world.shared<explored::Semaphore::State>();
  sign.value = 0;
  explored::Semaphore smaller(sign);
  world.process("P1", [&] { scene.put(11, 4); });
  world.process("P2", [&] {
    scene.put(12, 2);
    smaller.release();
  });
  world.process("G", [&] {
    scene.get();
    smaller.acquire();
    scene.get();
    scene.get();
  });
  world.run();
  scene.nobody_napped();
}

TEST(CrashSafeExplored, SmallerItemFits) {
  lesson("Who can go on");
  did("explored two that wait for bytes, one of them for twice as many, and one that gets an item "
      "which is as large as the smaller one");
  expect_explored("the one with the smaller item to be through, and then the other one",
                  within_bounds(1, 0), [](World& world) { smaller_one_first(world, 9); });
}

TEST(CrashSafeExplored, PlaceIsPassedOn) {
  lesson("Who can go on");
  did("explored two that wait for a place, and one that gets an item: there is a place then, but "
      "bytes enough for one of the two only");
  expect_explored("the one with the smaller item to be through, and then the other one",
                  within_bounds(1, 0), [](World& world) { smaller_one_first(world, 2); });
}

TEST(CrashSafeExplored, BytesOfAFullQueue) {
  lesson("Who can go on");
  did("explored a big item that waits for bytes, while another process takes the last place with a "
      "small one, and then gets the oldest item");
  expect_explored("the big one to come in", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 6, 2, {4});
    world.process("big", [&] { scene.put(11, 4); });
    world.process("other", [&] {
      scene.put(12);
      scene.get();
    });
    world.run();
    world.require(scene.queue().size() == 2, "both are in");
    scene.nobody_napped();
  });
}

TEST(CrashSafeExplored, SomebodyElseIsFaster) {
  lesson("Who can go on");
  did("explored two that get with no time limit, one item, and later another");
  expect_explored("each of them to have an item", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    for (const char* name : {"G1", "G2"}) {
      world.process(name, [&] {
        if (scene.get() == 1) {
          scene.put(2);
        }
      });
    }
    world.process("P", [&] { scene.put(1); });
    world.run();
    scene.nobody_napped();
  });
}

TEST(CrashSafeExplored, ItemAndSleeper) {
  lesson("Say first, look then");
  did("explored one that puts an item and one that gets it, where loads may return older values, "
      "as far as their memory orders allow it");
  expect_explored("one of the two to see the other", within_bounds(2, 1), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("putter", [&] {
      scene.put(1);
      scene.last_act();
    });
    world.process("getter", [&] { scene.get(); });
    world.run();
    scene.nobody_napped_afterwards();
  });
}

TEST(CrashSafeExplored, PlaceAndSleeper) {
  lesson("Say first, look then");
  did("explored one that gets from a full queue and one that puts into it, where loads may return "
      "older values, as far as their memory orders allow it");
  expect_explored("one of the two to see the other", within_bounds(2, 1), [](World& world) {
    Scene scene(world, 8, 1, {2});
    world.process("getter", [&] {
      world.require(scene.get() == 1, "the oldest item comes first");
      scene.last_act();
    });
    world.process("putter", [&] { scene.put(2); });
    world.run();
    scene.nobody_napped_afterwards();
  });
}

TEST(CrashSafeExplored, BytesAndSleeper) {
  lesson("Say first, look then");
  did("explored one that gets from a queue without enough bytes and one that puts into it, where "
      "loads may return older values, as far as their memory orders allow it");
  expect_explored("one of the two to see the other", within_bounds(2, 1), [](World& world) {
    Scene scene(world, 4, 9, {2});
    world.process("getter", [&] {
      world.require(scene.get() == 1, "the oldest item comes first");
      scene.last_act();
    });
    world.process("putter", [&] { scene.put(2, 4); });
    world.run();
    scene.nobody_napped_afterwards();
  });
}

// ---- deaths

/// What is left after a death, added to what was recorded.
std::vector<std::int64_t> with_what_is_left(World& world, Scene& scene) {
  while (const int number = scene.get(Deadline::after(0s))) {
    world.record(number);
  }
  return sorted(world);
}

TEST(CrashSafeExplored, APutterDies) {
  lesson("Killed in the middle");
  did("explored every interleaving of two that put and one that gets, one of which may be killed "
      "anywhere");
  expect_explored("what was put to be got, whole and once, and nobody to wait for the dead one",
                  within_bounds(1, 1), [](World& world) {
                    Scene scene(world, 8, 2);
                    bool put = false;
                    world
                        .process("P1",
                                 [&] {
                                   scene.put(1);
                                   put = true;
                                 })
                        .may_die();
                    world.process("P2", [&] { scene.put(2); });
                    world.process("G", [&] { world.record(scene.get()); });
                    world.run();
                    const auto all = with_what_is_left(world, scene);
                    const auto one = std::count(all.begin(), all.end(), 1);
                    world.require(std::count(all.begin(), all.end(), 2) == 1,
                                  "an item of one who lives is there, once");
                    world.require(one <= 1, "no item comes twice");
                    world.require(one == 1 || !put,
                                  "an item is not lost when its put had returned");
                  });
}

TEST(CrashSafeExplored, APutterDiesAtItsSecondItem) {
  lesson("Killed in the middle");
  did("explored one that puts two items and may be killed anywhere, and another one that puts two "
      "then, with room for two, and one that gets");
  expect_explored("what was put to be got, whole, once and in order", within_bounds(0, 1),
                  [](World& world) {
                    Scene scene(world, 8, 2);
                    int put = 0;
                    world
                        .process("P1",
                                 [&] {
                                   scene.put(1);
                                   put = 1;
                                   scene.put(2);
                                   put = 2;
                                 })
                        .may_die();
                    world.process("P2", [&] {
                      scene.put(3);
                      scene.put(4);
                    });
                    world.process("G", [&] {
                      int last_of_first = 0;
                      int last_of_second = 2;
                      while (last_of_second != 4) {
                        const int number = scene.get();
                        int& last = number < 3 ? last_of_first : last_of_second;
                        world.require(number == last + 1, "each item comes once, and in order");
                        last = number;
                        world.record(number);
                      }
                    });
                    world.run();
                    const auto all = with_what_is_left(world, scene);
                    for (int number = 1; number <= put; ++number) {
                      world.require(std::count(all.begin(), all.end(), number) == 1,
                                    "an item is not lost when its put had returned");
                    }
                  });
}

TEST(CrashSafeExplored, AGetterDies) {
  lesson("Killed in the middle");
  did("explored every interleaving of two that get, one of which may be killed anywhere, from a "
      "queue with three items");
  expect_explored("the other one to get what is left, once and in order", within_bounds(1, 1),
                  [](World& world) {
                    Scene scene(world, 8, 3, {2, 2, 2});
                    world.process("G1", [&] { world.record(scene.get()); }).may_die();
                    world.process("G2", [&] {
                      const int first = scene.get();
                      world.record(first);
                      const int second = scene.get();
                      world.record(second);
                      world.require(first < second, "items come in order");
                    });
                    world.run();
                    const auto all = with_what_is_left(world, scene);
                    world.require(std::adjacent_find(all.begin(), all.end()) == all.end(),
                                  "no item comes twice");
                    world.require(all.size() >= 2, "only what the dead one had taken may be gone");
                  });
}

TEST(CrashSafeExplored, AGetterDiesAndOthersGoOn) {
  lesson("Killed in the middle");
  did("explored two that get, one of which may be killed anywhere, and one that puts, with room "
      "for one item");
  expect_explored("the others to go on without it", within_bounds(0, 1), [](World& world) {
    Scene scene(world, 8, 1, {2});
    world.process("G1", [&] { scene.get(); }).may_die();
    world.process("G2", [&] {
      const int first = scene.get();
      world.require(first < scene.get(), "items come in order");
    });
    world.process("P", [&] {
      scene.put(2);
      scene.put(3);
    });
    world.run();
  });
}

TEST(CrashSafeExplored, TakenOverFromADeadPutter) {
  lesson("Killed in the middle");
  did("explored two that sleep until there is an item, one that puts one and may be killed "
      "anywhere, and another one that puts two after it");
  expect_explored("both of those who sleep woken by the one who takes over, if not by the dead one",
                  within_bounds(0, 1), [](World& world) {
                    Scene scene(world, 8, 4);
                    world.process("G1", [&] { scene.get(); });
                    world.process("G2", [&] { scene.get(); });
                    world
                        .process("P1",
                                 [&] {
                                   scene.put(1);
                                   scene.last_act();
                                 })
                        .may_die();
                    world.process("P2", [&] {
                      scene.put(2);
                      scene.put(3);
                      scene.last_act();
                    });
                    world.run();
                    scene.nobody_napped_afterwards();
                  });
}

TEST(CrashSafeExplored, TakenOverFromADeadGetter) {
  lesson("Killed in the middle");
  did("explored two that sleep until there is a place, one that gets an item and may be killed "
      "anywhere, and another one that gets two after it");
  expect_explored("both of those who sleep woken by the one who takes over, if not by the dead one",
                  within_bounds(0, 1), [](World& world) {
                    Scene scene(world, 8, 2, {2, 2});
                    world.process("P1", [&] { scene.put(11); });
                    world.process("P2", [&] { scene.put(12); });
                    world
                        .process("G1",
                                 [&] {
                                   scene.get();
                                   scene.last_act();
                                 })
                        .may_die();
                    world.process("G2", [&] {
                      scene.get();
                      scene.get();
                      scene.last_act();
                    });
                    world.run();
                    scene.nobody_napped_afterwards();
                  });
}

TEST(CrashSafeExplored, BytesOfADeadGetter) {
  lesson("Killed in the middle");
  did("explored two that sleep until there are bytes enough, one that gets an item and may be "
      "killed anywhere, and another one that gets one after it");
  expect_explored("both of those who sleep woken by the one who takes over, if not by the dead one",
                  within_bounds(0, 1), [](World& world) {
                    Scene scene(world, 6, 9, {3, 3});
                    world.process("P1", [&] { scene.put(11, 3); });
                    world.process("P2", [&] { scene.put(12, 3); });
                    world
                        .process("G1",
                                 [&] {
                                   scene.get();
                                   scene.last_act();
                                 })
                        .may_die();
                    world.process("G2", [&] {
                      scene.get();
                      scene.get();
                      scene.last_act();
                    });
                    world.run();
                    scene.nobody_napped_afterwards();
                  });
}

TEST(CrashSafeExplored, NothingIsLeftByTheDead) {
  lesson("Killed in the middle");
  did("explored one that sleeps until there is a place, one that gets the only item and may be "
      "killed anywhere, and another one that gets after it");
  expect_explored(
      "the one who sleeps woken by the one who takes over, though that one finds "
      "nothing",
      within_bounds(0, 1), [](World& world) {
        Scene scene(world, 8, 1, {2});
        bool died = true;
        world.process("P", [&] { scene.put(2); });
        world
            .process("G1",
                     [&] {
                       scene.get();
                       died = false;
                     })
            .may_die();
        world.process("G2", [&] { scene.get(Deadline::after(30ms)); });
        world.run();
        if (died) {
          scene.nobody_napped();
        }
      });
}

TEST(CrashSafeExplored, NobodyTakesOver) {
  lesson("Killed in the middle");
  did("explored one that puts and may be killed anywhere, one that gets, 200 ms at most, and "
      "nobody else");
  expect_explored(
      "the item to be got a nap later at most, if it was put", within_bounds(1, 1),
      [](World& world) {
        Scene scene(world, 8, 1);
        const auto start = world.now();
        bool died = true;
        world
            .process("P",
                     [&] {
                       scene.put(1);
                       died = false;
                     })
            .may_die();
        world.process("G", [&] {
          const int number = scene.get(Deadline::after(200ms));
          world.require(number == 1 || scene.queue().size() == 0, "an item that is there is got");
          world.require(number == 0 || !died || world.now() - start <= CrashSafeQueue::kNap,
                        "who was not woken looks up after kNap", explorer::Verdict::kLostWakeup);
        });
        world.run();
      });
}

// ---- limits

TEST(CrashSafeExplored, GivesUpInTime) {
  lesson("Full and Empty");
  for (const auto time : {20ms, 120ms}) {
    const std::string words = std::to_string(time.count()) + " ms";
    did("explored a get with a limit of " + words + ", from an empty queue");
    expect_explored("nothing, after " + words, within_bounds(2, 1), [time](World& world) {
      Scene scene(world, 8, 1);
      world.process("G", [&] {
        const auto start = world.now();
        const auto limit = world.within(time);
        world.require(scene.get(Deadline::after(time)) == 0, "nothing is got");
        world.require(world.now() - start >= time, "it waits for all its time");
      });
      world.run();
    });
    did("explored a put with a limit of " + words + ", into a full queue");
    for (const std::ptrdiff_t most : {1, 9}) {
      expect_explored("false, after " + words, within_bounds(2, 1), [time, most](World& world) {
        Scene scene(world, 2, most, {2});
        world.process("P", [&] {
          const auto start = world.now();
          const auto limit = world.within(time);
          world.require(!scene.put_for(time, 2), "nothing is put");
          world.require(world.now() - start >= time, "it waits for all its time");
        });
        world.run();
        world.require(scene.queue().size() == 1, "nothing has changed");
      });
    }
  }
}

TEST(CrashSafeExplored, NobodySleepsWithTheLock) {
  lesson("Nobody sleeps with the lock");
  did("explored a get that waits for an item and a get that does not wait; and the same with puts "
      "into a full queue");
  expect_explored("who does not wait to be back at once", within_bounds(1, 0), [](World& world) {
    Scene empty(world, 8, 1);
    world.process("G1", [&] { empty.get(Deadline::after(300ms)); });
    world.process("G2", [&] {
      const auto limit = world.within(0ms);
      world.require(empty.get(Deadline::after(0s)) == 0, "nothing is got");
    });
    world.run();
  });
  for (const std::ptrdiff_t most : {1, 9}) {
    expect_explored("who does not wait to be back at once", within_bounds(1, 0),
                    [most](World& world) {
                      Scene full(world, 2, most, {2});
                      world.process("P1", [&] { full.put_for(300ms, 2); });
                      world.process("P2", [&] {
                        const auto limit = world.within(0ms);
                        world.require(!full.put_for(0s, 3), "nothing is put");
                      });
                      world.run();
                    });
  }
}

/// For a process that is in the middle of a put and of a get, for so long.
void in_the_middle(World& world, Scene& scene, std::chrono::nanoseconds time) {
  explored::RobustLock putting(scene.state().putting);
  explored::RobustLock getting(scene.state().getting);
  (void)putting.acquire();
  (void)getting.acquire();
  world.note("is in the middle of something");
  std::this_thread::sleep_for(time);
  putting.release();
  getting.release();
}

TEST(CrashSafeExplored, TooLargeWhileTheLockIsHeld) {
  lesson("Too large for ever");
  did("explored a put of an item that is too large, while another one is in the middle of an item "
      "for an hour");
  expect_explored("a ValueError, at once", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 4, 9);
    world.process("other", [&] { in_the_middle(world, scene, 1h); });
    world.process("P", [&] {
      const auto limit = world.within(0ns);
      bool refused = false;
      try {
        scene.put(2, 5);
      } catch (const explored::ValueError&) {
        refused = true;
      }
      world.require(refused, "what never fits is refused");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, LockedForAMoment) {
  lesson("Full and Empty");
  did("explored a put and a get that do not wait, while another one is in the middle of an item "
      "for 99 ms");
  expect_explored(
      "both of them to have a full look at the queue", within_bounds(1, 0), [](World& world) {
        Scene scene(world, 8, 2, {2});
        world.process("other", [&] { in_the_middle(world, scene, CrashSafeQueue::kGrace - 1ms); });
        world.process("P",
                      [&] { world.require(scene.put_for(0s, 2), "there is room, and no Full"); });
        world.process("G", [&] {
          world.require(scene.get(Deadline::after(0s)) == 1, "there is an item, and no Empty");
        });
        world.run();
      });
}

TEST(CrashSafeExplored, LockedForLongerThanTheGrace) {
  lesson("Full and Empty");
  did("explored a put and a get that have time enough, while another one is in the middle of an "
      "item for 250 ms");
  expect_explored("both of them to wait for it", within_bounds(0, 0), [](World& world) {
    Scene scene(world, 8, 2, {2});
    world.process("other", [&] { in_the_middle(world, scene, 250ms); });
    world.process("P1", [&] { scene.put(2); });
    world.process("P2", [&] { scene.put_for(400ms, 3); });
    world.process("G", [&] { world.require(scene.get() == 1, "the oldest item comes first"); });
    world.run();
    world.require(scene.queue().pushed() == 3, "who has time enough comes in");
  });
}

TEST(CrashSafeExplored, LockedForLong) {
  lesson("Full and Empty");
  did("explored puts and gets with a limit, while another one is in the middle of an item for an "
      "hour");
  for (const auto time : {0ms, 20ms, 300ms}) {
    const std::chrono::nanoseconds longest = time + CrashSafeQueue::kGrace;
    expect_explored("them to be back kGrace after their time at most", within_bounds(0, 0),
                    [time, longest](World& world) {
                      Scene scene(world, 8, 2, {2});
                      world.process("other", [&] { in_the_middle(world, scene, 1h); });
                      world.process("P", [&] {
                        const auto limit = world.within(longest);
                        scene.put_for(time, 2);
                      });
                      world.process("G", [&] {
                        const auto limit = world.within(longest);
                        scene.get(Deadline::after(time));
                      });
                      world.process("E", [&] {
                        const auto limit = world.within(longest);
                        scene.get_or_eof(Deadline::after(time));
                      });
                      world.run();
                    });
  }
}

TEST(CrashSafeExplored, OneGivesUpAndAnotherWaits) {
  lesson("Full and Empty");
  did("explored a get with a limit of 10 ms beside one without, and one that puts an item");
  expect_explored("the item to be got at once, whether the first one has given up or not",
                  within_bounds(0, 1), [](World& world) {
                    Scene scene(world, 8, 2);
                    world.process("G1", [&] {
                      if (scene.get(Deadline::after(10ms)) != 0) {
                        scene.put(2);
                      }
                      scene.last_act();
                    });
                    world.process("G2", [&] { scene.get(); });
                    world.process("P", [&] {
                      scene.put(1);
                      scene.last_act();
                    });
                    world.run();
                    scene.nobody_napped_afterwards();
                  });
}

// ---- when no producer is left

/// A registration that ends with the process, and not before. (This file is not explored itself:
/// what it did with shared memory would not be seen.)
union Registration {
  explicit Registration(CrashSafeQueue& queue) : place(queue.register_producer()) {}
  ~Registration() {}  // NOLINT: not of the place
  Registration(const Registration&) = delete;
  explored::Producers::Place place;
};

TEST(CrashSafeExplored, LastProducerEnds) {
  lesson("When no producer is left");
  did("explored a producer that puts an item and ends, and one that gets until the end");
  expect_explored("the item first, and then the end, a nap later at most", within_bounds(1, 0),
                  [](World& world) {
                    Scene scene(world, 8, 1);
                    std::chrono::nanoseconds ended{0};
                    world.process("P", [&] {
                      const Registration place(scene.queue());
                      scene.put(1);
                      ended = world.now();
                    });
                    world.process("G", [&] {
                      world.require(scene.get_or_eof() == 1, "an item comes before the end");
                      world.require(scene.get_or_eof() == -1, "the end comes");
                      world.require(world.now() - ended <= CrashSafeQueue::kNap,
                                    "the end is noticed a nap later at most");
                    });
                    world.run();
                  });
}

TEST(CrashSafeExplored, TheLastItemAtTheLastMoment) {
  lesson("When no producer is left");
  did("explored a producer that puts an item and ends, and one that gets until the end and looks "
      "up from a nap at any moment");
  expect_explored("the item first, and then the end", within_bounds(1, 1), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("P", [&] {
      const Registration place(scene.queue());
      scene.put(1);
    });
    world.process("G", [&] {
      world.require(scene.get_or_eof() == 1, "an item comes before the end");
      world.require(scene.get_or_eof() == -1, "the end comes");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, NoEndWhileSomebodyIsInTheMiddle) {
  lesson("When no producer is left");
  did("explored a producer that puts an item and ends, and one that gets without waiting, while "
      "another one holds the lock for an hour");
  expect_explored("no end, since there is an item", within_bounds(0, 0), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("P", [&] {
      const Registration place(scene.queue());
      scene.put(1);
    });
    world.process("other", [&] {
      std::this_thread::sleep_for(1s);
      in_the_middle(world, scene, 1h);
    });
    world.process("G", [&] {
      std::this_thread::sleep_for(2s);
      world.require(scene.get_or_eof(Deadline::after(0s)) == 0, "there is an item, and no end");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, LastProducerDies) {
  lesson("When no producer is left");
  did("explored a producer that puts two items and may be killed anywhere, and one that gets until "
      "the end");
  expect_explored("what was put, and then the end", within_bounds(0, 1), [](World& world) {
    Scene scene(world, 8, 2);
    int put = 0;
    world
        .process("P",
                 [&] {
                   const Registration place(scene.queue());
                   scene.put(1);
                   put = 1;
                   scene.put(2);
                   put = 2;
                 })
        .may_die();
    world.process("G", [&] {
      int got = 0;
      int number = 0;
      // Killed before it was registered, it is no producer, and there is no end.
      while ((number = scene.get_or_eof(Deadline::after(300ms))) > 0) {
        world.require(number == got + 1, "each item comes once, and in order");
        got = number;
      }
      world.require(number == -1 || scene.state().producers.registered.load() == 0,
                    "the end comes");
      world.require(got >= put && scene.queue().size() == 0, "the end comes after the last item");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, TheEndIsForAll) {
  lesson("When no producer is left");
  did("explored a producer that puts an item and ends, and two that get until the end");
  expect_explored("the item for one of them, and the end for both", within_bounds(0, 0),
                  [](World& world) {
                    Scene scene(world, 8, 2);
                    world.process("P", [&] {
                      const Registration place(scene.queue());
                      scene.put(1);
                    });
                    for (const char* name : {"G1", "G2"}) {
                      world.process(name, [&] {
                        int number = 0;
                        while ((number = scene.get_or_eof()) > 0) {
                          world.record(number);
                        }
                        world.require(number == -1, "the end comes");
                      });
                    }
                    world.run();
                    world.require(world.recorded().size() == 1, "the item is got once");
                  });
}

TEST(CrashSafeExplored, NobodyHasCome) {
  lesson("When no producer is left");
  did("explored one that gets before the first producer has come, and a producer that takes its "
      "time");
  expect_explored("no end before it was there", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    world.process("P", [&] {
      std::this_thread::sleep_for(120ms);
      const Registration place(scene.queue());
      std::this_thread::sleep_for(120ms);
      scene.put(1);
    });
    world.process("G", [&] {
      world.require(scene.get_or_eof() == 1, "somebody is yet to come, and there is no end");
      world.require(scene.get_or_eof() == -1, "the end comes");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, HandedOver) {
  lesson("When no producer is left");
  did("explored a producer that ends when another one has come, and one that gets");
  expect_explored("no end while one of them is there", within_bounds(1, 0), [](World& world) {
    Scene scene(world, 8, 1);
    auto& sign = world.shared<explored::Semaphore::State>();
    sign.value = 0;
    explored::Semaphore another(sign);
    world.process("P1", [&] {
      const Registration place(scene.queue());
      another.acquire();
    });
    world.process("P2", [&] {
      const Registration place(scene.queue());
      another.release();
      scene.put(1);
    });
    world.process("G", [&] {
      world.require(scene.get_or_eof() == 1 || scene.queue().pushed() == 0,
                    "somebody is there, and there is no end");
    });
    world.run();
  });
}

TEST(CrashSafeExplored, EndInTime) {
  lesson("When no producer is left");
  did("explored one that gets, with a limit, while a producer is there and puts nothing");
  for (const auto time : {0ms, 20ms, 120ms}) {
    expect_explored("nothing, when the time is over", within_bounds(1, 1), [time](World& world) {
      Scene scene(world, 8, 1);
      const Registration place(scene.queue());
      world.process("G", [&] {
        const auto start = world.now();
        const auto limit = world.within(time);
        world.require(scene.get_or_eof(Deadline::after(time)) == 0, "nothing is got, and no end");
        world.require(world.now() - start >= time, "it waits for all its time");
      });
      world.run();
    });
  }
}

TEST(CrashSafeExplored, WokenBeforeTheEnd) {
  lesson("When no producer is left");
  did("explored two that get until the end, and a producer that puts two items");
  expect_explored("an item for each of them, and nobody asleep who can go on", within_bounds(0, 0),
                  [](World& world) {
                    Scene scene(world, 8, 2);
                    const Registration place(scene.queue());
                    for (const char* name : {"G1", "G2"}) {
                      world.process(name, [&] {
                        world.require(scene.get_or_eof() > 0, "there is an item, and no end");
                      });
                    }
                    world.process("P", [&] {
                      scene.put(1);
                      scene.put(2);
                    });
                    world.run();
                    scene.nobody_napped();
                  });
}

}  // namespace
