#include "05-queue/explored.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#define mp explored
#include "02-pipe/bytes.hpp"
#include "04-lock/lock.hpp"
#include "04-lock/robust_lock.hpp"
#undef mp

namespace {

using explored::Ring;
using explorer::World;
using namespace mp::test;

Ring::State& state_of(World& world) {
  auto& state = world.shared<Ring::State>();
  world.name(state.head, "head");
  world.name(state.tail, "tail");
  world.name(state.seen_head, "seen_head");
  world.name(state.seen_tail, "seen_tail");
  return state;
}

/// A record of so many numbers, all the same: what is torn is not.
std::vector<std::byte> several(std::int32_t number, std::size_t times) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < times; ++i) {
    const auto one = item_of(number);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  return bytes;
}

/// The number of such a record; -1 if it is torn.
std::int32_t number_of_several(std::span<const std::byte> bytes, std::size_t times) {
  if (bytes.size() != times * 4) {
    return -1;
  }
  const std::int32_t number = number_of(bytes.first(4));
  for (std::size_t i = 1; i < times; ++i) {
    if (number_of(bytes.subspan(i * 4, 4)) != number) {
      return -1;
    }
  }
  return number;
}

bool push_one(Ring& ring, std::int32_t number, std::size_t times = 1) {
  return ring.try_push(several(number, times));
}

/// Tries a few times. A test that tried for ever would be a busy wait.
bool push_soon(Ring& ring, std::int32_t number, std::size_t times = 1) {
  for (int tries = 0; tries < 2; ++tries) {
    if (push_one(ring, number, times)) {
      return true;
    }
  }
  return false;
}

/// A number that is popped: 0 if there is none.
std::int32_t pop_one(World& world, Ring& ring, std::size_t times = 1) {
  const auto record = ring.try_pop();
  const std::int32_t number = record ? number_of_several(*record, times) : 0;
  world.require(number >= 0, "a record is whole");
  return number;
}

// ---- one and one

TEST(RingExplored, OneWritesOneReads) {
  lesson("One store");
  did("explored every interleaving of a process that pushes three records into a ring with room "
      "for two, and of one that pops them");
  expect_explored("each record whole, once, and in order", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    Ring ring(state_of(world), ring_memory(world, 4));
                    int written = 0;
                    int read = 0;
                    world.process("writer", [&] {
                      while (written < 3 && push_soon(ring, written + 1)) {
                        ++written;
                      }
                    });
                    world.process("reader", [&] {
                      for (int tries = 0; tries < 3; ++tries) {
                        if (const int number = pop_one(world, ring); number > 0) {
                          ++read;
                          world.require(number == read, "each record comes once, and in order");
                        }
                      }
                    });
                    world.run();
                    world.require(ring.pushed() == static_cast<std::uint32_t>(written),
                                  "pushed() counts what was pushed");
                    world.require(ring.size() == static_cast<std::uint32_t>(written - read),
                                  "what was pushed was popped, or is still in");
                    while (read < written) {
                      ++read;
                      world.require(pop_one(world, ring) == read, "what is still in is in order");
                    }
                    world.require(!ring.try_pop(), "it is empty then");
                  });
}

TEST(RingExplored, GoesOnAtTheBeginning) {
  lesson("One store");
  did("explored every interleaving of a process that pushes records which go on at the beginning "
      "of the memory, and of one that pops them");
  expect_explored("each record whole, once, and in order", {.preemptions = 3, .faults = 1},
                  [](World& world) {
                    Ring ring(state_of(world), ring_memory(world, 5));
                    world.require(push_one(ring, 1, 3), "the empty ring takes a record");
                    world.process("writer", [&] {
                      push_soon(ring, 2, 3);
                      push_soon(ring, 3, 3);
                    });
                    world.process("reader", [&] {
                      int last = 0;
                      for (int tries = 0; tries < 3; ++tries) {
                        if (const int number = pop_one(world, ring, 3); number > 0) {
                          world.require(number > last, "each record comes once, and in order");
                          last = number;
                        }
                      }
                    });
                    world.run();
                  });
}

TEST(RingExplored, WhoSeesARecordGetsIt) {
  lesson("One store");
  did("explored a process that pushes two records, and one that pops when pushed() or size() has "
      "counted them");
  expect_explored("the record to be there", {.preemptions = 3, .faults = 1}, [](World& world) {
    Ring ring(state_of(world), ring_memory(world, 4));
    world.process("writer", [&] {
      push_one(ring, 1);
      push_one(ring, 2);
    });
    world.process("reader", [&] {
      int expected = 0;
      for (int i = 0; i < 2; ++i) {
        if (ring.size() > 0 || ring.pushed() > static_cast<std::uint32_t>(expected)) {
          ++expected;
          world.require(pop_one(world, ring) == expected, "a record that is counted is there");
        }
      }
    });
    world.run();
  });
}

TEST(RingExplored, WhoSeesRoomGetsIt) {
  lesson("One store");
  did("explored a process that pops from a full ring, and one that pushes when has_room() has "
      "said that there is room");
  expect_explored("there to be room", {.preemptions = 3, .faults = 1}, [](World& world) {
    Ring ring(state_of(world), ring_memory(world, 4));
    push_one(ring, 1);
    push_one(ring, 2);
    world.process("reader", [&] {
      pop_one(world, ring);
      pop_one(world, ring);
    });
    world.process("writer", [&] {
      for (int i = 3; i <= 4; ++i) {
        if (ring.has_room(4)) {
          world.require(push_one(ring, i), "there is room, for nobody else has pushed");
        }
      }
    });
    world.run();
  });
}

// ---- looked at by others

TEST(RingExplored, SizeAtOneMoment) {
  lesson("A bound needs counting");
  did("explored a third process that looks at size(), while one pushes and one pops");
  expect_explored("a size that there was", {.preemptions = 3, .faults = 0}, [](World& world) {
    Ring ring(state_of(world), ring_memory(world, 4), 1);
    world.process("writer", [&] {
      push_one(ring, 1);
      push_soon(ring, 2);
    });
    world.process("reader", [&] {
      ring.try_pop();
      ring.try_pop();
    });
    world.process("third", [&] {
      world.require(ring.size() <= 1, "there is never more than one record in");
    });
    world.run();
  });
}

TEST(RingExplored, RoomAtOneMoment) {
  lesson("A bound needs counting");
  did("explored a third process that looks whether there is room for one more record, while one "
      "pushes and one pops, and there always is");
  expect_explored("has_room() to be true", {.preemptions = 3, .faults = 0}, [](World& world) {
    Ring ring(state_of(world), ring_memory(world, 4));
    world.require(ring.try_push({}), "the empty ring takes a record");
    world.require(ring.try_push({}), "a ring with one of four takes a record");
    world.process("writer", [&] {
      ring.try_push({});
      if (ring.size() < 3) {
        ring.try_push({});
      }
    });
    world.process("reader", [&] { ring.try_pop(); });
    world.process("third", [&] {
      world.require(ring.has_room(0), "there is always room for one record of no bytes");
    });
    world.run();
  });
}

TEST(RingExplored, NoRoomAtAnyMoment) {
  lesson("A bound needs counting");
  did("explored a third process that looks whether there is room for a record as large as the "
      "ring, while one pushes and one pops, and there is always something in");
  expect_explored("has_room() to be false", {.preemptions = 3, .faults = 0}, [](World& world) {
    Ring ring(state_of(world), ring_memory(world, 2));
    world.require(ring.try_push({}), "the empty ring takes a record");
    world.process("writer", [&] { ring.try_push({}); });
    world.process("reader", [&] {
      if (ring.size() == 2) {
        ring.try_pop();
      }
    });
    world.process("third",
                  [&] { world.require(!ring.has_room(8), "there is always a record in"); });
    world.run();
  });
}

TEST(RingExplored, PushedOrSeen) {
  lesson("Say first, look then");
  did("explored two processes, each of which pushes into a ring of its own, and looks then whether "
      "something is in the other one's");
  expect_explored("one of the two, at least, to see the other's record",
                  {.preemptions = 2, .faults = 2}, [](World& world) {
                    Ring one(state_of(world), ring_memory(world, 2));
                    Ring other(world.shared<Ring::State>(), ring_memory(world, 2));
                    bool one_sees = false;
                    bool other_sees = false;
                    world.process("one", [&] {
                      push_one(one, 1);
                      one_sees = other.size() > 0;
                    });
                    world.process("other", [&] {
                      push_one(other, 1);
                      other_sees = one.pushed() > 0;
                    });
                    world.run();
                    world.require(one_sees || other_sees, "they cannot miss each other");
                  });
}

TEST(RingExplored, PoppedOrSeen) {
  lesson("Say first, look then");
  did("explored two processes, each of which pops from a full ring of its own, and looks then "
      "whether there is room in the other one's");
  expect_explored("one of the two, at least, to see the other's room",
                  {.preemptions = 2, .faults = 2}, [](World& world) {
                    Ring one(state_of(world), ring_memory(world, 2));
                    Ring other(world.shared<Ring::State>(), ring_memory(world, 2));
                    push_one(one, 1);
                    push_one(other, 1);
                    bool one_sees = false;
                    bool other_sees = false;
                    world.process("one", [&] {
                      one.try_pop();
                      one_sees = other.has_room(4);
                    });
                    world.process("other", [&] {
                      other.try_pop();
                      other_sees = one.size() == 0;
                    });
                    world.run();
                    world.require(one_sees || other_sees, "they cannot miss each other");
                  });
}

// ---- several at one end

TEST(RingExplored, TwoWritersTakeTurns) {
  lesson("A ring in memory");
  did("explored two processes that push two records each, with a lock, and one that pops");
  expect_explored(
      "each record whole, and those of one process in order", {.preemptions = 2, .faults = 0},
      [](World& world) {
        Ring ring(state_of(world), ring_memory(world, 4));
        explored::Lock lock(world.shared<explored::Lock::State>());
        for (const int first : {10, 20}) {
          world.process("W" + std::to_string(first / 10), [&, first] {
            for (int i = 1; i <= 2; ++i) {
              const std::lock_guard guard(lock);
              if (!push_one(ring, first + i)) {
                break;
              }
            }
          });
        }
        int last[3] = {0, 0, 0};
        world.process("reader", [&] {
          for (int tries = 0; tries < 3; ++tries) {
            if (const int number = pop_one(world, ring); number > 0) {
              world.require(number % 10 == last[number / 10] + 1,
                            "those of one process come once, and in order");
              ++last[number / 10];
            }
          }
        });
        world.run();
        world.require(ring.pushed() - ring.size() == static_cast<std::uint32_t>(last[1] + last[2]),
                      "what was pushed was popped, or is still in");
      });
}

TEST(RingExplored, TwoReadersTakeTurns) {
  lesson("A ring in memory");
  did("explored a process that pushes three records, and two that pop, with a lock");
  expect_explored("each record whole, and once, and in order", {.preemptions = 2, .faults = 0},
                  [](World& world) {
                    Ring ring(state_of(world), ring_memory(world, 4));
                    explored::Lock lock(world.shared<explored::Lock::State>());
                    auto& last = world.guarded("last", 0);
                    world.process("writer", [&] {
                      for (int i = 1; i <= 3 && push_soon(ring, i); ++i) {
                      }
                    });
                    for (const char* name : {"R1", "R2"}) {
                      world.process(name, [&] {
                        for (int tries = 0; tries < 2; ++tries) {
                          const std::lock_guard guard(lock);
                          if (const int number = pop_one(world, ring); number > 0) {
                            world.require(number == last + 1, "each comes once, and in order");
                            last = number;
                          }
                        }
                      });
                    }
                    world.run();
                  });
}

// ---- killed

TEST(RingExplored, WriterDies) {
  lesson("One store");
  did("explored a process that pushes and may be killed anywhere, one that pops, and one that "
      "pushes afterwards");
  expect_explored(
      "each record to be in, whole, or not at all", {.preemptions = 2, .faults = 1},
      [](World& world) {
        Ring ring(state_of(world), ring_memory(world, 6));
        push_one(ring, 1, 3);
        world.process("writer", [&] { push_one(ring, 2, 3); }).may_die();
        int last = 0;
        world.process("reader", [&] {
          for (int tries = 0; tries < 2; ++tries) {
            if (const int number = pop_one(world, ring, 3); number > 0) {
              world.require(number == last + 1, "each comes once, and in order");
              last = number;
            }
          }
        });
        world.run();
        const int in = static_cast<int>(ring.pushed());
        world.require(static_cast<int>(ring.size()) == in - last, "size() is what is in");
        const bool has_room = in - last < 2;
        world.require(ring.has_room(12) == has_room, "there is room for two in all");
        world.require(push_one(ring, 9, 3) == has_room, "the next one pushes if there is");
        while (last < in) {
          ++last;
          world.require(pop_one(world, ring, 3) == last, "what is in is in order");
        }
        world.require(!has_room || pop_one(world, ring, 3) == 9, "the next one is last");
        world.require(ring.size() == 0, "it is empty then");
      });
}

TEST(RingExplored, ReaderDies) {
  lesson("One store");
  did("explored a process that pops and may be killed anywhere, one that pushes, and one that pops "
      "afterwards");
  expect_explored("each record to be in, whole, or not at all", {.preemptions = 2, .faults = 1},
                  [](World& world) {
                    Ring ring(state_of(world), ring_memory(world, 6));
                    push_one(ring, 1, 3);
                    push_one(ring, 2, 3);
                    world.process("reader", [&] { pop_one(world, ring, 3); }).may_die();
                    bool third = false;
                    world.process("writer", [&] { third = push_soon(ring, 3, 3); });
                    world.run();
                    const std::uint32_t pushed = third ? 3 : 2;
                    world.require(ring.pushed() == pushed, "pushed() counts what was pushed");
                    int next = static_cast<int>(pushed - ring.size()) + 1;
                    world.require(next <= 2, "one was popped at most");
                    while (const int number = pop_one(world, ring, 3)) {
                      world.require(number == next, "what is in is whole, and in order");
                      ++next;
                    }
                    world.require(next == static_cast<int>(pushed) + 1, "nothing is lost");
                    world.require(push_one(ring, 7, 3) && push_one(ring, 8, 3),
                                  "all of the memory can be used again");
                  });
}

TEST(RingExplored, AnotherTakesOver) {
  lesson("One store");
  did("explored two processes that push with a RobustLock, one of which may be killed anywhere, "
      "and one that pops");
  expect_explored("each record to be in, whole, or not at all", {.preemptions = 1, .faults = 1},
                  [](World& world) {
                    Ring ring(state_of(world), ring_memory(world, 4));
                    explored::RobustLock lock(world.shared<explored::RobustLock::State>());
                    const auto pushes = [&](int number) {
                      const explored::RobustLock::Guard guard(lock);
                      push_one(ring, number);
                    };
                    world.process("W1", [&, pushes] { pushes(1); }).may_die();
                    world.process("W2", [&, pushes] {
                      pushes(2);
                      pushes(3);
                    });
                    int read = 0;
                    world.process("reader", [&] {
                      int last = 1;
                      for (int tries = 0; tries < 2; ++tries) {
                        if (const int number = pop_one(world, ring); number > 0) {
                          ++read;
                          world.require(number == 1 || number == last + 1, "those of W2 in order");
                          last = number == 1 ? last : number;
                        }
                      }
                    });
                    world.run();
                    world.require(ring.pushed() - ring.size() == static_cast<std::uint32_t>(read),
                                  "what was pushed was popped, or is still in");
                  });
}

}  // namespace
