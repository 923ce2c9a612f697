#pragma once

// What every test of the explorer includes: the samples as the explorer sees them, and a few worlds
// that many tests build.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "support/explorer/explorer.hpp"

#define mp explored
#include "support/explorer/tests/samples.hpp"
#undef mp

namespace explorer::testing {

/// `processes` of them increment a counter `rounds` times under a lock.
template <class Lock>
void counting(World& world, int processes, int rounds) {
  auto& lock = world.shared<Lock>();
  auto& counter = world.guarded("counter", 0);
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    world.process("P" + std::to_string(i), [&, rounds] {
      for (int round = 0; round < rounds; ++round) {
        lock.acquire();
        {
          const auto inside = section.enter();
          counter += 1;
        }
        lock.release();
      }
    });
  }
  world.run();
  world.require(counter == processes * rounds, "every increment is there");
}

/// The same without data, so that only exclusion can be broken.
template <class Lock>
void entering(World& world, int processes) {
  auto& lock = world.shared<Lock>();
  auto& section = world.section();
  for (int i = 1; i <= processes; ++i) {
    world.process("P" + std::to_string(i), [&] {
      lock.acquire();
      { const auto inside = section.enter(); }
      lock.release();
    });
  }
  world.run();
}

inline Exploration explored_within(int preemptions, int faults,
                                   const std::function<void(World&)>& setup) {
  Options options;
  options.preemptions = preemptions;
  options.faults = faults;
  options.executions = 2'000'000;
  return explore(options, setup);
}

}  // namespace explorer::testing
