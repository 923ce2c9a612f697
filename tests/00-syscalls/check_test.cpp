#include "00-syscalls/check.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "00-syscalls/error_number.hpp"
#include "support/child.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

struct Thrown {
  ErrorNumber code{};
  std::string category;
  std::string text;
};

/// What throw_errno() throws when a call has failed with `error`; none, and the test has failed,
/// where that is no std::system_error.
std::optional<Thrown> thrown_for(int error, std::string_view call) {
  std::optional<Thrown> seen;
  expect_throw<std::system_error>("std::system_error", [&] {
    try {
      errno = error;
      throw_errno(call);
    } catch (const std::system_error& thrown) {
      seen = {{thrown.code().value()}, thrown.code().category().name(), thrown.what()};
      throw;
    }
  });
  return seen;
}

TEST(Check, ThrowsWhatErrnoSays) {
  lesson("How a call fails: errno");
  did("set errno to ENOENT, then EACCES, and called throw_errno(\"open\")");
  for (const int error : {ENOENT, EACCES}) {
    const auto thrown = thrown_for(error, "open");
    if (!thrown || !expect_eq("the code of the exception", thrown->code, ErrorNumber{error})) {
      return;
    }
  }
}

TEST(Check, NumbersOfErrnoAreOfTheGenericCategory) {
  lesson("How a call fails: errno");
  did("set errno to ENOENT and called throw_errno(\"open\")");
  if (const auto thrown = thrown_for(ENOENT, "open")) {
    expect_eq("the name of the code's category", thrown->category, "generic");
  }
}

TEST(Check, TextNamesTheCallAndTheError) {
  lesson("How a call fails: errno");
  did("set errno to ENOENT and called throw_errno(\"open /etc/motd\")");
  if (const auto thrown = thrown_for(ENOENT, "open /etc/motd")) {
    expect_eq("the text of the exception", thrown->text,
              "open /etc/motd: No such file or directory");
  }
}

TEST(Check, NameOfTheCallNeedNotEndWithAZeroByte) {
  lesson("How a call fails: errno");
  did("called throw_errno() with the first 4 characters of \"openat\" as a string_view");
  const std::string_view call = std::string_view("openat").substr(0, 4);
  if (const auto thrown = thrown_for(EIO, call)) {
    expect_eq("the text of the exception", thrown->text,
              std::string("open: ") + std::strerror(EIO));
  }
}

// From here on every large allocation changes errno, though it succeeds: the heap cannot grow
// where it is, because something lies behind it (brk(2) fails with ENOMEM), and malloc takes its
// memory elsewhere.
bool make_malloc_change_errno(std::size_t size) {
  mallopt(M_MMAP_MAX, 0);  // or it would not even try to grow the heap
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  char* const end = static_cast<char*>(sbrk(0));
  char* const behind = end + (page - reinterpret_cast<std::uintptr_t>(end) % page) % page;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  if (mmap(behind, page, PROT_NONE, kFlags, -1, 0) == MAP_FAILED && errno != EEXIST) {
    return false;
  }
  errno = 0;
  static const std::string kept(size, 'x');  // kept, or the next one would get its memory
  return errno != 0;
}

/// Calls `fails` after a failure with EPIPE, while every allocation of its text changes errno, and
/// expects that the exception says EPIPE.
/// @return whether the allocations did change it.
bool expect_the_right_error(const std::function<void(std::string_view)>& fails) {
  const std::string call(4 << 20, 'c');
  const Shared<std::atomic<bool>> changes;
  const Shared<std::atomic<int>> code;
  const ChildResult child = run_in_child([&] {
    *changes = make_malloc_change_errno(call.size());
    try {
      errno = EPIPE;
      fails(call);
    } catch (const std::system_error& thrown) {
      *code = thrown.code().value();
    }
  });
  if (child.threw.starts_with("TODO ")) {
    throw std::logic_error(child.threw);
  }
  if (expect(child.threw.empty(), "an exception: std::system_error",
             "another exception: " + child.threw)) {
    expect_eq("the code of the exception", ErrorNumber{*code}, ErrorNumber{EPIPE});
  }
  return *changes;
}

constexpr const char* kOwnMalloc =
    "malloc does not change errno here (AddressSanitizer has its own)";

TEST(Check, ErrnoIsReadBeforeMakingTheTextChangesIt) {
  lesson("How a call fails: errno");
  did("set errno to EPIPE and called throw_errno() while every allocation changes errno");
  if (!expect_the_right_error([](std::string_view call) { throw_errno(call); })) {
    GTEST_SKIP() << kOwnMalloc;
  }
}

TEST(Check, FailedResultIsNotedBeforeMakingTheTextChangesErrno) {
  lesson("How a call fails: errno");
  did("set errno to EPIPE and called check_result(-1) and check(-1) with 4 MiB of "
      "text, while every allocation changes errno");
  if (!expect_the_right_error([](std::string_view call) { check_result(-1, call); }) ||
      !expect_the_right_error([](std::string_view call) { check(-1, call); })) {
    GTEST_SKIP() << kOwnMalloc;
  }
}

TEST(Check, ResultsComeBackUnchanged) {
  lesson("How a call fails: errno");
  did("called check_result() with 0, 7 and 2^40");
  errno = 0;
  expect_eq("its result for 0, which is an end of file or the child's side of fork",
            check_result(0, "read"), 0);
  expect_eq("its result for 7", check_result(7, "read"), 7);
  expect_eq("its result for 2^40", check_result(1LL << 40, "lseek"), 1LL << 40);
}

TEST(Check, OtherNegativeNumbersAreResults) {
  lesson("How a call fails: errno");
  did("called check_result() with -2, -4096 and the smallest number there is");
  errno = 0;
  constexpr auto kSmallest = std::numeric_limits<long long>::min();
  expect_eq("its result for -2", check_result(-2, "getpriority"), -2);
  expect_eq("its result for -4096", check_result(-4096, "fcntl(F_GETOWN)"), -4096);
  expect_eq("its result for the smallest", check_result(kSmallest, "lseek"), kSmallest);
}

TEST(Check, ErrnoMeansNothingAfterASuccess) {
  lesson("How a call fails: errno");
  did("left EIO in errno, and called check_result() with a success");
  errno = EIO;
  expect_eq("its result", check_result(3, "write"), 3);
}

TEST(Check, MinusOneThrows) {
  lesson("How a call fails: errno");
  did("set errno to EBADF and called check_result(-1, \"read 99\")");
  errno = EBADF;
  const std::string text =
      expect_throw<std::system_error>("std::system_error", [] { check_result(-1, "read 99"); });
  expect_eq("the text of the exception", text, "read 99: Bad file descriptor");
}

TEST(Check, MinusOneThrowsWhateverErrnoIs) {
  lesson("How a call fails: errno");
  did("called check_result(-1, \"read\") with 0 in errno, then with EINTR");
  errno = 0;
  expect_throw<std::system_error>("std::system_error", [] { check_result(-1, "read"); });
  errno = EINTR;  // who wants the call made again says so: retry()
  expect_throw<std::system_error>("std::system_error", [] { check_result(-1, "read"); });
}

TEST(Check, WrapsARealCall) {
  lesson("How a call fails: errno");
  did("opened a file that is not there: check(open(\"/no/such/file\", …), \"open\")");
  static_assert(std::same_as<decltype(check(open("/", O_RDONLY), "open")), int>);
  const std::string text = expect_throw<std::system_error>("std::system_error", [] {
    const int fd = check(open("/no/such/file", O_RDONLY | O_CLOEXEC), "open");
    close(fd);
  });
  expect_eq("the text of the exception", text, "open: No such file or directory");
}

}  // namespace
}  // namespace mp::test
