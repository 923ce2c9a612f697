#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/explorer/explorer.hpp"
#include "support/explorer/machine.hpp"

namespace explorer {

namespace {

/// The bounds one after the other: the fewest surprises first, so that what is found is as simple
/// as can be.
std::vector<Bounds> rising(const Options& options) {
  std::vector<Bounds> all;
  for (int sum = 0; sum <= options.preemptions + options.faults; ++sum) {
    for (int faults = std::max(0, sum - options.preemptions);
         faults <= std::min(sum, options.faults); ++faults) {
      all.push_back({sum - faults, faults});
    }
  }
  return all;
}

/// The search for one world.
class Search {
 public:
  Search(const Options& options, const std::function<void(World&)>& setup)
      : options_(options), setup_(setup) {}

  Exploration search();
  Exploration follow(std::string_view schedule);

 private:
  Failure execute(const Limits& limits);
  /// All executions within these bounds. @return whether to go on.
  bool search_within(Bounds bounds);
  /// Goes on for a while, for an example that is shorter, or that says more.
  void find_better(Limits limits, Failure failure);
  /// Once more, and this time everything is written down.
  void write_down(Limits limits, const Failure& failure, const std::string& schedule);
  [[nodiscard]] bool budget_left() const { return found_.executions < options_.executions; }

  const Options& options_;
  const std::function<void(World&)>& setup_;
  Machine machine_;
  Exploration found_;
};

Failure Search::execute(const Limits& limits) {
  Failure failure = machine_.execute(limits, [this] {
    World world(machine_);
    setup_(world);
  });
  ++found_.executions;
  found_.pruned += machine_.scheduler.pruned() ? 1 : 0;
  found_.steps += static_cast<std::uint64_t>(machine_.scheduler.steps());
  return failure;
}

Exploration Search::search() {
  for (const Bounds bounds : rising(options_)) {
    if (!search_within(bounds)) {
      break;
    }
  }
  return std::move(found_);
}

bool Search::search_within(Bounds bounds) {
  machine_.choices.reset();
  machine_.visited.clear();
  Limits limits;
  limits.bounds = bounds;
  limits.spins = options_.spins;
  limits.prune = options_.prune;
  do {
    if (!budget_left()) {
      found_.complete = false;
      return false;
    }
    Failure failure = execute(limits);
    if (failure.verdict == Verdict::kRight && machine_.choices.on_known_ground()) {
      failure = {Verdict::kNotReproducible, kElsewhere};  // it ended before the path did
    }
    if (failure.verdict != Verdict::kRight) {
      find_better(limits, std::move(failure));
      return false;
    }
  } while (machine_.choices.advance());
  return true;
}

void Search::find_better(Limits limits, Failure failure) {
  const Exploration effort = found_;  // what it took to find the first
  const int most_steps = limits.steps;
  std::string schedule = machine_.choices.schedule(limits.bounds);
  Bounds bounds = limits.bounds;
  limits.steps = machine_.scheduler.steps();
  const std::uint64_t budget = found_.executions + options_.shorten;
  bool more = machine_.choices.advance();
  while (found_.executions < budget) {
    if (!more) {
      // Where nothing excludes anybody, data races come first, for they need no preemption. But
      // "both are inside" says more: it is worth looking a little further for it.
      if (failure.verdict != Verdict::kDataRace ||
          limits.bounds.preemptions >= options_.preemptions) {
        break;
      }
      ++limits.bounds.preemptions;
      limits.steps = most_steps;
      machine_.choices.reset();
      machine_.visited.clear();
    }
    const Failure other = execute(limits);
    const bool shorter = other.verdict == failure.verdict && limits.bounds == bounds &&
                         !machine_.scheduler.too_long() &&
                         machine_.scheduler.steps() < limits.steps;
    const bool says_more =
        other.verdict == Verdict::kExclusion && failure.verdict == Verdict::kDataRace;
    if (shorter || says_more) {
      failure = other;
      bounds = limits.bounds;
      schedule = machine_.choices.schedule(bounds);
      limits.steps = machine_.scheduler.steps();
    }
    more = machine_.choices.advance();
  }
  limits.steps = most_steps;
  limits.bounds = bounds;
  write_down(limits, failure, schedule);
  found_.executions = effort.executions;
  found_.pruned = effort.pruned;
  found_.steps = effort.steps;
}

void Search::write_down(Limits limits, const Failure& failure, const std::string& schedule) {
  machine_.choices.follow(schedule);
  limits.record = true;
  limits.prune = false;
  const Failure again = execute(limits);
  found_.verdict = failure.verdict;
  found_.detail = failure.sentence;
  if (failure.verdict != Verdict::kNotReproducible && again.verdict != failure.verdict) {
    found_.verdict = Verdict::kNotReproducible;
    found_.detail = std::string("what was found first, ") + words(failure.verdict) +
                    ", did not come again: " + kElsewhere;
  }
  found_.schedule = schedule;
  found_.preemptions = machine_.scheduler.spent().preemptions;
  found_.faults = machine_.scheduler.spent().faults;
  found_.trace = machine_.scheduler.take_trace();
}

Exploration Search::follow(std::string_view schedule) {
  const std::optional<Bounds> bounds = machine_.choices.follow(schedule);
  if (!bounds) {
    found_.verdict = Verdict::kRefused;
    found_.detail = "\"" + std::string(schedule) + "\" is no schedule";
    return std::move(found_);
  }
  Limits limits;
  limits.bounds = *bounds;
  limits.spins = options_.spins;
  limits.prune = false;
  limits.record = true;
  const Failure failure = execute(limits);
  found_.verdict = failure.verdict;
  found_.detail = failure.sentence;
  found_.schedule = machine_.choices.schedule(*bounds);
  found_.preemptions = machine_.scheduler.spent().preemptions;
  found_.faults = machine_.scheduler.spent().faults;
  found_.trace = machine_.scheduler.take_trace();
  return std::move(found_);
}

}  // namespace

Exploration explore(const Options& options, const std::function<void(World&)>& setup) {
  return Search(options, setup).search();
}

Exploration replay(std::string_view schedule, const std::function<void(World&)>& setup,
                   const Options& options) {
  return Search(options, setup).follow(schedule);
}

}  // namespace explorer
