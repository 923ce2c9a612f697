#pragma once

namespace mp::test {

/// Whether this was built with AddressSanitizer: it reserves terabytes of addresses, makes forks
/// slower, reports crashes itself, and cannot look for leaks under ptrace.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace mp::test
