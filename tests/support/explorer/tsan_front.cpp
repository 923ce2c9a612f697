// What code compiled with -fsanitize=thread calls. ThreadSanitizer's own runtime is not linked: its
// place is here. Every atomic operation arrives with its memory order, and every access to plain
// memory is announced before it happens.
//
// Memory that is not shared in the world belongs to one process: there the operation is simply
// done. So is everything while no exploration is under way.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "support/explorer/machine.hpp"

namespace {

using explorer::Machine;
using explorer::Rmw;

/// The machine, if it is its memory.
Machine* machine_for(const volatile void* address) {
  Machine* const machine = Machine::current();
  return machine != nullptr && machine->is_shared(const_cast<const void*>(address)) ? machine
                                                                                    : nullptr;
}

/// An operation that the model has no part in, though it has something to say to a few.
void private_atomic(const volatile void* address, std::size_t size, bool write, const void* code) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    machine->private_atomic(const_cast<const void*>(address), size, write, code);
  }
}

void access(const void* address, std::size_t size, bool write, const void* code) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    machine->plain(address, size, write, code);
  }
}

/// The compiler passes the orders as in C++11, consume included, and may add bits of its own.
std::memory_order order_of(int order) {
  return static_cast<std::memory_order>(order & 7);
}

template <class T>
T load(const volatile T* address, int order, const void* code) {
  if (Machine* const machine = machine_for(address); machine != nullptr) {
    return static_cast<T>(
        machine->load(const_cast<const T*>(address), sizeof(T), order_of(order), code));
  }
  private_atomic(address, sizeof(T), false, code);
  return __atomic_load_n(address, __ATOMIC_SEQ_CST);
}

template <class T>
void store(volatile T* address, T value, int order, const void* code) {
  if (Machine* const machine = machine_for(address); machine != nullptr) {
    machine->store(const_cast<T*>(address), sizeof(T), value, order_of(order), code);
    return;
  }
  private_atomic(address, sizeof(T), true, code);
  __atomic_store_n(address, value, __ATOMIC_SEQ_CST);
}

template <class T>
T rmw(volatile T* address, Rmw operation, T operand, int order, const void* code) {
  if (Machine* const machine = machine_for(address); machine != nullptr) {
    return static_cast<T>(machine->rmw(const_cast<T*>(address), sizeof(T), operation, operand,
                                       order_of(order), code));
  }
  private_atomic(address, sizeof(T), true, code);
  switch (operation) {
    case Rmw::kExchange:
      return __atomic_exchange_n(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kAdd:
      return __atomic_fetch_add(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kSub:
      return __atomic_fetch_sub(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kAnd:
      return __atomic_fetch_and(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kOr:
      return __atomic_fetch_or(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kXor:
      return __atomic_fetch_xor(address, operand, __ATOMIC_SEQ_CST);
    case Rmw::kNand:
      return __atomic_fetch_nand(address, operand, __ATOMIC_SEQ_CST);
  }
  return 0;
}

template <class T>
bool compare_exchange(volatile T* address, T* expected, T desired, int success, int failure,
                      bool weak, const void* code) {
  if (Machine* const machine = machine_for(address); machine != nullptr) {
    std::uint64_t value = *expected;
    const bool swapped =
        machine->compare_exchange(const_cast<T*>(address), sizeof(T), value, desired,
                                  order_of(success), order_of(failure), weak, code);
    if (!swapped) {
      *expected = static_cast<T>(value);
    }
    return swapped;
  }
  private_atomic(address, sizeof(T), true, code);
  return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

[[noreturn]] void refuse_wide(const void* code) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    machine->refuse("an atomic of 16 bytes: words of up to 8 are modelled", code);
  }
  __builtin_trap();
}

}  // namespace

// The names are the compilers'. One macro for each family: here nothing else serves, since a name
// is to be made.
// NOLINTBEGIN
#define HERE __builtin_return_address(0)

extern "C" {

void __tsan_init() {}

void __tsan_func_entry(void* caller) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    explorer::Process& self = machine->scheduler.self();
    if (self.depth < explorer::Process::kMaxDepth) {
      self.calls[self.depth] = caller;
    }
    ++self.depth;
  }
}

void __tsan_func_exit() {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    explorer::Process& self = machine->scheduler.self();
    self.depth -= self.depth > 0 ? 1 : 0;
  }
}

void __tsan_vptr_read(void** object) {
  access(object, sizeof(void*), false, HERE);
}
void __tsan_vptr_update(void** object, void*) {
  access(object, sizeof(void*), true, HERE);
}
void __tsan_read_range(void* address, unsigned long size) {
  access(address, size, false, HERE);
}
void __tsan_write_range(void* address, unsigned long size) {
  access(address, size, true, HERE);
}

#define EXPLORER_PLAIN(SIZE)                            \
  void __tsan_read##SIZE(void* a) {                     \
    access(a, SIZE, false, HERE);                       \
  }                                                     \
  void __tsan_write##SIZE(void* a) {                    \
    access(a, SIZE, true, HERE);                        \
  }                                                     \
  void __tsan_unaligned_read##SIZE(void* a) {           \
    access(a, SIZE, false, HERE);                       \
  }                                                     \
  void __tsan_unaligned_write##SIZE(void* a) {          \
    access(a, SIZE, true, HERE);                        \
  }                                                     \
  void __tsan_volatile_read##SIZE(void* a) {            \
    access(a, SIZE, false, HERE);                       \
  }                                                     \
  void __tsan_volatile_write##SIZE(void* a) {           \
    access(a, SIZE, true, HERE);                        \
  }                                                     \
  void __tsan_unaligned_volatile_read##SIZE(void* a) {  \
    access(a, SIZE, false, HERE);                       \
  }                                                     \
  void __tsan_unaligned_volatile_write##SIZE(void* a) { \
    access(a, SIZE, true, HERE);                        \
  }
EXPLORER_PLAIN(1)
EXPLORER_PLAIN(2)
EXPLORER_PLAIN(4)
EXPLORER_PLAIN(8)
EXPLORER_PLAIN(16)

#define EXPLORER_RMW(BITS, T, NAME, OPERATION)                        \
  T __tsan_atomic##BITS##_##NAME(volatile T* a, T value, int order) { \
    return rmw<T>(a, OPERATION, value, order, HERE);                  \
  }
#define EXPLORER_ATOMIC(BITS, T)                                                                  \
  T __tsan_atomic##BITS##_load(const volatile T* a, int order) {                                  \
    return load<T>(a, order, HERE);                                                               \
  }                                                                                               \
  void __tsan_atomic##BITS##_store(volatile T* a, T value, int order) {                           \
    store<T>(a, value, order, HERE);                                                              \
  }                                                                                               \
  EXPLORER_RMW(BITS, T, exchange, Rmw::kExchange)                                                 \
  EXPLORER_RMW(BITS, T, fetch_add, Rmw::kAdd)                                                     \
  EXPLORER_RMW(BITS, T, fetch_sub, Rmw::kSub)                                                     \
  EXPLORER_RMW(BITS, T, fetch_and, Rmw::kAnd)                                                     \
  EXPLORER_RMW(BITS, T, fetch_or, Rmw::kOr)                                                       \
  EXPLORER_RMW(BITS, T, fetch_xor, Rmw::kXor)                                                     \
  EXPLORER_RMW(BITS, T, fetch_nand, Rmw::kNand)                                                   \
  bool __tsan_atomic##BITS##_compare_exchange_strong(volatile T* a, T* expected, T desired,       \
                                                     int success, int failure) {                  \
    return compare_exchange<T>(a, expected, desired, success, failure, false, HERE);              \
  }                                                                                               \
  bool __tsan_atomic##BITS##_compare_exchange_weak(volatile T* a, T* expected, T desired,         \
                                                   int success, int failure) {                    \
    return compare_exchange<T>(a, expected, desired, success, failure, true, HERE);               \
  }                                                                                               \
  /* clang has this one for both, so that a weak one never fails without a reason */              \
  T __tsan_atomic##BITS##_compare_exchange_val(volatile T* a, T expected, T desired, int success, \
                                               int failure) {                                     \
    compare_exchange<T>(a, &expected, desired, success, failure, false, HERE);                    \
    return expected;                                                                              \
  }
EXPLORER_ATOMIC(8, std::uint8_t)
EXPLORER_ATOMIC(16, std::uint16_t)
EXPLORER_ATOMIC(32, std::uint32_t)
EXPLORER_ATOMIC(64, std::uint64_t)

#define EXPLORER_WIDE(NAME)        \
  void __tsan_atomic128_##NAME() { \
    refuse_wide(HERE);             \
  }
EXPLORER_WIDE(load)
EXPLORER_WIDE(store)
EXPLORER_WIDE(exchange)
EXPLORER_WIDE(fetch_add)
EXPLORER_WIDE(fetch_sub)
EXPLORER_WIDE(fetch_and)
EXPLORER_WIDE(fetch_or)
EXPLORER_WIDE(fetch_xor)
EXPLORER_WIDE(fetch_nand)
EXPLORER_WIDE(compare_exchange_strong)
EXPLORER_WIDE(compare_exchange_weak)
EXPLORER_WIDE(compare_exchange_val)

void __tsan_atomic_thread_fence(int order) {
  if (Machine* const machine = Machine::current(); machine != nullptr) {
    machine->fence(order_of(order), HERE);
    return;
  }
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int) {}

// Newer compilers announce these themselves.
void* __tsan_memcpy(void* target, const void* source, std::size_t size) {
  access(source, size, false, HERE);
  access(target, size, true, HERE);
  return __builtin_memcpy(target, source, size);
}
void* __tsan_memmove(void* target, const void* source, std::size_t size) {
  access(source, size, false, HERE);
  access(target, size, true, HERE);
  return __builtin_memmove(target, source, size);
}
void* __tsan_memset(void* target, int value, std::size_t size) {
  access(target, size, true, HERE);
  return __builtin_memset(target, value, size);
}

}  // extern "C"
// NOLINTEND
