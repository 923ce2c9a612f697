#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "support/explorer/vector_clock.hpp"

namespace explorer {

/// The process number of a process, as getpid(2) tells it; of the set-up, for -1.
constexpr int pid_of(int process) {
  return 4001 + process;
}

/// How many atomic words one world may have.
constexpr int kMaxWords = 64;

/// For every atomic word, the oldest store of its history that may still be seen. Where a vector
/// clock says what is ordered, a view says what can be read.
class View {
 public:
  std::uint16_t& operator[](int word) { return stores_[static_cast<std::size_t>(word)]; }
  std::uint16_t operator[](int word) const { return stores_[static_cast<std::size_t>(word)]; }
  void join(const View& other) {
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      stores_[i] = stores_[i] < other.stores_[i] ? other.stores_[i] : stores_[i];
    }
  }

 private:
  std::array<std::uint16_t, kMaxWords> stores_{};
};

/// What a process has learnt, or passes on.
struct Knowledge {
  VectorClock clock;
  View view;
  void join(const Knowledge& other) {
    clock.join(other.clock);
    view.join(other.view);
  }
};

/// Why and how a process sleeps, and how it was woken.
struct Sleep {
  int word = -1;               ///< -1: sleeps without a word, as nanosleep(2) does
  std::uint32_t expected = 0;  ///< what the word held
  std::uint32_t bitset = 0;
  std::int64_t deadline = -1;  ///< on the virtual clock, in ns; -1: none
  std::uint64_t ticket = 0;    ///< the order in which they came
  bool wake_missed = false;    ///< a wake-up came just before, and found nobody
  int result = 0;              ///< 0, ETIMEDOUT or EINTR
  const void* code = nullptr;
};

enum class State { kReady, kAsleep, kDone, kDead };

/// A modelled process.
struct Process {
  int index = -1;
  std::string name;
  std::function<void()> body;
  std::function<void()> handler;  ///< of a signal that may arrive at any time; none: none arrives
  bool may_die = false;

  State state = State::kReady;
  Sleep sleep;
  bool signal_pending = false;
  bool handler_ran = false;

  Knowledge now;       ///< what it knows
  Knowledge acquired;  ///< what it would know after a fence(acquire)
  Knowledge released;  ///< what it knew at its last fence(release)

  /// A fingerprint of all that it has done and read, so of everything that it remembers.
  std::uint64_t history = 0;
  int operation = 0;               ///< the step of the present operation
  int previous_operation = 0;      ///< and of the one before
  std::uint64_t plain_writes = 0;  ///< how many it has made
  int plain_accesses = 0;          ///< since its last operation
  int idle = 0;                    ///< operations since it last slept or got anywhere
  std::uint32_t yielded_to = 0;    ///< the processes that have to run first, one bit each
  std::int64_t limit = -1;         ///< by when it has to be back

  const void* robust_list = nullptr;  ///< a robust_list_head, from set_robust_list(2)

  /// The return addresses of the instrumented functions that it is in.
  static constexpr std::size_t kMaxDepth = 64;
  std::array<const void*, kMaxDepth> calls{};
  std::size_t depth = 0;
};

}  // namespace explorer
