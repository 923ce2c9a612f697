// The other side of the linker's --wrap: in a grader's module every call of `read` is a call of
// `__wrap_read`, which is here. This file is not linked with --wrap, so its own calls are real.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <type_traits>
#include <vector>

#include "support/explorer/front.hpp"
#include "support/staging.hpp"
#include "support/syscall_names.hpp"

namespace {

using mp::test::Call;
using mp::test::staging::Decision;
namespace staging = mp::test::staging;

template <class T>
long number(T value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}

/// Stages one call: `real` gets the decision's byte limit and makes the call. The explorer knows no
/// such call, and refuses it; whose call it is can be seen only if this is a part of the wrapper.
template <class Real, class... Args>
[[gnu::always_inline]] inline auto stage(std::string_view name, Real real, Args... args)
    -> decltype(real(std::size_t{})) {
  if (explorer::running()) {
    explorer::on_other_call(__builtin_return_address(0), name);
  }
  const Call call{name, {number(args)...}};
  const Decision decision = staging::enter(call);
  if (decision.error != 0) {
    return -1;
  }
  const auto result = real(decision.limit);
  staging::leave(call);
  return result;
}

std::size_t clip(std::size_t size, std::size_t limit) {
  return std::min(size, limit);
}

/// A scatter list cut down to `limit` bytes.
struct Clipped {
  Clipped(const iovec* list, std::size_t count, std::size_t limit) {
    for (std::size_t i = 0; i < count && limit > 0; ++i) {
      iovec part = list[i];
      part.iov_len = std::min(part.iov_len, limit);
      limit -= part.iov_len;
      parts.push_back(part);
    }
  }
  std::vector<iovec> parts;
};

timespec shifted(timespec time, std::chrono::nanoseconds by) {
  const auto sum = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec) + by;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(sum);
  time.tv_sec = seconds.count();
  time.tv_nsec = (sum - seconds).count();
  return time;
}

}  // namespace

extern "C" {

ssize_t __wrap_read(int fd, void* data, size_t size) {
  return stage(
      "read", [=](size_t limit) { return read(fd, data, clip(size, limit)); }, fd, data, size);
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  return stage(
      "write", [=](size_t limit) { return write(fd, data, clip(size, limit)); }, fd, data, size);
}

ssize_t __wrap_readv(int fd, const iovec* list, int count) {
  return stage(
      "readv",
      [=](size_t limit) {
        const Clipped cut(list, static_cast<size_t>(count), limit);
        return readv(fd, cut.parts.data(), static_cast<int>(cut.parts.size()));
      },
      fd, list, count);
}

ssize_t __wrap_writev(int fd, const iovec* list, int count) {
  return stage(
      "writev",
      [=](size_t limit) {
        const Clipped cut(list, static_cast<size_t>(count), limit);
        return writev(fd, cut.parts.data(), static_cast<int>(cut.parts.size()));
      },
      fd, list, count);
}

ssize_t __wrap_recv(int fd, void* data, size_t size, int flags) {
  return stage(
      "recv", [=](size_t limit) { return recv(fd, data, clip(size, limit), flags); }, fd, data,
      size, flags);
}

ssize_t __wrap_recvfrom(int fd, void* data, size_t size, int flags, sockaddr* from,
                        socklen_t* from_size) {
  return stage(
      "recvfrom",
      [=](size_t limit) { return recvfrom(fd, data, clip(size, limit), flags, from, from_size); },
      fd, data, size, flags, from, from_size);
}

ssize_t __wrap_send(int fd, const void* data, size_t size, int flags) {
  return stage(
      "send", [=](size_t limit) { return send(fd, data, clip(size, limit), flags); }, fd, data,
      size, flags);
}

ssize_t __wrap_sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to,
                      socklen_t to_size) {
  return stage(
      "sendto",
      [=](size_t limit) { return sendto(fd, data, clip(size, limit), flags, to, to_size); }, fd,
      data, size, flags, to, to_size);
}

ssize_t __wrap_recvmsg(int fd, msghdr* message, int flags) {
  return stage(
      "recvmsg",
      [=](size_t limit) {
        Clipped cut(message->msg_iov, message->msg_iovlen, limit);
        iovec* const list = message->msg_iov;
        const auto count = message->msg_iovlen;
        message->msg_iov = cut.parts.data();
        message->msg_iovlen = cut.parts.size();
        const ssize_t result = recvmsg(fd, message, flags);
        message->msg_iov = list;
        message->msg_iovlen = count;
        return result;
      },
      fd, message, flags);
}

ssize_t __wrap_sendmsg(int fd, const msghdr* message, int flags) {
  return stage(
      "sendmsg",
      [=](size_t limit) {
        Clipped cut(message->msg_iov, message->msg_iovlen, limit);
        msghdr shorter = *message;
        shorter.msg_iov = cut.parts.data();
        shorter.msg_iovlen = cut.parts.size();
        return sendmsg(fd, &shorter, flags);
      },
      fd, message, flags);
}

int __wrap_shutdown(int fd, int how) {
  return stage(
      "shutdown", [=](size_t) { return shutdown(fd, how); }, fd, how);
}

int __wrap_dup(int fd) {
  return stage(
      "dup", [=](size_t) { return dup(fd); }, fd);
}

int __wrap_dup2(int fd, int wanted) {
  return stage(
      "dup2", [=](size_t) { return dup2(fd, wanted); }, fd, wanted);
}

int __wrap_dup3(int fd, int wanted, int flags) {
  return stage(
      "dup3", [=](size_t) { return dup3(fd, wanted, flags); }, fd, wanted, flags);
}

// Its third argument, where there is one, is an int or a pointer: a register is passed on.
int __wrap_fcntl(int fd, int command, long argument) {
  return stage(
      "fcntl", [=](size_t) { return fcntl(fd, command, argument); }, fd, command, argument);
}

int __wrap_close(int fd) {
  return stage(
      "close", [=](size_t) { return close(fd); }, fd);
}

int __wrap_poll(pollfd* fds, nfds_t count, int timeout) {
  return stage(
      "poll", [=](size_t) { return poll(fds, count, timeout); }, fds, count, timeout);
}

int __wrap_ppoll(pollfd* fds, nfds_t count, const timespec* timeout, const sigset_t* mask) {
  return stage(
      "ppoll", [=](size_t) { return ppoll(fds, count, timeout, mask); }, fds, count, timeout, mask);
}

pid_t __wrap_fork() {
  return stage("fork", [](size_t) { return fork(); });
}

// Under a name that is not in section 2: whoever calls syscall(SYS_getpid) can be told from this.
pid_t __wrap_getpid() {
  if (explorer::running()) {
    return explorer::on_getpid();
  }
  return stage("getpid(libc)", [](size_t) { return getpid(); });
}

pid_t __wrap_gettid() {
  if (explorer::running()) {
    return explorer::on_getpid();
  }
  return stage("gettid", [](size_t) { return gettid(); });
}

int __wrap_sched_yield() {
  if (explorer::running()) {
    return explorer::on_sched_yield(__builtin_return_address(0));
  }
  return stage("sched_yield", [](size_t) { return sched_yield(); });
}

int __wrap_nanosleep(const timespec* time, timespec* left) {
  if (explorer::running()) {
    return explorer::on_nanosleep(__builtin_return_address(0), time, left);
  }
  return stage(
      "nanosleep", [=](size_t) { return nanosleep(time, left); }, time, left);
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  if (explorer::running()) {
    return explorer::on_clock_nanosleep(__builtin_return_address(0), clock, flags, time, left);
  }
  return stage(
      "clock_nanosleep", [=](size_t) { return clock_nanosleep(clock, flags, time, left); }, clock,
      flags, time, left);
}

int __wrap_usleep(useconds_t microseconds) {
  if (explorer::running()) {
    const timespec time{microseconds / 1'000'000,
                        static_cast<long>(microseconds % 1'000'000) * 1000};
    return explorer::on_nanosleep(__builtin_return_address(0), &time, nullptr);
  }
  return stage(
      "usleep", [=](size_t) { return usleep(microseconds); }, microseconds);
}

void* __wrap_mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (explorer::running()) {
    return explorer::on_mmap(__builtin_return_address(0), address, size, protection, flags, fd,
                             offset);
  }
  const Call call{"mmap", {number(address), number(size), protection, flags, fd, offset}};
  if (staging::enter(call).error != 0) {
    return MAP_FAILED;
  }
  void* const result = mmap(address, size, protection, flags, fd, offset);
  staging::leave(call);
  return result;
}

int __wrap_munmap(void* address, size_t size) {
  if (explorer::running()) {
    return explorer::on_munmap(address, size);
  }
  return stage(
      "munmap", [=](size_t) { return munmap(address, size); }, address, size);
}

int __wrap_memfd_create(const char* name, unsigned flags) {
  return stage(
      "memfd_create", [=](size_t) { return memfd_create(name, flags); }, name, flags);
}

int __wrap_ftruncate(int fd, off_t size) {
  return stage(
      "ftruncate", [=](size_t) { return ftruncate(fd, size); }, fd, size);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t size) {
  return stage(
      "fallocate", [=](size_t) { return fallocate(fd, mode, offset, size); }, fd, mode, offset,
      size);
}

// It returns the error, and leaves errno alone.
int __wrap_posix_fallocate(int fd, off_t offset, off_t size) {
  if (explorer::running()) {
    explorer::on_other_call(__builtin_return_address(0), "posix_fallocate");
  }
  const Call call{"posix_fallocate", {fd, offset, size}};
  const int before = errno;
  if (const int error = staging::enter(call).error; error != 0) {
    errno = before;
    return error;
  }
  const int result = posix_fallocate(fd, offset, size);
  staging::leave(call);
  return result;
}

int __wrap_fstat(int fd, struct stat* status) {
  return stage(
      "fstat", [=](size_t) { return fstat(fd, status); }, fd, status);
}

// Not staged: only the explorer has to know of these, which touch memory for the code under test.
void* __wrap_memcpy(void* target, const void* source, size_t size) {
  if (explorer::running()) {
    explorer::on_copy(__builtin_return_address(0), target, source, size);
  }
  return memcpy(target, source, size);
}

void* __wrap_memmove(void* target, const void* source, size_t size) {
  if (explorer::running()) {
    explorer::on_copy(__builtin_return_address(0), target, source, size);
  }
  return memmove(target, source, size);
}

void* __wrap_memset(void* target, int value, size_t size) {
  if (explorer::running()) {
    explorer::on_fill(__builtin_return_address(0), target, size);
  }
  return memset(target, value, size);
}

int __wrap_waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  return stage(
      "waitid", [=](size_t) { return waitid(type, id, info, options); }, type, id, info, options);
}

pid_t __wrap_waitpid(pid_t pid, int* status, int options) {
  return stage(
      "waitpid", [=](size_t) { return waitpid(pid, status, options); }, pid, status, options);
}

pid_t __wrap_wait4(pid_t pid, int* status, int options, rusage* usage) {
  return stage(
      "wait4", [=](size_t) { return wait4(pid, status, options, usage); }, pid, status, options,
      usage);
}

pid_t __wrap_wait(int* status) {
  return stage(
      "wait", [=](size_t) { return wait(status); }, status);
}

int __wrap_kill(pid_t pid, int signum) {
  return stage(
      "kill", [=](size_t) { return kill(pid, signum); }, pid, signum);
}

int __wrap_pipe2(int* ends, int flags) {
  return stage(
      "pipe2", [=](size_t) { return pipe2(ends, flags); }, ends, flags);
}

int __wrap_pipe(int* ends) {
  return stage(
      "pipe", [=](size_t) { return pipe(ends); }, ends);
}

int __wrap_socketpair(int domain, int type, int protocol, int* ends) {
  return stage(
      "socketpair", [=](size_t) { return socketpair(domain, type, protocol, ends); }, domain, type,
      protocol, ends);
}

int __wrap_eventfd(unsigned value, int flags) {
  return stage(
      "eventfd", [=](size_t) { return eventfd(value, flags); }, value, flags);
}

int __wrap_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  return stage(
      "prctl", [=](size_t) { return prctl(option, a, b, c, d); }, option, a, b, c, d);
}

int __wrap_clock_gettime(clockid_t clock, timespec* time) {
  if (explorer::running()) {
    return explorer::on_clock_gettime(__builtin_return_address(0), clock, time);
  }
  const int result = stage(
      "clock_gettime", [=](size_t) { return clock_gettime(clock, time); }, clock, time);
  if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
                      clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME)) {
    *time = shifted(*time, staging::clock_offset());
  } else if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    *time = shifted(*time, staging::wall_offset());
  }
  return result;
}

// syscall(2) itself: six arguments are always passed on; those that a call does not have are
// whatever the registers held, which is what the C library does, too.
long __wrap_syscall(long number_of_call, long a, long b, long c, long d, long e, long f) {
  if (explorer::running()) {
    return explorer::on_syscall(__builtin_return_address(0), number_of_call, a, b, c, d, e, f);
  }
  if (number_of_call == SYS_clock_gettime) {  // a clock that is moved is moved for all
    return __wrap_clock_gettime(static_cast<clockid_t>(a), reinterpret_cast<timespec*>(b));
  }
  return stage(
      mp::test::syscall_name(number_of_call),
      [=](size_t) { return syscall(number_of_call, a, b, c, d, e, f); }, a, b, c, d, e, f);
}

}  // extern "C"

// The clocks of <chrono> live in libstdc++, out of the linker's reach; but the calls into it are
// in the module, under their mangled names.
std::chrono::steady_clock::time_point staged_steady_clock() __asm__(
    "__wrap__ZNSt6chrono3_V212steady_clock3nowEv");
std::chrono::steady_clock::time_point staged_steady_clock() {
  return std::chrono::steady_clock::now() + staging::clock_offset();
}

std::chrono::system_clock::time_point staged_system_clock() __asm__(
    "__wrap__ZNSt6chrono3_V212system_clock3nowEv");
std::chrono::system_clock::time_point staged_system_clock() {
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(staging::wall_offset());
}
