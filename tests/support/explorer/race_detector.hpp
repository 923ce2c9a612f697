#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/explorer/arena.hpp"
#include "support/explorer/scheduler.hpp"
#include "support/explorer/vector_clock.hpp"

namespace explorer {

/// Watches the plain data in shared memory: two processes may not touch the same byte, one of them
/// writing, unless something orders one access before the other. On real hardware such a program
/// may read anything; here it ends at once.
///
/// It is not by luck that a race is met: whether two accesses are ordered follows from what the
/// processes synchronised on, not from who happened to be first.
class RaceDetector {
 public:
  RaceDetector(Scheduler& scheduler, Arena& arena) : scheduler_(scheduler), arena_(arena) {}

  void reset();

  /// The running process reads or writes plain data.
  void access(const void* address, std::size_t size, bool write, const void* code);

  /// It does so by an atomic operation. That is no race with another atomic operation, but with a
  /// plain access it is.
  void atomic_access(const void* address, std::size_t size, bool write, const void* code);

 private:
  struct Last {
    std::array<Stamp, kMaxProcesses> stamp{};  // 0: never
    std::array<const void*, kMaxProcesses> code{};
  };
  struct Shadow {  // of one byte
    bool plain = false;
    Last reads;
    Last writes;
    Last atomic_reads;
    Last atomic_writes;
  };

  /// Ends the execution when `others` holds an access that is not ordered before this one.
  void check(const Last& others, const char* theirs, const char* mine, const void* address,
             const void* code);
  Shadow& shadow(const void* address);

  Scheduler& scheduler_;
  Arena& arena_;
  std::vector<Shadow> shadows_;      // one for each byte that was touched
  std::vector<std::uint16_t> slot_;  // of each byte of the arena: 1 + its shadow's index, or 0
  std::vector<std::size_t> used_;    // the offsets of those that have one
};

}  // namespace explorer
