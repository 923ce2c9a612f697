#include "support/explorer/coroutine.hpp"

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define EXPLORER_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXPLORER_ASAN
#endif
#endif
#ifdef EXPLORER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace explorer {

namespace {

constexpr std::size_t kGuard = 4096;  // a page below each stack, so that an overflow is a crash

Coroutine* coming_from = nullptr;
Coroutine* going_to = nullptr;

std::byte* new_stack(std::size_t size) {
  void* const memory = mmap(nullptr, kGuard + size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::bad_alloc();
  }
  mprotect(memory, kGuard, PROT_NONE);
  return static_cast<std::byte*>(memory) + kGuard;
}

}  // namespace

#ifndef EXPLORER_UCONTEXT
// Saves what a function has to preserve, swaps the stacks, and returns on the other one. Three
// times as fast as swapcontext(3), which asks the kernel for the signal mask.
extern "C" void explorer_switch(void** save, void* load);
asm(R"(
  .text
  .globl explorer_switch
  .hidden explorer_switch
  .type explorer_switch, @function
explorer_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size explorer_switch, . - explorer_switch
)");
#endif

Coroutine::~Coroutine() {
  if (stack_ != nullptr) {
    munmap(stack_ - kGuard, kGuard + kStackSize);
  }
}

void Coroutine::start(void (*body)()) {
  if (stack_ == nullptr) {
    stack_ = new_stack(kStackSize);
  }
#ifdef EXPLORER_ASAN
  __asan_unpoison_memory_region(stack_, kStackSize);  // left by one that was abandoned half-way
#endif
  body_ = body;
  fresh_ = true;
  exceptions_ = {};
  bottom_ = stack_;
  size_ = kStackSize;
  fake_stack_ = nullptr;
#ifdef EXPLORER_UCONTEXT
  getcontext(&context_);
  context_.uc_stack = {stack_, 0, kStackSize};
  context_.uc_link = nullptr;
  makecontext(&context_, &Coroutine::enter, 0);
#else
  // As explorer_switch() leaves a stack: six registers, and the address to return to. The word
  // above is the return address that enter() would find, were it to return.
  auto* top = reinterpret_cast<void**>(stack_ + kStackSize) - 3;
  *top = nullptr;
  *--top = reinterpret_cast<void*>(&Coroutine::enter);
  for (int i = 0; i < 6; ++i) {
    *--top = nullptr;
  }
  stack_pointer_ = top;
#endif
}

void Coroutine::enter() {
  Coroutine& self = *going_to;
  self.arrived();
  self.body_();
  std::abort();  // a body never returns
}

void Coroutine::arrived() {
#ifdef EXPLORER_ASAN
  // The very first time it tells the bounds of the stack that was left: the thread's own.
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(fresh_ ? nullptr : fake_stack_, &bottom, &size);
  if (coming_from->bottom_ == nullptr) {
    coming_from->bottom_ = bottom;
    coming_from->size_ = size;
  }
#endif
  fresh_ = false;
}

void Coroutine::transfer(Coroutine& from, Coroutine& to) {
  auto* const globals = reinterpret_cast<void*>(__cxxabiv1::__cxa_get_globals());
  std::memcpy(from.exceptions_.data(), globals, from.exceptions_.size());
  std::memcpy(globals, to.exceptions_.data(), to.exceptions_.size());
  coming_from = &from;
  going_to = &to;
#ifdef EXPLORER_ASAN
  __sanitizer_start_switch_fiber(&from.fake_stack_, to.bottom_, to.size_);
#endif
#ifdef EXPLORER_UCONTEXT
  swapcontext(&from.context_, &to.context_);
#else
  explorer_switch(&from.stack_pointer_, to.stack_pointer_);
#endif
  from.arrived();
}

}  // namespace explorer
