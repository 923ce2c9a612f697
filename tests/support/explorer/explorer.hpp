#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/explorer/trace.hpp"
#include "support/explorer/verdict.hpp"

/// Finds the interleaving that breaks a lock, instead of hoping for it. See docs/explorer.md.
///
///     const Exploration found = explore({.preemptions = 2, .faults = 1}, [](World& world) {
///       auto& lock = world.shared<explored::Lock>();
///       auto& counter = world.guarded("counter", 0);
///       auto& section = world.section();
///       for (const char* name : {"P1", "P2"}) {
///         world.process(name, [&] {
///           lock.acquire();
///           {
///             const auto inside = section.enter();
///             counter = counter + 1;
///           }
///           lock.release();
///         });
///       }
///       world.run();
///       world.require(counter == 2, "both increments are there");
///     });
///     if (found.failed()) std::cout << found.report();
///
/// The function runs again and again, once for each interleaving, so it has to do the same each
/// time. Its own variables live until it ends, so the processes may use them by reference; but they
/// are not shared memory: what processes exchange lives in shared() and guarded().
namespace explorer {

class Machine;

/// How far to search.
struct Options {
  int preemptions = 2;  ///< up to so many switches away from a process that could have gone on
  int faults = 1;  ///< up to so many time-outs that come early, signals, deaths, stale reads …
  std::uint64_t executions = 200'000;  ///< the budget
  int spins = 60;     ///< operations in a row without sleep or success that are no busy-waiting
  bool prune = true;  ///< false: also what comes to where the search has been, for comparison
  std::uint64_t shorten = 2'000;  ///< executions spent on a shorter example, once there is one
};

/// Plain data that processes share: each use is an access that the race detector sees, though the
/// test's own file is not instrumented.
template <class T>
class Guarded;

/// A piece of code in which only so many processes may be at a time.
class CriticalSection {
 public:
  /// The stay inside; its end is the leaving.
  class Visit {
   public:
    explicit Visit(CriticalSection& section, const void* code) : section_(section), code_(code) {}
    ~Visit() { section_.leave(code_); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    CriticalSection& section_;
    const void* code_;
  };

  CriticalSection(Machine& machine, std::string name, int limit)
      : machine_(machine), name_(std::move(name)), limit_(limit) {}

  /// Goes in. Ends the execution when too many are inside then.
  [[nodiscard, gnu::noinline]] Visit enter() {
    const void* const code = __builtin_return_address(0);
    enter(code);
    return Visit(*this, code);
  }

  /// Whether the process that runs is inside.
  [[nodiscard]] bool inside() const;

 private:
  friend class World;
  void enter(const void* code);
  void leave(const void* code);

  Machine& machine_;
  std::string name_;
  int limit_;
  std::uint32_t inside_ = 0;  // one bit for each process
};

/// A promise that the process will be back by some time. Its end is when it is back.
class Within {
 public:
  Within(Machine& machine, std::chrono::nanoseconds time, const void* code);
  ~Within();
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;

 private:
  Machine& machine_;
  std::int64_t limit_;
  const void* code_;
};

/// A process that was just added.
class Added {
 public:
  Added(Machine& machine, int index) : machine_(machine), index_(index) {}
  /// It may be killed anywhere, at the price of a fault.
  Added& may_die();
  /// A signal may arrive anywhere, once, at the price of a fault: its handler runs then.
  Added& on_signal(std::function<void()> handler);

 private:
  Machine& machine_;
  int index_;
};

/// One execution: what is shared, who runs, what must hold.
class World {
 public:
  explicit World(Machine& machine) : machine_(machine) {}

  /// Makes an object in shared memory. It is not destroyed.
  template <class T, class... Args>
  T& shared(Args&&... args) {
    return *new (allocate(sizeof(T), alignof(T), "")) T(std::forward<Args>(args)...);
  }
  /// Makes plain data in shared memory, every use of which is checked.
  template <class T>
  Guarded<T>& guarded(std::string_view name, T initial = T{}) {
    return *new (allocate(sizeof(Guarded<T>), alignof(Guarded<T>), name)) Guarded<T>(initial);
  }
  /// Raw shared memory, zeroed.
  void* allocate(std::size_t size, std::size_t alignment, std::string_view name);
  /// How the report calls an object, or a field of one.
  template <class T>
  void name(const T& object, std::string_view text) {
    name_range(&object, sizeof(T), text);
  }

  CriticalSection& section(std::string_view name = "the critical section", int limit = 1);

  /// Adds a process. It begins as a copy of the set-up, as after fork.
  Added process(std::string name, std::function<void()> body);

  /// Lets them run until all are at their end. Whatever comes after it sees what they left.
  void run();

  // For processes, and for what comes after run().

  /// Ends the execution unless `holds`. @param sentence  what must be true: "no item is lost".
  [[gnu::noinline]] void require(bool holds, std::string_view sentence,
                                 Verdict verdict = Verdict::kProperty) {
    if (!holds) {
      fail(verdict, sentence, __builtin_return_address(0));
    }
  }
  /// A line in the process's lane. It counts as progress: it got so far.
  [[gnu::noinline]] void note(std::string text) {
    note(std::move(text), __builtin_return_address(0));
  }
  /// Adds to a list that the test keeps; the order in which processes do it is explored.
  [[gnu::noinline]] void record(std::int64_t value) { record(value, __builtin_return_address(0)); }
  [[nodiscard]] const std::vector<std::int64_t>& recorded() const { return recorded_; }
  /// The virtual clock.
  [[nodiscard]] std::chrono::nanoseconds now() const;
  /// From here to the end of the object at most this time may pass.
  [[nodiscard, gnu::noinline]] Within within(std::chrono::nanoseconds time) {
    return Within(machine_, time, __builtin_return_address(0));
  }
  /// The process number of the one that runs.
  [[nodiscard]] int pid() const;

 private:
  [[noreturn]] void fail(Verdict verdict, std::string_view sentence, const void* code);
  void note(std::string text, const void* code);
  void record(std::int64_t value, const void* code);
  void name_range(const void* address, std::size_t size, std::string_view text);

  Machine& machine_;
  std::vector<std::unique_ptr<CriticalSection>> sections_;
  std::vector<std::int64_t> recorded_;
};

namespace detail {
/// An access to plain shared data, before it happens.
void access(const void* address, std::size_t size, bool write, const void* code);
}  // namespace detail

template <class T>
class Guarded {
  static_assert(std::is_trivially_copyable_v<T>, "shared memory holds plain data");

 public:
  explicit Guarded(T initial) : value_(initial) {}
  Guarded(const Guarded&) = delete;

  [[gnu::noinline]] T read() const { return get(__builtin_return_address(0)); }
  [[gnu::noinline]] void write(T value) { set(value, __builtin_return_address(0)); }

  [[gnu::noinline]] operator T() const {  // NOLINT: it is to read like the value
    return get(__builtin_return_address(0));
  }
  [[gnu::noinline]] Guarded& operator=(T value) {
    set(value, __builtin_return_address(0));
    return *this;
  }
  [[gnu::noinline]] Guarded& operator=(const Guarded& other) {  // NOLINT: of itself, it is as well
    const void* const code = __builtin_return_address(0);
    set(other.get(code), code);
    return *this;
  }
  [[gnu::noinline]] Guarded& operator+=(T value) {
    const void* const code = __builtin_return_address(0);
    set(static_cast<T>(get(code) + value), code);
    return *this;
  }

 private:
  // Should the test's file be instrumented, the access must not be seen twice.
  __attribute__((no_sanitize("thread"))) T get(const void* code) const {
    detail::access(&value_, sizeof(T), false, code);
    return value_;
  }
  __attribute__((no_sanitize("thread"))) void set(T value, const void* code) {
    detail::access(&value_, sizeof(T), true, code);
    value_ = value;
  }

  T value_;
};

/// What a search found.
class Exploration {
 public:
  [[nodiscard]] bool failed() const { return verdict != Verdict::kRight; }
  /// One sentence: the class of error, and what happened.
  [[nodiscard]] std::string sentence() const;
  /// The sentence, the failing interleaving as lanes side by side, the source lines, and how to see
  /// it again.
  [[nodiscard]] std::string report() const;
  /// The lanes as a figure.
  [[nodiscard]] std::string svg() const;

  Verdict verdict = Verdict::kRight;
  std::string detail;            ///< the sentence, with words still unnamed
  std::string schedule;          ///< for replay()
  std::uint64_t executions = 0;  ///< how many were made
  std::uint64_t pruned = 0;      ///< of them ended early, having come where others were before
  std::uint64_t steps = 0;       ///< operations in all of them
  bool complete = true;          ///< all within the bounds was explored; else the budget ended it
  int preemptions = 0;           ///< that the failing interleaving needs
  int faults = 0;
  Trace trace;  ///< the failing interleaving
};

/// Searches all interleavings within the bounds, those with the fewest surprises first.
/// @param setup  builds one world, runs it, and checks what it left.
Exploration explore(const Options& options, const std::function<void(World&)>& setup);

/// Makes the one execution that a report's schedule describes.
Exploration replay(std::string_view schedule, const std::function<void(World&)>& setup,
                   const Options& options = {});

}  // namespace explorer
