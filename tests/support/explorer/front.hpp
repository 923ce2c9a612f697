#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <string_view>

/// What the linker's --wrap functions ask before they do anything else. While an exploration is
/// under way on this thread, running() is true, and the call belongs to the modelled machine: it is
/// handed to the function below that fits, whose result and errno are the call's. What fits nowhere
/// is refused by its name.
///
/// `caller` is the return address of the wrapper, from which the report finds the source line.
namespace explorer {

/// Whether an exploration is under way on this thread: the set-up, a process, or what comes after.
bool running();

/// syscall(2), of any number.
long on_syscall(const void* caller, long number, long a, long b, long c, long d, long e, long f);

int on_clock_gettime(const void* caller, clockid_t clock, timespec* time);
pid_t on_getpid();
int on_sched_yield(const void* caller);
/// nanosleep(2), and usleep(3) in its clothes.
int on_nanosleep(const void* caller, const timespec* time, timespec* left);
int on_clock_nanosleep(const void* caller, clockid_t clock, int flags, const timespec* time,
                       timespec* left);

/// mmap(2) with MAP_SHARED in the set-up is memory that the processes share. Nothing else is
/// modelled: a file's contents are zeros. munmap(2) does nothing.
void* on_mmap(const void* caller, void* address, std::size_t size, int protection, int flags,
              int fd, off_t offset);
int on_munmap(void* address, std::size_t size);

/// memcpy(3), memmove(3), memset(3): the accesses, before they happen. The wrapper then calls the
/// real function.
void on_copy(const void* caller, const void* target, const void* source, std::size_t size);
void on_fill(const void* caller, const void* target, std::size_t size);

/// Every other call.
[[noreturn]] void on_other_call(const void* caller, std::string_view name);

}  // namespace explorer
