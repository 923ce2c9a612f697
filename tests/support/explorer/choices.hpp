#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace explorer {

/// How far a search may stray from the run in which everybody goes on until he has to wait and
/// nothing goes wrong.
struct Bounds {
  int preemptions = 0;  ///< switches away from a process that could have gone on
  int faults = 0;       ///< time-outs, spurious returns, signals, stale reads, deaths
  bool operator==(const Bounds&) const = default;
};

/// A path through the tree of choices that one execution makes, and with it depth-first search:
/// execute, advance(), execute again, until advance() says that there is no path left.
///
/// Everything that is not determined by the code under test is asked of choose(): the same
/// answers lead to the same execution. So the answers are the schedule, and can be printed.
class Choices {
 public:
  /// The first path, and all others after it.
  void reset() {
    path_.clear();
    depth_ = 0;
  }
  /// Goes back to the root; the path stays.
  void rewind() { depth_ = 0; }

  /// The answer to a question with `count` answers, numbered from 0.
  /// @param context  a number for what is asked: on the same path it is the same.
  /// @return no value when on this path another question was asked before: the execution depends on
  ///         something else than the answers.
  std::optional<int> choose(int count, int context = 0);

  /// Whether questions still come that earlier executions were asked on this path.
  [[nodiscard]] bool on_known_ground() const { return depth_ < path_.size(); }

  /// Moves on to the next path. @return false when there is none.
  bool advance();

  /// The path as text: `1p0f-00010021`. Zeros at the end are left away.
  [[nodiscard]] std::string schedule(Bounds bounds) const;

  /// Makes the path that of a schedule. @return the bounds; no value when it is no schedule.
  std::optional<Bounds> follow(std::string_view schedule);

 private:
  struct Choice {
    int count = 0;  // 0: followed from a schedule, which does not say it
    int taken = 0;
    int context = 0;
  };
  std::vector<Choice> path_;
  std::size_t depth_ = 0;
};

}  // namespace explorer
