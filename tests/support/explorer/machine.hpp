#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/explorer/arena.hpp"
#include "support/explorer/choices.hpp"
#include "support/explorer/futex_model.hpp"
#include "support/explorer/memory_model.hpp"
#include "support/explorer/race_detector.hpp"
#include "support/explorer/scheduler.hpp"
#include "support/explorer/visited.hpp"

namespace explorer {

/// The modelled machine, whole: processes, memory and kernel. The front (what the code under test
/// calls) and the World (what the test calls) turn to it.
///
/// Each operation is a scheduling point first: whoever is allowed to comes before it.
class Machine {
 public:
  Machine();

  /// One execution. @return the failure, or kRight.
  Failure execute(const Limits& limits, const std::function<void()>& setup);

  // What the code under test does.

  [[nodiscard]] bool is_shared(const void* address) const { return arena.holds(address); }
  std::uint64_t load(const void* address, int size, std::memory_order order, const void* code);
  void store(void* address, int size, std::uint64_t value, std::memory_order order,
             const void* code);
  std::uint64_t rmw(void* address, int size, Rmw operation, std::uint64_t operand,
                    std::memory_order order, const void* code);
  bool compare_exchange(void* address, int size, std::uint64_t& expected, std::uint64_t desired,
                        std::memory_order success, std::memory_order failure, bool weak,
                        const void* code);
  void fence(std::memory_order order, const void* code);

  /// Plain data, wherever it is: before the access.
  void plain(const void* address, std::size_t size, bool write, const void* code);

  /// An atomic operation on memory that is not shared: before it is simply done.
  void private_atomic(const void* address, std::size_t size, bool write, const void* code);

  int futex_wait(const void* address, std::uint32_t expected, std::uint32_t bitset,
                 std::int64_t deadline, const void* code);
  int futex_wake(const void* address, int count, std::uint32_t bitset, const void* code);
  int sleep_until(std::int64_t deadline, const void* code);
  void yield(const void* code);
  std::int64_t read_clock();
  int pid();
  void set_robust_list(const void* head);

  /// Something happens outside of what is modelled, whose order is to count all the same.
  void mark(std::string text, const void* code, Tone tone = Tone::kPlain);

  /// Ends the execution: the model does not know this.
  [[noreturn]] void refuse(const std::string& what, const void* code);
  [[noreturn]] void fail(Verdict verdict, std::string sentence, const void* code);

  Choices choices;
  Visited visited;
  Scheduler scheduler{choices, visited};
  Arena arena;
  RaceDetector races{scheduler, arena};
  MemoryModel memory{scheduler, arena, races};
  FutexModel futexes{scheduler, memory};

  /// What is called when a process dies, beside what the kernel does.
  std::vector<std::function<void(Process&)>> at_death;

  /// The machine that the calling thread explores with; nullptr.
  static Machine* current() {
    return running != nullptr && pthread_equal(pthread_self(), runner) != 0 ? running : nullptr;
  }

  /// Nothing has changed behind the explorer's back, and others may go first.
  void step(const void* code);

 private:
  /// A write is announced before it happens: the record learns the new value now.
  void finish_record();

  static Machine* running;
  static pthread_t runner;
  std::uint64_t marks_ = 0;  ///< fingerprint of what mark() was told

  struct Write {
    const void* address = nullptr;  ///< nullptr: none is waited for
    int size = 0;
    std::uint64_t before = 0;
    std::size_t event = 0;
  };
  Write unfinished_;
  const void* known_private_ = nullptr;  ///< the address that private_atomic() looked up last
};

}  // namespace explorer
