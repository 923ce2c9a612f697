#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

// Whether this is compiled for ThreadSanitizer, or for the explorer. g++ says it in one way,
// clang++ in another.
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

/// A page for one number, which is 0 in a child that was forked (MADV_WIPEONFORK, madvise(2)).
class WipedByFork {
 public:
  WipedByFork()
      : number_(static_cast<volatile std::uint32_t*>(
            mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
    if (number_ == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mmap");
    }
    if (madvise(const_cast<std::uint32_t*>(number_), kSize, MADV_WIPEONFORK) == -1) {
      throw std::system_error(errno, std::generic_category(), "madvise(MADV_WIPEONFORK)");
    }
  }
  ~WipedByFork();
  WipedByFork(const WipedByFork&) = delete;
  WipedByFork& operator=(const WipedByFork&) = delete;

  [[nodiscard]] volatile std::uint32_t* number() const noexcept { return number_; }

 private:
  static constexpr std::size_t kSize = sizeof(std::uint32_t);
  volatile std::uint32_t* number_;
};

/// Where the calling thread's number is kept, once somebody has asked for it.
inline constinit thread_local volatile std::uint32_t* known_thread_id = nullptr;

inline WipedByFork::~WipedByFork() {
  known_thread_id = nullptr;
  munmap(const_cast<std::uint32_t*>(number_), kSize);
}

[[gnu::cold, gnu::noinline]] inline std::uint32_t ask_for_thread_id() {
  static thread_local const WipedByFork page;  // it goes when the thread does
  known_thread_id = page.number();
  const auto number = static_cast<std::uint32_t>(syscall(SYS_gettid));
  *known_thread_id = number;
  return number;
}

}  // namespace detail
/// @endcond

/// The number of the calling thread, which no other thread of any process has. (Given.)
///
/// gettid(2) is a system call, and a lock that nobody else wants should make none. So the answer is
/// kept, on a page that is zero again in a forked child: there it is asked for anew.
/// @throws std::system_error if there is no memory for that page.
inline std::uint32_t thread_id() {
#ifdef MP_THREAD_SANITIZER  // the explorer's processes are all of them in one thread, never forked
  return static_cast<std::uint32_t>(syscall(SYS_gettid));
#else
  const volatile std::uint32_t* const known = detail::known_thread_id;
  if (known != nullptr) {
    if (const std::uint32_t number = *known; number != 0) {
      return number;
    }
  }
  return detail::ask_for_thread_id();
#endif
}

}  // namespace mp
