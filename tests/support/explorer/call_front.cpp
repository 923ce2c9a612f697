// The system calls of the code under test, as the modelled kernel answers them.
#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <climits>
#include <cstdint>
#include <optional>
#include <string>

#include "support/explorer/front.hpp"
#include "support/explorer/machine.hpp"
#include "support/syscall_names.hpp"

namespace explorer {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// -1 with errno, as the C library has it.
long result_of(int error) {
  if (error == 0) {
    return 0;
  }
  errno = error;
  return -1;
}

/// In ns; no value when the kernel would not have it.
std::optional<std::int64_t> nanoseconds(const timespec& time) {
  if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= kSecond) {
    return std::nullopt;
  }
  // Far enough in the future for "never", and no overflow.
  constexpr std::int64_t kMost = INT64_MAX / kSecond / 4;
  return (time.tv_sec < kMost ? time.tv_sec : kMost) * kSecond + time.tv_nsec;
}

bool is_monotonic(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
         clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

const char* futex_name(int command) {
  constexpr std::array<const char*, 14> kNames{
      "FUTEX_WAIT",           "FUTEX_WAKE",        "FUTEX_FD",          "FUTEX_REQUEUE",
      "FUTEX_CMP_REQUEUE",    "FUTEX_WAKE_OP",     "FUTEX_LOCK_PI",     "FUTEX_UNLOCK_PI",
      "FUTEX_TRYLOCK_PI",     "FUTEX_WAIT_BITSET", "FUTEX_WAKE_BITSET", "FUTEX_WAIT_REQUEUE_PI",
      "FUTEX_CMP_REQUEUE_PI", "FUTEX_LOCK_PI2"};
  return command >= 0 && static_cast<std::size_t>(command) < kNames.size()
             ? kNames[static_cast<std::size_t>(command)]
             : "an unknown operation";
}

struct FutexCall {
  const void* word;
  int operation;
  std::uint32_t value;
  const timespec* timeout;
  std::uint32_t bitset;
};

/// Ends the execution when the call is one that cannot be right, or that is not modelled.
void examine(Machine& machine, const FutexCall& call, const void* caller) {
  const int command = call.operation & FUTEX_CMD_MASK;
  const std::string name = futex_name(command);
  const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
  if (!waits && command != FUTEX_WAKE && command != FUTEX_WAKE_BITSET) {
    machine.refuse("futex(" + name +
                       ") is not modelled: FUTEX_WAIT, FUTEX_WAKE and their _BITSET "
                       "forms are",
                   caller);
  }
  if (!machine.is_shared(call.word)) {
    machine.refuse("futex(" + name +
                       ") on a word that is not in shared memory: no other process "
                       "can change it, or wake whoever sleeps on it",
                   caller);
  }
  if ((call.operation & FUTEX_PRIVATE_FLAG) != 0) {
    machine.fail(
        Verdict::kPrivateFutex,
        "FUTEX_PRIVATE_FLAG in futex(" + name +
            ") on a word that processes share: the "
            "kernel then looks for sleepers of the same process only, and those of others are "
            "never woken",
        caller);
  }
  if ((call.operation & FUTEX_CLOCK_REALTIME) != 0) {
    machine.refuse(
        "FUTEX_CLOCK_REALTIME: a wait that follows the wall clock, which anybody may "
        "set, is not modelled; CLOCK_MONOTONIC is",
        caller);
  }
}

long futex(Machine& machine, const FutexCall& call, const void* caller) {
  examine(machine, call, caller);
  const int command = call.operation & FUTEX_CMD_MASK;
  const bool has_bitset = command == FUTEX_WAIT_BITSET || command == FUTEX_WAKE_BITSET;
  const std::uint32_t bitset = has_bitset ? call.bitset : FUTEX_BITSET_MATCH_ANY;
  if (reinterpret_cast<std::uintptr_t>(call.word) % 4 != 0 || bitset == 0) {
    return result_of(EINVAL);
  }
  if (command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET) {
    return machine.futex_wake(call.word, static_cast<int>(call.value), bitset, caller);
  }
  std::int64_t deadline = -1;
  if (call.timeout != nullptr) {
    const std::optional<std::int64_t> time = nanoseconds(*call.timeout);
    if (!time) {
      return result_of(EINVAL);
    }
    // FUTEX_WAIT is told how long, FUTEX_WAIT_BITSET until when.
    deadline = command == FUTEX_WAIT ? machine.scheduler.clock() + *time : *time;
  }
  return result_of(machine.futex_wait(call.word, call.value, bitset, deadline, caller));
}

}  // namespace

bool running() {
  return Machine::current() != nullptr;
}

long on_syscall(const void* caller, long number, long a, long b, long c, long d, long e, long f) {
  Machine& machine = *Machine::current();
  static_cast<void>(e);
  switch (number) {
    case SYS_futex: {
      const int command = static_cast<int>(b) & FUTEX_CMD_MASK;
      const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
      return futex(
          machine,
          {reinterpret_cast<const void*>(a), static_cast<int>(b), static_cast<std::uint32_t>(c),
           waits ? reinterpret_cast<const timespec*>(d) : nullptr, static_cast<std::uint32_t>(f)},
          caller);
    }
    case SYS_getpid:
    case SYS_gettid:
      return machine.pid();
    case SYS_set_robust_list:
      if (b != static_cast<long>(sizeof(robust_list_head))) {
        return result_of(EINVAL);
      }
      machine.set_robust_list(reinterpret_cast<const void*>(a));
      return 0;
    case SYS_clock_gettime:
      return on_clock_gettime(caller, static_cast<clockid_t>(a), reinterpret_cast<timespec*>(b));
    case SYS_sched_yield:
      return on_sched_yield(caller);
    case SYS_nanosleep:
      return on_nanosleep(caller, reinterpret_cast<const timespec*>(a),
                          reinterpret_cast<timespec*>(b));
    case SYS_clock_nanosleep: {
      const int error =
          on_clock_nanosleep(caller, static_cast<clockid_t>(a), static_cast<int>(b),
                             reinterpret_cast<const timespec*>(c), reinterpret_cast<timespec*>(d));
      return result_of(error);
    }
    default: {
      const std::string_view name = mp::test::syscall_name(number);
      on_other_call(caller, name.empty() ? "number " + std::to_string(number) : std::string(name));
    }
  }
}

int on_clock_gettime(const void* caller, clockid_t clock, timespec* time) {
  Machine& machine = *Machine::current();
  if (!is_monotonic(clock)) {
    machine.refuse("clock " + std::to_string(clock) +
                       " is not modelled: CLOCK_MONOTONIC is, which nobody can set",
                   caller);
  }
  const std::int64_t now = machine.read_clock();
  *time = {now / kSecond, now % kSecond};
  return 0;
}

pid_t on_getpid() {
  return Machine::current()->pid();
}

int on_sched_yield(const void* caller) {
  Machine::current()->yield(caller);
  return 0;
}

int on_nanosleep(const void* caller, const timespec* time, timespec* left) {
  return static_cast<int>(result_of(on_clock_nanosleep(caller, CLOCK_MONOTONIC, 0, time, left)));
}

int on_clock_nanosleep(const void* caller, clockid_t clock, int flags, const timespec* time,
                       timespec* left) {
  Machine& machine = *Machine::current();
  if (!is_monotonic(clock)) {
    machine.refuse("a sleep by a clock other than CLOCK_MONOTONIC is not modelled", caller);
  }
  const std::optional<std::int64_t> given = nanoseconds(*time);
  if (!given) {
    return EINVAL;
  }
  const bool absolute = (flags & TIMER_ABSTIME) != 0;
  const std::int64_t deadline = absolute ? *given : machine.scheduler.clock() + *given;
  if (deadline <= machine.scheduler.clock()) {
    machine.yield(caller);
    return 0;
  }
  const int error = machine.sleep_until(deadline, caller);
  if (error != 0 && left != nullptr && !absolute) {
    const std::int64_t rest = deadline - machine.scheduler.clock();
    *left = {rest / kSecond, rest % kSecond};
  }
  return error;
}

void* on_mmap(const void* caller, void* address, std::size_t size, int protection, int flags,
              int fd, off_t offset) {
  static_cast<void>(fd);
  Machine& machine = *Machine::current();
  if ((flags & MAP_SHARED) == 0 || address != nullptr || offset != 0 ||
      (protection & PROT_WRITE) == 0 || machine.scheduler.in_process()) {
    machine.refuse("mmap() other than of new shared memory by the set-up is not modelled", caller);
  }
  void* const memory = size == 0 ? nullptr : machine.arena.allocate(size, 4096);
  if (memory == nullptr) {
    errno = size == 0 ? EINVAL : ENOMEM;
    return MAP_FAILED;
  }
  return memory;
}

int on_munmap(void* address, std::size_t size) {
  static_cast<void>(address);
  static_cast<void>(size);
  return 0;
}

void on_copy(const void* caller, const void* target, const void* source, std::size_t size) {
  Machine& machine = *Machine::current();
  machine.plain(source, size, false, caller);
  machine.plain(target, size, true, caller);
}

void on_fill(const void* caller, const void* target, std::size_t size) {
  Machine::current()->plain(target, size, true, caller);
}

void on_other_call(const void* caller, std::string_view name) {
  Machine::current()->refuse("the system call " + std::string(name) + "() is not modelled", caller);
}

}  // namespace explorer
