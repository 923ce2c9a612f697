#pragma once

#include <sys/types.h>

#include <cstddef>

namespace mp {

/// The number of the calling process, asked of the kernel itself.
/// @return the process id; this call cannot fail.
/// @see getpid(2), syscall(2). Python: `os.getpid()`.
///
/// ### Implementation
/// `syscall(2)` takes the number of a call (`SYS_getpid`, from `<sys/syscall.h>`) and then the
/// call's own arguments. Do not call `getpid`: the exercise is what `getpid` does.
pid_t raw_getpid();

/// Writes up to `size` bytes to a descriptor, in one call, and reports what the kernel said.
/// @param fd    an open descriptor.
/// @param data  the first byte to write; the memory stays the caller's.
/// @param size  how many bytes.
/// @return the number of bytes written, which may be fewer than `size`; or -1, and then `errno`
///         says why (EBADF, EPIPE, EINTR, …). Nothing is retried and nothing is thrown.
/// @see write(2), syscall(2). Python: `os.write()`.
///
/// ### Implementation
/// One call of `syscall(2)`. It already does the one thing that a raw call does not: a result
/// between -4095 and -1 is an error number, which it moves to `errno` before it returns -1.
ssize_t raw_write(int fd, const void* data, std::size_t size);

}  // namespace mp
