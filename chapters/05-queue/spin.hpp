#pragma once

namespace mp {

/// How often to look again, awake, before going to sleep: a few microseconds in all, which is less
/// than going to sleep and being woken takes.
inline constexpr int kSpins = 8;

/// A pause between two such looks, of a few hundred nanoseconds. A look pulls the cache line away
/// from the processor that is about to write it, so looking all the time holds up what it waits
/// for; and after a pause there is more than one thing to do.
inline void cpu_relax() noexcept {
  for (int i = 0; i < 32; ++i) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
}

}  // namespace mp
