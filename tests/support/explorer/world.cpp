#include <bit>
#include <string>

#include "support/explorer/explorer.hpp"
#include "support/explorer/machine.hpp"

namespace explorer {

namespace {

constexpr std::size_t kCacheLine = 64;

std::uint32_t bit(const Process& process) {
  return process.index < 0 ? 1U << kMaxProcesses : 1U << process.index;
}

}  // namespace

void* World::allocate(std::size_t size, std::size_t alignment, std::string_view name) {
  // Each object on a line of its own, as one would place it, and so that names are clear.
  void* const memory =
      machine_.arena.allocate(size, alignment > kCacheLine ? alignment : kCacheLine);
  if (memory == nullptr) {
    machine_.refuse("more than " + std::to_string(Arena::kSize / 1024) +
                        " KiB of shared memory are not explored",
                    nullptr);
  }
  if (!name.empty()) {
    name_range(memory, size, name);
  }
  return memory;
}

void World::name_range(const void* address, std::size_t size, std::string_view text) {
  if (!machine_.arena.holds(address)) {
    machine_.refuse("World::name() of something that is not in shared memory: " + std::string(text),
                    nullptr);
  }
  machine_.arena.name(address, size, text);
}

CriticalSection& World::section(std::string_view name, int limit) {
  sections_.push_back(std::make_unique<CriticalSection>(machine_, std::string(name), limit));
  CriticalSection& section = *sections_.back();
  // Whoever is dead is not inside.
  machine_.at_death.emplace_back(
      [&section](Process& process) { section.inside_ &= ~bit(process); });
  return section;
}

Added World::process(std::string name, std::function<void()> body) {
  return {machine_, machine_.scheduler.add(std::move(name), std::move(body)).index};
}

Added& Added::may_die() {
  machine_.scheduler.process(index_).may_die = true;
  return *this;
}

Added& Added::on_signal(std::function<void()> handler) {
  machine_.scheduler.process(index_).handler = std::move(handler);
  return *this;
}

void World::run() {
  machine_.arena.accept_all();
  for (int i = 0; i < machine_.scheduler.count(); ++i) {  // forked, it knows what was before
    machine_.memory.see_everything(machine_.scheduler.process(i));
  }
  machine_.scheduler.run();
  machine_.arena.accept_all();
  machine_.memory.see_everything(machine_.scheduler.self());
}

void World::fail(Verdict verdict, std::string_view sentence, const void* code) {
  std::string text(sentence);
  if (machine_.scheduler.in_process()) {
    text = machine_.scheduler.who() + " finds it untrue that " + text;
  } else {
    text = "in the end it is untrue that " + text;
  }
  machine_.fail(verdict, std::move(text), code);
}

void World::note(std::string text, const void* code) {
  machine_.scheduler.progress();
  machine_.scheduler.record("[" + std::move(text) + "]", nullptr, code);
}

void World::record(std::int64_t value, const void* code) {
  machine_.scheduler.progress();
  machine_.mark("[records " + std::to_string(value) + "]", code);
  recorded_.push_back(value);
}

std::chrono::nanoseconds World::now() const {
  return std::chrono::nanoseconds(machine_.read_clock());
}

int World::pid() const {
  return machine_.pid();
}

void CriticalSection::enter(const void* code) {
  Scheduler& scheduler = machine_.scheduler;
  scheduler.progress();
  inside_ |= bit(scheduler.self());
  const int count = std::popcount(inside_);
  machine_.mark(scheduler.recording() ? "enters " + name_ : "", code,
                count > limit_ ? Tone::kFailed : Tone::kPlain);
  if (count <= limit_) {
    return;
  }
  std::string names;
  for (int i = 0; i < scheduler.count(); ++i) {
    if ((inside_ & bit(scheduler.process(i))) != 0) {
      names += (names.empty() ? "" : " and ") + scheduler.process(i).name;
    }
  }
  machine_.fail(Verdict::kExclusion,
                names + " are inside " + name_ + " at once, and " +
                    (limit_ == 1 ? "only one" : "at most " + std::to_string(limit_)) + " may be",
                nullptr);
}

void CriticalSection::leave(const void* code) {
  machine_.step(code);  // or nobody could come in meanwhile
  inside_ &= ~bit(machine_.scheduler.self());
  machine_.mark(machine_.scheduler.recording() ? "leaves " + name_ : "", code);
  machine_.scheduler.progress();
}

bool CriticalSection::inside() const {
  return (inside_ & bit(machine_.scheduler.self())) != 0;
}

Within::Within(Machine& machine, std::chrono::nanoseconds time, const void* code)
    : machine_(machine), limit_(machine.read_clock() + time.count()), code_(code) {
  machine_.scheduler.self().limit = limit_;
}

Within::~Within() {
  machine_.scheduler.self().limit = -1;
  const std::int64_t late = machine_.scheduler.clock() - limit_;
  if (late > 0) {
    machine_.fail(Verdict::kPastDeadline,
                  machine_.scheduler.who() + " is back " + std::to_string(late / 1'000'000) +
                      " ms after it had to be",
                  code_);
  }
}

void detail::access(const void* address, std::size_t size, bool write, const void* code) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    machine->plain(address, size, write, code);
  }
}

}  // namespace explorer
