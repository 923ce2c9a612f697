#pragma once

#include <cerrno>
#include <concepts>
#include <string_view>

namespace mp {

/// Throws the error that the last failed system call left in `errno`.
/// @param call  the call that failed, with its arguments of interest, such as
///              "open /etc/motd"; it begins the text of the exception.
/// @throws std::system_error always: its code is `errno` as it was on entry (category
///         `std::generic_category`), and its text is `call`, a colon, and the error's text.
/// @see errno(3), strerror(3). Python: `OSError`.
///
/// ### Implementation
/// Read `errno` before anything else: making a string may allocate, and whatever allocates may
/// change `errno`.
[[noreturn]] void throw_errno(std::string_view call);

/// The result of a system call, or an exception in its place.
/// @param result  what the call returned.
/// @param call    the call, as for throw_errno(). Have the text ready before the call is made:
///                in `check(open(path, flags), "open " + path)` it may be put together after
///                `open` has failed, and change `errno`.
/// @return `result`, when it is anything but -1.
/// @throws std::system_error when `result` is -1, as throw_errno() does.
///
/// ### Implementation
/// Only -1 means failure. 0 is a result (end of file, the child's side of `fork`), and so are
/// other negative numbers (`fcntl(F_GETOWN)` of a process group).
long long check_result(long long result, std::string_view call);

/// check_result() for any type of result: `int fd = mp::check(open(path, O_RDONLY), "open");`
template <std::signed_integral T>
T check(T result, std::string_view call) {
  return static_cast<T>(check_result(result, call));
}

/// Makes a system call again for as long as a signal interrupts it.
/// @param call  a function that makes one system call and returns its result.
/// @return the first result that is not "-1 with `errno` EINTR". For calls that do not wait
///         against a clock; for those that do see poll_until(). Not for close(2), whose
///         descriptor is gone after EINTR too.
/// @see signal(7). Python: PEP 475.
template <class F>
auto retry(F call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) {
      return result;
    }
  }
}

}  // namespace mp
