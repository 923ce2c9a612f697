#include "00-syscalls/raw_syscall.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "00-syscalls/error_number.hpp"
#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == -1) {
      throw std::runtime_error("pipe2");
    }
  }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  std::string contents() {
    std::array<char, 256> buffer{};
    const ssize_t got = read(ends[0], buffer.data(), buffer.size());
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  std::array<int, 2> ends{};
};

TEST(RawSyscall, GetpidIsThisProcess) {
  lesson("What a system call is");
  did("called raw_getpid()");
  expect_eq("its result", raw_getpid(), getpid());
}

TEST(RawSyscall, GetpidAsksTheKernelEachTime) {
  lesson("What a system call is");
  did("called raw_getpid(), and again in a forked child");
  const pid_t mine = raw_getpid();
  const ChildResult child = run_in_child([mine] {
    if (raw_getpid() == mine) {
      throw std::runtime_error("the child got its parent's number");
    }
    if (raw_getpid() != getpid()) {
      throw std::runtime_error("the child did not get its own number");
    }
  });
  expect(child.threw.empty() && child.exitcode == 0, "each process to get its own number",
         child.threw);
}

TEST(RawSyscall, GetpidIsTheProcessNotTheThread) {
  lesson("What a system call is");
  did("called raw_getpid() in a second thread");
  raw_getpid();  // here first, where an unfinished answer says so by name
  pid_t in_thread = 0;
  std::thread([&in_thread] { in_thread = raw_getpid(); }).join();
  expect_eq("its result", in_thread, getpid());
}

/// Expects that the call was made once, by its number.
void expect_one(std::string_view call, int count) {
  const std::string name(call);
  expect(count == 1, "one syscall(SYS_" + name + ")",
         count == 0 ? "none: did you call " + name + "() itself, or another number?"
                    : std::to_string(count) + " of them");
}

TEST(RawSyscall, GoesThroughSyscall) {
  lesson("What a system call is");
  did("called raw_getpid() and raw_write(), and counted calls of syscall(2)");
  Pipe pipe;
  const Faults watching;
  raw_getpid();
  raw_write(pipe.ends[1], "x", 1);
  expect_one("getpid", watching.count("getpid"));
  expect_one("write", watching.count("write"));
}

TEST(RawSyscall, ArgumentsOfWriteArriveWhole) {
  lesson("What a system call is");
  did("called raw_write() with a size of 4 GiB and 1 byte, and looked at the arguments of the "
      "call");
  constexpr std::size_t kSize = (std::size_t{1} << 32) + 1;
  constexpr int kDescriptor = 99;
  const char data = 'x';
  Faults faults;
  faults.fail("write", EFAULT);  // nobody reads what is not there
  raw_write(kDescriptor, &data, kSize);
  const auto calls = faults.calls("write");
  expect_one("write", static_cast<int>(calls.size()));
  if (calls.size() == 1) {
    const auto& args = calls.front().args;
    expect_eq("the descriptor", static_cast<int>(args[0]), kDescriptor);
    expect(args[1] == reinterpret_cast<long>(&data), "the address that raw_write() was given",
           "another address");
    expect_eq("the size", static_cast<std::size_t>(args[2]), kSize);
  }
}

TEST(RawSyscall, WriteMovesTheBytes) {
  lesson("What a system call is");
  did("wrote 7 of 9 bytes to a pipe");
  Pipe pipe;
  const ssize_t written = raw_write(pipe.ends[1], "abc\0defgh", 7);
  expect_eq("the result", written, 7);
  const std::string got = pipe.contents();
  expect(got == std::string("abc\0def", 7), "the 7 bytes in the pipe, the zero byte among them",
         std::to_string(got.size()) + " bytes: " + got);
}

TEST(RawSyscall, FailureIsMinusOneAndErrno) {
  lesson("How a call fails: errno");
  did("wrote to descriptor -1");
  errno = 0;
  const ssize_t written = raw_write(-1, "x", 1);
  const int error = errno;
  expect_eq("the result", written, -1);
  expect_eq("errno", ErrorNumber{error}, ErrorNumber{EBADF});
}

TEST(RawSyscall, WriteReportsShortCounts) {
  lesson("What a system call is");
  did("wrote 1 MiB to a pipe that holds 64 KiB and does not block");
  Pipe pipe;
  const std::string much(1 << 20, 'x');
  const Faults watching;
  const ssize_t written = raw_write(pipe.ends[1], much.data(), much.size());
  expect(written > 0 && written < (1 << 20), "a count between 0 and 1048576, as the kernel said",
         std::to_string(written));
  expect_eq("the number of calls", watching.count("write"), 1);
}

TEST(RawSyscall, NothingToWriteIsAskedOfTheKernelToo) {
  lesson("What \"raw\" means in this book");
  did("wrote 0 bytes to descriptor -1");
  errno = 0;
  const ssize_t written = raw_write(-1, "", 0);
  const int error = errno;
  expect_eq("the result", written, -1);
  expect_eq("errno", ErrorNumber{error}, ErrorNumber{EBADF});
}

TEST(RawSyscall, InterruptionIsTheCallersBusiness) {
  lesson("Interrupted: EINTR");
  did("made the kernel answer EINTR once");
  Pipe pipe;
  Faults faults;
  faults.fail("write", EINTR);
  errno = 0;
  const ssize_t written = raw_write(pipe.ends[1], "x", 1);
  const int error = errno;
  expect_eq("the result", written, -1);
  expect_eq("errno", ErrorNumber{error}, ErrorNumber{EINTR});
  expect_eq("the number of calls", faults.count("write"), 1);
}

}  // namespace
}  // namespace mp::test
