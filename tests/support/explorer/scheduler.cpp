#include "support/explorer/scheduler.hpp"

#include <cerrno>
#include <cstdlib>
#include <exception>
#include <limits>
#include <typeinfo>
#include <utility>

#include <cxxabi.h>

#include "support/explorer/hash.hpp"

namespace explorer {

namespace {

// Not zero, so that a relative time that is taken for an absolute one shows.
constexpr std::int64_t kClockStart = 1'000'000'000'000;

constexpr std::uint64_t kTimedOut = 0xd001;
constexpr std::uint64_t kReturned = 0xd002;
constexpr std::uint64_t kSignalled = 0xd003;
constexpr std::uint64_t kKilled = 0xd004;
constexpr std::uint64_t kYielded = 0xd005;

// More than any right answer makes between two operations on what is shared.
constexpr int kPlainAccesses = 100'000;

/// The coroutines' entry functions take no argument.
Scheduler* active = nullptr;

std::string type_in_flight() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    return "something";
  }
  int status = 0;
  char* const text = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = status == 0 && text != nullptr ? text : type->name();
  std::free(text);
  if (name.starts_with("explored::")) {  // the learner's code, compiled a second time
    name.replace(0, 8, "mp");
  }
  return name;
}

}  // namespace

struct Scheduler::Options {
  void add(Option option) { list[static_cast<std::size_t>(size++)] = option; }
  std::array<Option, 5 * kMaxProcesses> list{};
  int size = 0;
};

Failure Scheduler::execute(const Limits& limits, const std::function<void()>& setup) {
  limits_ = limits;
  for (int i = 0; i < count_; ++i) {
    process(i) = Process{};
  }
  outside_ = Process{};
  outside_.name = "the set-up";
  count_ = 0;
  current_ = running_on_ = -1;
  steps_ = 0;
  tickets_ = 0;
  clock_ = kClockStart;
  spent_ = {};
  running_ = has_run_ = stopped_ = pruned_ = too_long_ = false;
  failure_ = {};
  trace_ = {};

  setup_body_ = &setup;
  Scheduler* const before = std::exchange(active, this);
  setup_.start(&Scheduler::enter_setup);
  Coroutine::transfer(thread_, setup_);
  active = before;
  running_ = false;
  statics_.switch_to(-1);
  statics_.restore();
  current_ = -1;
  return failure_;
}

void Scheduler::enter_setup() {
  try {
    (*active->setup_body_)();
    if (!active->has_run_) {
      active->fail(Verdict::kRefused, "the set-up never called World::run()");
    }
  } catch (const Stopped&) {
    // Said already why.
  } catch (const std::exception& error) {
    active->fail(Verdict::kException,
                 "the set-up, or what comes after run(), let an exception "
                 "escape: " +
                     type_in_flight() + ", \"" + error.what() + "\"");
  } catch (...) {
    active->fail(
        Verdict::kException,
        "the set-up, or what comes after run(), let an exception escape: " + type_in_flight());
  }
  Coroutine::transfer(active->setup_, active->thread_);
}

void Scheduler::enter_process() {
  Scheduler& scheduler = *active;
  try {
    scheduler.self().body();
  } catch (const std::exception& error) {
    scheduler.fail(Verdict::kException, scheduler.who() + " let an exception escape: " +
                                            type_in_flight() + ", \"" + error.what() + "\"");
  } catch (...) {
    scheduler.fail(Verdict::kException,
                   scheduler.who() + " let an exception escape: " + type_in_flight());
  }
  if (scheduler.self().robust_list != nullptr) {  // the kernel looks at it at every exit
    scheduler.point();
    scheduler.machine_.death(scheduler.self());
  }
  scheduler.self().state = State::kDone;
  scheduler.switch_to(scheduler.pick());
}

Process& Scheduler::add(std::string name, std::function<void()> body) {
  if (has_run_) {
    fail(Verdict::kRefused, "a process is added after World::run()");
  }
  if (count_ == kMaxProcesses) {
    fail(Verdict::kRefused,
         "more than " + std::to_string(kMaxProcesses) + " processes are not explored");
  }
  Process& process = processes_[static_cast<std::size_t>(count_)];
  process.index = count_++;
  process.name = std::move(name);
  process.body = std::move(body);
  process.now.clock[process.index] = 1;
  return process;
}

void Scheduler::run() {
  if (has_run_ || current_ >= 0) {
    fail(Verdict::kRefused, "World::run() is called once, by the set-up");
  }
  has_run_ = true;
  for (int i = 0; i < count_; ++i) {
    coroutine(i).start(&Scheduler::enter_process);
  }
  statics_.fork();
  running_ = true;
  if (const int first = pick(); first >= 0) {
    switch_to(first);
  }
  running_ = false;
  if (stopped_) {
    throw Stopped{};
  }
  for (int i = 0; i < count_; ++i) {  // whoever waited for all of them knows all
    outside_.now.join(process(i).now);
  }
}

void Scheduler::find_options(Options& options) {
  std::uint32_t ready = 0;
  for (int i = 0; i < count_; ++i) {
    ready |= static_cast<std::uint32_t>(process(i).state == State::kReady) << i;
  }
  const auto may_run = [&](int i) {
    process(i).yielded_to &= ready;
    return process(i).state == State::kReady && process(i).yielded_to == 0;
  };
  // Whoever runs goes on: that is the usual, and costs nothing.
  const bool goes_on = current_ >= 0 && may_run(current_);
  if (goes_on) {
    options.add({Move::kRun, current_, 0, 0});
  }
  for (int i = 0; i < count_; ++i) {
    if (may_run(i) && !(goes_on && i == current_)) {
      options.add({Move::kRun, i, goes_on ? 1 : 0, 0});
    }
  }
  if (options.size == 0) {  // all have yielded to each other
    for (int i = 0; i < count_; ++i) {
      if (process(i).state == State::kReady) {
        options.add({Move::kRun, i, 0, 0});
      }
    }
  }
  const bool anyone = options.size > 0;
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  bool asleep = false;
  for (int i = 0; i < count_; ++i) {
    const Process& sleeper = process(i);
    asleep |= sleeper.state == State::kAsleep;
    if (sleeper.state == State::kAsleep && sleeper.sleep.deadline >= 0) {
      first = sleeper.sleep.deadline < first ? sleeper.sleep.deadline : first;
    }
  }
  if (!anyone && asleep && first == std::numeric_limits<std::int64_t>::max()) {
    stand_still();
  }
  if (!anyone && !asleep) {
    return;
  }
  for (int i = 0; i < count_; ++i) {
    const Process& one = process(i);
    const Sleep& sleep = one.sleep;
    if (one.state == State::kAsleep) {
      // Time passes by itself when nobody has anything to do. That it passes while somebody has
      // (he is slow, the machine is busy) is a fault of its own.
      const bool due = sleep.deadline >= 0 && sleep.deadline <= clock_;
      if (sleep.deadline >= 0 && (anyone || due || sleep.deadline == first)) {
        options.add({Move::kTimeout, i, 0, anyone && !due ? 1 : 0});
      }
      if (sleep.word >= 0) {
        options.add({Move::kSpurious, i, 0, 1});
      }
      options.add({Move::kInterrupt, i, 0, 1});
    } else if (one.state == State::kReady && one.handler && !one.handler_ran) {
      options.add({Move::kSignal, i, 0, 1});
    }
    if (one.may_die && (one.state == State::kReady || one.state == State::kAsleep)) {
      options.add({Move::kKill, i, 0, 1});
    }
  }
  int kept = 0;
  for (int i = 0; i < options.size; ++i) {
    const Option& option = options.list[static_cast<std::size_t>(i)];
    if (spent_.preemptions + option.preemptions <= limits_.bounds.preemptions &&
        spent_.faults + option.faults <= limits_.bounds.faults) {
      options.list[static_cast<std::size_t>(kept++)] = option;
    }
  }
  options.size = kept;
}

std::uint64_t Scheduler::fingerprint() {
  std::uint64_t all =
      mix(static_cast<std::uint64_t>(clock_), static_cast<std::uint64_t>(spent_.faults) * 64 +
                                                  static_cast<std::uint64_t>(current_ + 1));
  for (int i = 0; i < count_; ++i) {
    const Process& one = process(i);
    all = mix(all, one.history);
    all = mix(all, static_cast<std::uint64_t>(one.state) * 256 + one.yielded_to);
  }
  return mix(all, machine_.fingerprint());
}

int Scheduler::pick() {
  for (;;) {
    if (current_ >= 0 && self().state != State::kReady) {
      current_ = -1;
    }
    Options options;
    find_options(options);
    if (options.size == 0) {
      return -1;  // all at their end
    }
    if (options.size > 1 && limits_.prune && !choices_.on_known_ground() &&
        visited_.seen(fingerprint(), spent_.preemptions)) {
      pruned_ = stopped_ = true;
      leave();
    }
    const Option option = options.list[static_cast<std::size_t>(choose(options.size))];
    spent_.preemptions += option.preemptions;
    spent_.faults += option.faults;
    if (option.move == Move::kRun) {
      for (int i = 0; i < count_; ++i) {
        process(i).yielded_to &= ~(1U << option.process);
      }
      return option.process;
    }
    carry_out(option);
  }
}

void Scheduler::carry_out(const Option& option) {
  Process& target = process(option.process);
  const std::int64_t deadline = target.sleep.deadline;
  switch (option.move) {
    case Move::kRun:
      break;
    case Move::kTimeout:
      advance_clock(deadline);
      target.history = mix(target.history, kTimedOut);
      record_for(target, "time passes: its wait is over", nullptr, nullptr,
                 option.faults > 0 ? Tone::kFault : Tone::kSleep);
      wake(target, ETIMEDOUT);
      machine_.woken(target);
      break;
    case Move::kSpurious:
    case Move::kInterrupt: {
      // Half of the time is over by then: who starts anew with all of it will be late.
      if (deadline > clock_) {
        advance_clock(clock_ + (deadline - clock_) / 2);
      }
      const bool interrupted = option.move == Move::kInterrupt;
      target.history = mix(target.history, interrupted ? kSignalled : kReturned);
      record_for(target, interrupted ? "a signal interrupts the sleep" : "returns for no reason",
                 nullptr, nullptr, Tone::kFault);
      target.signal_pending = interrupted && target.handler && !target.handler_ran;
      wake(target, interrupted ? EINTR : 0);
      machine_.woken(target);
      break;
    }
    case Move::kSignal:
      target.history = mix(target.history, kSignalled);
      target.signal_pending = true;
      record_for(target, "a signal arrives", nullptr, nullptr, Tone::kFault);
      break;
    case Move::kKill:
      kill(target);
      break;
  }
  for (int i = 0; i < count_; ++i) {
    const Process& late = process(i);
    if (late.state == State::kAsleep && late.limit >= 0 && late.limit < clock_) {
      fail(Verdict::kPastDeadline, late.name + " had to be back by now, and still sleeps " +
                                       std::to_string((clock_ - late.limit) / 1'000'000) +
                                       " ms later");
    }
  }
}

void Scheduler::kill(Process& process) {
  process.history = mix(mix(process.history, kKilled), process.plain_writes);
  record_for(process, "KILLED", nullptr, nullptr, Tone::kFault);
  const bool was_asleep = process.state == State::kAsleep;
  process.state = State::kDead;
  if (was_asleep) {
    machine_.woken(process);
  }
  statics_.switch_to(process.index);  // the kernel looks into its memory
  machine_.death(process);
  statics_.switch_to(current_);
}

void Scheduler::stand_still() {
  std::string sentence;
  bool lost = false;
  bool late = false;
  for (int i = 0; i < count_; ++i) {
    Process& sleeper = process(i);
    if (sleeper.state != State::kAsleep) {
      continue;
    }
    sentence += (sentence.empty() ? "" : "; ") + sleeper.name + " sleeps for ever" +
                machine_.on_what(sleeper);
    lost |= machine_.missed(sleeper);
    late |= sleeper.limit >= 0;
    record_for(sleeper, "sleeps for ever", nullptr, nullptr, Tone::kFailed);
  }
  sentence += "; no process is left that could wake anybody";
  fail(late   ? Verdict::kPastDeadline
       : lost ? Verdict::kLostWakeup
              : Verdict::kDeadlock,
       std::move(sentence));
}

void Scheduler::point() {
  if (!running_ || current_ < 0) {
    return;
  }
  Process& process = self();
  process.previous_operation = process.operation;
  process.operation = ++steps_;
  process.plain_accesses = 0;
  count_idle();
  if (steps_ > limits_.steps) {
    too_long_ = true;
    fail(Verdict::kLivelock, "after " + std::to_string(limits_.steps) +
                                 " steps the processes have not come to an end: they keep each "
                                 "other busy");
  }
  switch_to(pick());
  run_handler();
}

void Scheduler::count_idle() {
  if (++self().idle > limits_.spins && in_process()) {
    fail(Verdict::kLivelock, who() + " made " + std::to_string(limits_.spins) +
                                 " steps in a row without sleeping and without getting anywhere: "
                                 "it waits by burning its time");
  }
}

void Scheduler::plain_access(bool write) {
  if (!running_ || current_ < 0) {
    return;
  }
  Process& process = self();
  if (++process.plain_accesses > kPlainAccesses) {
    fail(Verdict::kLivelock, who() +
                                 " goes round and round over plain data: nobody else can be "
                                 "seen to change it");
  }
  if (!write) {
    return;
  }
  ++process.plain_writes;
  if (process.may_die && fault_left() && choose(2) == 1) {
    spend_fault();
    kill(process);
    switch_to(pick());
  }
}

int Scheduler::sleep() {
  Process& process = self();
  if (current_ < 0) {
    fail(Verdict::kDeadlock,
         "the set-up, or what comes after run(), would sleep for ever: there "
         "is nobody to wake it");
  }
  process.state = State::kAsleep;
  process.sleep.ticket = ++tickets_;
  process.idle = 0;
  const int self_index = current_;
  const int next = pick();
  if (next != self_index) {
    switch_to(next);
  } else {
    current_ = self_index;
    statics_.switch_to(self_index);
  }
  run_handler();
  return process.sleep.result;
}

void Scheduler::yield() {
  if (!running_ || current_ < 0) {
    return;
  }
  remember(kYielded);
  self().yielded_to = ((1U << count_) - 1) & ~(1U << current_);
  point();
}

void Scheduler::wake(Process& process, int result) {
  process.state = State::kReady;
  process.sleep.result = result;
}

void Scheduler::run_handler() {
  Process& process = self();
  if (process.signal_pending) {
    process.signal_pending = false;
    process.handler_ran = true;
    record("[the handler of the signal begins]", nullptr, nullptr);
    const Sleep sleep = process.sleep;
    process.handler();
    process.sleep = sleep;
    record("[it ends]", nullptr, nullptr);
  }
}

int Scheduler::choose(int count) {
  if (count <= 1) {
    return 0;
  }
  const std::optional<int> taken =
      choices_.choose(count, steps_ * (kMaxProcesses + 1) + current_ + 1);
  if (!taken) {
    fail(Verdict::kNotReproducible, kElsewhere);
  }
  return *taken;
}

void Scheduler::switch_to(int next) {
  if (next == current_ && next >= 0) {
    return;
  }
  // pick() may have left the one that runs this behind, asleep or at its end.
  const int from = running_on_;
  current_ = next;
  statics_.switch_to(next);
  running_on_ = next;
  Coroutine::transfer(coroutine(from), coroutine(next));
}

void Scheduler::fail(Verdict verdict, std::string sentence) {
  failure_ = {verdict, std::move(sentence)};
  stopped_ = true;
  leave();
}

void Scheduler::leave() {
  const int from = running_on_;
  if (from >= 0) {  // abandoned: it is never unwound
    current_ = -1;
    running_on_ = -1;
    statics_.switch_to(-1);
    Coroutine::transfer(coroutine(from), setup_);
  } else if (running_) {  // the set-up, in run(), before the first process
    running_ = false;
    throw Stopped{};
  } else {
    Coroutine::transfer(setup_, thread_);
  }
  std::abort();
}

void Scheduler::record(std::string text, const void* word, const void* code, Tone tone) {
  record_for(self(), std::move(text), word, code, tone);
}

void Scheduler::record_for(Process& process, std::string text, const void* word, const void* code,
                           Tone tone) {
  if (!limits_.record || process.index < 0) {
    return;
  }
  Event event;
  event.process = process.index;
  event.text = std::move(text);
  event.word = word;
  event.tone = tone;
  if (word != nullptr) {
    machine_.name(event);
  }
  if (code != nullptr) {
    event.site.frames[0] = code;
    for (std::size_t i = 1; i < event.site.frames.size() && i <= process.depth; ++i) {
      event.site.frames[i] = process.calls[process.depth - i];
    }
  }
  trace_.events.push_back(std::move(event));
}

void Scheduler::mark_failed(int process, const void* word, const void* code) {
  for (auto event = trace_.events.rbegin(); event != trace_.events.rend(); ++event) {
    if (event->process == process && event->word == word && event->site.frames[0] == code) {
      event->tone = Tone::kFailed;
      return;
    }
  }
}

Trace Scheduler::take_trace() {
  for (int i = 0; i < count_; ++i) {
    trace_.lanes.push_back(process(i).name);
  }
  return std::move(trace_);
}

}  // namespace explorer
