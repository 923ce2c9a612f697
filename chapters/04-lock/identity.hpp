#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

// g++ says it in one way, clang++ in another.
#if defined(__SANITIZE_THREAD__)
#define MP_THREAD_SANITIZER
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MP_THREAD_SANITIZER
#endif
#endif

namespace mp {

/// @cond
namespace detail {

/// A page that fork gives to the child filled with zeros (MADV_WIPEONFORK, madvise(2)).
inline volatile std::uint32_t& wiped_by_fork() {
  static volatile std::uint32_t* const page = [] {
    void* const memory = mmap(nullptr, sizeof(std::uint32_t), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mmap");
    }
    if (madvise(memory, sizeof(std::uint32_t), MADV_WIPEONFORK) == -1) {
      throw std::system_error(errno, std::generic_category(), "madvise(MADV_WIPEONFORK)");
    }
    return static_cast<volatile std::uint32_t*>(memory);
  }();
  return *page;
}

}  // namespace detail
/// @endcond

/// The number of the calling thread, which no other thread of any process has. (Given.)
///
/// gettid(2) is a system call, and a lock that nobody else wants should make none. So the answer is
/// kept, and asked for again after a fork: the page behind wiped_by_fork() is zero then.
inline std::uint32_t thread_id() {
#ifdef MP_THREAD_SANITIZER  // the explorer's processes are all of them in one thread, never forked
  return static_cast<std::uint32_t>(syscall(SYS_gettid));
#else
  struct Known {
    std::uint32_t process = 0;  ///< what wiped_by_fork() held when it was asked
    std::uint32_t thread = 0;
  };
  static thread_local Known known;
  const std::uint32_t process = detail::wiped_by_fork();
  if (process == 0 || known.process != process) {
    known.thread = static_cast<std::uint32_t>(syscall(SYS_gettid));
    if (process == 0) {
      detail::wiped_by_fork() = static_cast<std::uint32_t>(getpid());
    }
    known.process = detail::wiped_by_fork();
  }
  return known.thread;
#endif
}

}  // namespace mp
