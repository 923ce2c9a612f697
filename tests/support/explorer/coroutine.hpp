#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__) && !defined(EXPLORER_UCONTEXT)
#define EXPLORER_UCONTEXT
#endif
#ifdef EXPLORER_UCONTEXT
#include <ucontext.h>
#endif

namespace explorer {

/// One flow of control. A modelled process is a coroutine on a stack of its own: it runs until it
/// hands over to another one, so that the explorer alone decides who is next.
///
/// One that is not resumed is abandoned: its stack is never unwound, no destructor runs. That is
/// what a killed process looks like as well.
class Coroutine {
 public:
  /// The flow of control that makes it (the thread's own stack), until start() is called.
  Coroutine() = default;
  ~Coroutine();
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  /// Gives it a body, which the first transfer to it calls, and which never returns.
  void start(void (*body)());

  /// Leaves `from`, which is the one that runs, and goes on where `to` left off.
  static void transfer(Coroutine& from, Coroutine& to);

  /// Whether an address is on this coroutine's stack.
  [[nodiscard]] bool owns(const void* address) const {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    const auto bottom = reinterpret_cast<std::uintptr_t>(stack_);
    return place >= bottom && place < bottom + kStackSize;
  }

 private:
  static constexpr std::size_t kStackSize =
      256UL * 1024;  // pages that are not touched cost nothing

  static void enter();
  void arrived();

  std::byte* stack_ = nullptr;
  void (*body_)() = nullptr;
  bool fresh_ = false;
  // The C++ runtime keeps the exceptions in flight per thread. Each coroutine needs its own, or
  // one process's catch would end another one's exception.
  std::array<std::byte, 16> exceptions_{};
  // AddressSanitizer has to know which stack is in use.
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* fake_stack_ = nullptr;
#ifdef EXPLORER_UCONTEXT
  ucontext_t context_{};
#else
  void* stack_pointer_ = nullptr;
#endif
};

}  // namespace explorer
