#pragma once

#include <atomic>
#include <cstdint>

#include "00-syscalls/deadline.hpp"

namespace mp {

/// A word in shared memory on which processes can sleep. The kernel knows it by the memory that it
/// is in, not by its address: processes may have it mapped at different places.
using FutexWord = std::atomic<std::uint32_t>;

/// Why futex_wait() has returned.
enum class Wake {
  kWoken,     ///< by futex_wake(), or by nobody: look at the word again
  kChanged,   ///< the word was not what was expected, and nobody slept
  kTimedOut,  ///< the deadline has passed
};

/// Sleeps, as long as the word is `expected`. The kernel compares and goes to sleep in one step, so
/// a change followed by futex_wake() is never missed.
/// @param word      in memory that the processes share.
/// @param expected  what the caller has seen in it.
/// @param deadline  when to give up. One that has passed still compares, and does not sleep.
/// @return why it is over. kWoken is a hint, never a promise.
/// @throws std::system_error naming "futex(FUTEX_WAIT_BITSET)" for everything but EAGAIN, EINTR and
///         ETIMEDOUT. A signal (EINTR) does not end the wait.
/// @see futex(2). Python has none: its locks are POSIX semaphores, which are made of this.
///
/// ### Implementation
/// `FUTEX_WAIT_BITSET` with `FUTEX_BITSET_MATCH_ANY` takes the moment at which to give up, on the
/// monotonic clock; `FUTEX_WAIT` takes a time from now, and a signal would stretch it. No
/// `FUTEX_PRIVATE_FLAG`: with it, the kernel goes by the address, and two processes sleep on two
/// different words.
Wake futex_wait(const FutexWord& word, std::uint32_t expected, Deadline deadline);

/// Wakes some of those who sleep on the word.
/// @param word   in memory that the processes share.
/// @param count  how many at most, at least 1; INT_MAX for all.
/// @return how many were woken.
/// @throws std::system_error naming "futex(FUTEX_WAKE)".
/// @see futex(2).
int futex_wake(const FutexWord& word, int count);

}  // namespace mp
