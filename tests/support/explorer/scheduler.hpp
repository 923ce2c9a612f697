#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "support/explorer/choices.hpp"
#include "support/explorer/coroutine.hpp"
#include "support/explorer/hash.hpp"
#include "support/explorer/private_memory.hpp"
#include "support/explorer/process.hpp"
#include "support/explorer/trace.hpp"
#include "support/explorer/verdict.hpp"
#include "support/explorer/visited.hpp"

namespace explorer {

/// Ends an execution that need not go on: thrown in the set-up, out of World::run().
struct Stopped {};

/// The limits of one execution.
struct Limits {
  Bounds bounds;
  int spins = 60;     ///< operations in a row without sleeping or getting anywhere
  int steps = 5'000;  ///< operations of all processes together
  bool prune = true;  ///< ends where the search has been before
  bool record = false;
};

/// Who runs, and what befalls him: the processes of one execution, each a coroutine, of which one
/// runs at a time. Before each operation on shared memory it decides, by asking Choices, whether
/// that process goes on or another one gets the processor, and whether a fault strikes.
///
/// The set-up (and what comes after World::run()) is a coroutine as well, but no process: nothing
/// interrupts it.
class Scheduler {
 public:
  Scheduler(Choices& choices, Visited& visited) : choices_(choices), visited_(visited) {}

  /// What the other parts of the machine have to say.
  struct Machine {
    std::function<void(Process&)> death;         ///< a process dies: what the kernel does then
    std::function<std::uint64_t()> fingerprint;  ///< of all that is not in a process
    std::function<void(Process&)> woken;         ///< a sleep ends that nobody woke
    std::function<std::string(const Process&)> on_what;  ///< "sleeps for ever on ..., which ..."
    std::function<bool(const Process&)> missed;          ///< whether its wake-up came and went
    std::function<void(Event&)> name;  ///< says where an event's word is, and its name
  };
  void attach(Machine machine) { machine_ = std::move(machine); }

  /// One execution. @param setup  adds processes and calls run().
  /// @return the failure, or kRight.
  Failure execute(const Limits& limits, const std::function<void()>& setup);

  Process& add(std::string name, std::function<void()> body);
  /// Lets the processes run until all are at their end. For the set-up only, and once.
  void run();
  [[nodiscard]] bool has_run() const { return has_run_; }

  /// A process is about to touch what it shares: others may come first.
  void point();
  /// It is about to touch plain data. Others need not be considered here, since they may not touch
  /// that data now; but a process that may die can die between two such writes.
  void plain_access(bool write);
  /// It looked at something, once more.
  void count_idle();
  /// The running process sleeps as its `sleep` says. @return how it was woken: 0 or an errno.
  int sleep();
  /// It lets all others go first.
  void yield();
  /// It got somewhere, so that it does not count as spinning.
  void progress() { self().idle = 0; }
  /// `process` is woken. `result` is what its call returns.
  void wake(Process& process, int result);

  /// A question that the search answers in every way. 0 is the usual.
  int choose(int count);
  /// Whether one more fault is allowed here.
  [[nodiscard]] bool fault_left() const {
    return running_ && current_ >= 0 && spent_.faults < limits_.bounds.faults;
  }
  void spend_fault() { ++spent_.faults; }
  /// Whether from here on somebody may still read what is not the newest.
  [[nodiscard]] bool stale_reads_left() const { return spent_.faults < limits_.bounds.faults; }

  /// Ends the execution: it is wrong.
  [[noreturn]] void fail(Verdict verdict, std::string sentence);

  /// The one that runs: a process, or the set-up (index -1).
  Process& self() {
    return current_ < 0 ? outside_ : processes_[static_cast<std::size_t>(current_)];
  }
  /// Whether it is a process.
  [[nodiscard]] bool in_process() const { return current_ >= 0; }
  [[nodiscard]] int count() const { return count_; }
  Process& process(int index) { return processes_[static_cast<std::size_t>(index)]; }
  /// "P1", or "the set-up".
  [[nodiscard]] std::string who() { return self().name; }

  /// The running process did something that its future, or that of others, depends on.
  void remember(std::uint64_t number) { self().history = mix(self().history, number); }

  [[nodiscard]] std::int64_t clock() const { return clock_; }
  void advance_clock(std::int64_t to) { clock_ = to > clock_ ? to : clock_; }
  [[nodiscard]] int steps() const { return steps_; }
  [[nodiscard]] Bounds spent() const { return spent_; }
  [[nodiscard]] bool pruned() const { return pruned_; }
  [[nodiscard]] bool too_long() const { return too_long_; }

  PrivateMemory& statics() { return statics_; }

  // The record of the execution.
  [[nodiscard]] bool recording() const { return limits_.record; }
  void record(std::string text, const void* word, const void* code, Tone tone = Tone::kPlain);
  void record_for(Process& process, std::string text, const void* word, const void* code,
                  Tone tone);
  /// The number of the event recorded last, whose text may be mended later.
  [[nodiscard]] std::size_t last_event() const { return trace_.events.size() - 1; }
  /// The last event of `process` at this word and place is part of the error.
  void mark_failed(int process, const void* word, const void* code);
  void mend(std::size_t event, std::string text) { trace_.events[event].text = std::move(text); }
  Trace take_trace();

 private:
  enum class Move { kRun, kTimeout, kSpurious, kInterrupt, kSignal, kKill };
  struct Option {
    Move move = Move::kRun;
    int process = 0;
    int preemptions = 0;
    int faults = 0;
  };
  struct Options;

  static void enter_setup();
  static void enter_process();

  void find_options(Options& options);
  [[nodiscard]] std::uint64_t fingerprint();
  /// Decides who runs next. @return its index, or -1 when nobody is left.
  int pick();
  void carry_out(const Option& option);
  void kill(Process& process);
  [[noreturn]] void stand_still();
  /// Goes on with another coroutine; -1 is the set-up's.
  void switch_to(int next);
  [[noreturn]] void leave();
  void run_handler();

  Coroutine& coroutine(int index) {
    return index < 0 ? setup_ : coroutines_[static_cast<std::size_t>(index)];
  }

  Choices& choices_;
  Visited& visited_;
  Machine machine_;
  Limits limits_;
  PrivateMemory statics_;

  std::array<Process, kMaxProcesses> processes_;
  std::array<Coroutine, kMaxProcesses> coroutines_;
  Process outside_;
  Coroutine setup_;
  Coroutine thread_;
  const std::function<void()>* setup_body_ = nullptr;

  int count_ = 0;
  int current_ = -1;     ///< who has the processor
  int running_on_ = -1;  ///< whose stack is in use: when he has just fallen asleep, still his
  int steps_ = 0;
  std::uint64_t tickets_ = 0;
  std::int64_t clock_ = 0;
  Bounds spent_;
  bool running_ = false;
  bool has_run_ = false;
  bool stopped_ = false;
  bool pruned_ = false;
  bool too_long_ = false;
  Failure failure_;
  Trace trace_;
};

}  // namespace explorer
