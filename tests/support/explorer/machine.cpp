#include "support/explorer/machine.hpp"

#include <dlfcn.h>

#include <utility>

#include "support/explorer/hash.hpp"

// With LeakSanitizer: what is allocated between these two is never a leak.
extern "C" void __lsan_disable() __attribute__((weak));
extern "C" void __lsan_enable() __attribute__((weak));

namespace explorer {

namespace {

/// A process that is abandoned half-way never frees what it holds.
class LeaksAllowed {
 public:
  LeaksAllowed() {
    if (__lsan_disable != nullptr) {
      __lsan_disable();
    }
  }
  ~LeaksAllowed() {
    if (__lsan_enable != nullptr) {
      __lsan_enable();
    }
  }
  LeaksAllowed(const LeaksAllowed&) = delete;
  LeaksAllowed& operator=(const LeaksAllowed&) = delete;
};

}  // namespace

Machine* Machine::running = nullptr;
pthread_t Machine::runner{};

Machine::Machine() {
  scheduler.attach({
      .death =
          [this](Process& process) {
            futexes.process_ended(process);
            for (const auto& hook : at_death) {
              hook(process);
            }
          },
      .fingerprint = [this] { return memory.fingerprint() + futexes.fingerprint() + marks_; },
      .woken = [this](Process& process) { futexes.left(process); },
      .on_what = [this](const Process& process) { return futexes.on_what(process); },
      .missed = [this](const Process& process) { return futexes.missed(process); },
      .name =
          [this](Event& event) {
            event.place = arena.offset(event.word);
            event.name = arena.name_of(event.word);
          },
  });
}

Failure Machine::execute(const Limits& limits, const std::function<void()>& setup) {
  arena.reset();
  memory.reset();
  races.reset();
  futexes.reset();
  at_death.clear();
  marks_ = 0;
  unfinished_ = {};
  Machine* const before = std::exchange(running, this);
  runner = pthread_self();
  choices.rewind();
  const LeaksAllowed allowed;
  Failure failure = scheduler.execute(limits, setup);
  running = before;
  return failure;
}

void Machine::step(const void* code) {
  if (!scheduler.in_process()) {
    return;
  }
  finish_record();
  if (const void* const place = arena.find_unannounced(); place != nullptr) {
    scheduler.record("{} has changed", place, code, Tone::kFailed);
    refuse(
        "shared memory (" + name_token(arena.offset(place)) +
            ") was changed by an access that the explorer cannot see: code that was not compiled "
            "for it, inline assembly, a library function; or the test itself, which has to use "
            "World::guarded()",
        code);
  }
  scheduler.point();
}

std::uint64_t Machine::load(const void* address, int size, std::memory_order order,
                            const void* code) {
  step(code);
  return memory.load(address, size, order, code);
}

void Machine::store(void* address, int size, std::uint64_t value, std::memory_order order,
                    const void* code) {
  step(code);
  memory.store(address, size, value, order, code);
}

std::uint64_t Machine::rmw(void* address, int size, Rmw operation, std::uint64_t operand,
                           std::memory_order order, const void* code) {
  step(code);
  return memory.rmw(address, size, operation, operand, order, code);
}

bool Machine::compare_exchange(void* address, int size, std::uint64_t& expected,
                               std::uint64_t desired, std::memory_order success,
                               std::memory_order failure, bool weak, const void* code) {
  step(code);
  return memory.compare_exchange(address, size, expected, desired, success, failure, weak, code);
}

void Machine::fence(std::memory_order order, const void* code) {
  step(code);
  memory.fence(order, code);
}

void Machine::finish_record() {
  if (unfinished_.address != nullptr) {
    const std::uint64_t now = arena.peek(unfinished_.address, unfinished_.size);
    scheduler.mend(unfinished_.event,
                   "{} " + number(unfinished_.before) + " -> " + number(now) + " write");
    unfinished_.address = nullptr;
  }
}

void Machine::plain(const void* address, std::size_t size, bool write, const void* code) {
  if (!is_shared(address)) {
    if (write && scheduler.statics().about_to_write(code, address, size)) {
      scheduler.plain_access(write);
    }
    return;
  }
  finish_record();
  scheduler.plain_access(write);
  races.access(address, size, write, code);
  if (scheduler.recording() && scheduler.in_process()) {
    const int shown = size <= 8 ? static_cast<int>(size) : 0;
    const std::uint64_t value = arena.peek(address, shown);
    if (write) {
      scheduler.record("{} write", address, code);
      if (shown > 0) {
        unfinished_ = {address, shown, value, scheduler.last_event()};
      }
    } else {
      scheduler.record(shown > 0 ? "{} = " + number(value) + " read" : "{} read", address, code);
    }
  }
  if (write) {
    arena.expect_write(address, size);
  }
}

void Machine::private_atomic(const void* address, std::size_t size, bool write, const void* code) {
  if (address != known_private_) {
    known_private_ = address;
    // The library keeps the number of those who wait in a static variable: of the process, so that
    // no other process ever sees it.
    Dl_info info{};
    if (dladdr(address, &info) != 0 && info.dli_sname != nullptr &&
        std::string_view(info.dli_sname).find("__waiter_pool") != std::string_view::npos) {
      known_private_ = nullptr;
      refuse(
          "std::atomic::wait, notify_one and notify_all work between the threads of one process "
          "only: the library counts who waits in a variable that other processes do not see",
          code);
    }
  }
  if (write) {
    plain(address, size, true, code);
  }
}

int Machine::futex_wait(const void* address, std::uint32_t expected, std::uint32_t bitset,
                        std::int64_t deadline, const void* code) {
  step(code);
  return futexes.wait(address, expected, bitset, deadline, code);
}

int Machine::futex_wake(const void* address, int count, std::uint32_t bitset, const void* code) {
  step(code);
  return futexes.wake(address, count, bitset, code);
}

int Machine::sleep_until(std::int64_t deadline, const void* code) {
  step(code);
  return futexes.sleep_until(deadline, code);
}

void Machine::yield(const void* code) {
  scheduler.record("yields", nullptr, code);
  scheduler.yield();
}

std::int64_t Machine::read_clock() {
  scheduler.count_idle();
  scheduler.remember(static_cast<std::uint64_t>(scheduler.clock()));
  return scheduler.clock();
}

int Machine::pid() {
  return pid_of(scheduler.self().index);
}

void Machine::set_robust_list(const void* head) {
  scheduler.self().robust_list = head;
}

void Machine::mark(std::string text, const void* code, Tone tone) {
  finish_record();
  scheduler.record(std::move(text), nullptr, code, tone);
  scheduler.remember(marks_);
  marks_ = mix(marks_, scheduler.self().history);
}

void Machine::refuse(const std::string& what, const void* code) {
  fail(Verdict::kRefused, what, code);
}

void Machine::fail(Verdict verdict, std::string sentence, const void* code) {
  if (code != nullptr) {
    scheduler.record(words(verdict), nullptr, code, Tone::kFailed);
  }
  scheduler.fail(verdict, std::move(sentence));
}

}  // namespace explorer
