#include "02-pipe/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "02-pipe/ends.hpp"
#include "support/faults.hpp"
#include "support/kid.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

/// A descriptor for the code under test. What a wrong answer leaves open is closed in the end.
class Opened {
 public:
  Opened() : fd_(must(open("/dev/null", O_RDWR | O_CLOEXEC), "open /dev/null")) {}
  ~Opened() {
    const int error = errno;  // of interest to a test that closes one
    if (is_open(fd_)) {
      ::close(fd_);
    }
    errno = error;
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool open_still() const { return is_open(fd_); }

  /// As other code of the program that opens something, and is given the number that is free.
  [[nodiscard]] bool take_number() const { return fcntl(0, F_DUPFD_CLOEXEC, fd_) == fd_; }

 private:
  int fd_;
};

// A function each: the moved-from object is looked at afterwards, on purpose.
UniqueFd moved_out_of(UniqueFd& from) {
  return UniqueFd(std::move(from));
}
void move_to(UniqueFd& to, UniqueFd& from) {
  to = std::move(from);
}

bool expect_open(const Opened& opened, std::string_view which) {
  return expect(opened.open_still(), std::string(which) + " to be open", "it has been closed");
}

bool expect_closed(const Opened& opened, std::string_view which) {
  return expect(!opened.open_still(), std::string(which) + " to be closed", "it is open");
}

bool expect_owns(std::string_view which, const UniqueFd& object, int fd) {
  const std::string name(which);
  const int seen = object.get();  // NOLINT(clang-analyzer-cplusplus.Move): it may be moved from
  return expect_eq(name + ".get()", seen, fd) &&
         expect_eq("bool(" + name + ")", static_cast<bool>(object), fd != -1);
}

// ---- closing

TEST(UniqueFd, ClosesAtTheEndOfItsScope) {
  lesson("One owner for a descriptor");
  did("made a UniqueFd of a descriptor, and let it go out of scope");
  const Opened opened;
  const Faults watching;
  {
    const UniqueFd owner(opened.fd());
    expect_owns("owner", owner, opened.fd());
    expect_open(opened, "the descriptor of a living owner");
  }
  expect_closed(opened, "the descriptor");
  expect_eq("the number of calls of close", watching.count("close"), 1);
}

TEST(UniqueFd, EmptyClosesNothing) {
  lesson("One owner for a descriptor");
  did("made UniqueFds that own nothing, reset one of them, and let them go out of scope");
  const Opened opened;
  const Faults watching;
  {
    UniqueFd none;
    const UniqueFd minus_one(-1);
    none.reset();
    none.reset(-1);
    expect_owns("UniqueFd()", none, -1);
    expect_owns("UniqueFd(-1)", minus_one, -1);
  }
  expect_eq("the number of calls of close (there is no descriptor -1)", watching.count("close"), 0);
  did("let two that do not own anything any more go out of scope, and one that does");
  {
    UniqueFd first(opened.fd());
    UniqueFd second = moved_out_of(first);
    second.reset();
  }
  expect_eq("the number of calls of close", watching.count("close"), 1);
}

/// While it lives, descriptor 0 is one like any other.
class ZeroIsFree {
 public:
  ZeroIsFree() : saved_(must(fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl")) { ::close(0); }
  ~ZeroIsFree() {
    (void)dup2(saved_, 0);
    ::close(saved_);
  }
  ZeroIsFree(const ZeroIsFree&) = delete;
  ZeroIsFree& operator=(const ZeroIsFree&) = delete;

  /// Opens descriptor 0, the lowest number that is free.
  void open_it() const { must(fcntl(saved_, F_DUPFD_CLOEXEC, 0), "fcntl"); }

 private:
  int saved_;
};

TEST(UniqueFd, ZeroIsADescriptor) {
  lesson("One owner for a descriptor");
  const ZeroIsFree zero;
  const auto expect_zero_closed = [] {
    expect(!is_open(0), "descriptor 0 to be closed", "it is open: 0 was taken for none");
  };
  did("let the owner of descriptor 0 go out of scope");
  zero.open_it();
  {
    const UniqueFd owner(0);
    expect_owns("owner", owner, 0);
  }
  expect_zero_closed();
  did("called reset() for the owner of descriptor 0");
  zero.open_it();
  UniqueFd owner(0);
  owner.reset();
  expect_zero_closed();
  did("moved the owner of descriptor 0, called reset(0) for it, and release()");
  zero.open_it();
  owner.reset(0);
  UniqueFd second = moved_out_of(owner);
  second.reset(0);
  expect_owns("second", second, 0);
  expect_eq("second.release()", second.release(), 0);
  expect(is_open(0), "descriptor 0 to be open", "it has been closed");
}

// ---- moving

TEST(UniqueFd, MovedFromOwnsNothing) {
  lesson("One owner for a descriptor");
  did("moved a UniqueFd into a new one, and let both go out of scope");
  const Opened opened;
  const Faults watching;
  {
    UniqueFd from(opened.fd());
    const UniqueFd to = moved_out_of(from);
    expect_owns("to", to, opened.fd());
    expect_owns("from", from, -1);
    expect_open(opened, "the descriptor");
  }
  expect_closed(opened, "the descriptor");
  expect_eq("the number of calls of close", watching.count("close"), 1);
}

TEST(UniqueFd, NoStrangerIsClosed) {
  lesson("One owner for a descriptor");
  did("moved a UniqueFd; its new owner closed it; other code opened something, which got the "
      "number; then the old owner went out of scope");
  const Opened opened;
  {
    UniqueFd from(opened.fd());
    { const UniqueFd to = moved_out_of(from); }
    if (!expect(opened.take_number(), "the number to be free when its new owner has closed it",
                "it is still open")) {
      return;
    }
  }
  expect_open(opened, "the other code's descriptor");
}

TEST(UniqueFd, MoveAssignmentClosesTheOldOne) {
  lesson("One owner for a descriptor");
  did("moved a UniqueFd onto one that owned another descriptor");
  const Opened old;
  const Opened opened;
  {
    UniqueFd to(old.fd());
    UniqueFd from(opened.fd());
    move_to(to, from);
    expect_closed(old, "the descriptor that the target owned before");
    expect_owns("to", to, opened.fd());
    expect_owns("from", from, -1);
    expect_open(opened, "the descriptor that was moved");
  }
  expect_closed(opened, "the descriptor that was moved, at the end of its owner");
}

TEST(UniqueFd, MoveAssignmentOfNothing) {
  lesson("One owner for a descriptor");
  did("moved a UniqueFd that owns nothing onto one that owns a descriptor");
  const Opened old;
  UniqueFd to(old.fd());
  UniqueFd none;
  move_to(to, none);
  expect_owns("to", to, -1);
  expect_closed(old, "the descriptor that the target owned before");
}

TEST(UniqueFd, SelfMoveChangesNothing) {
  lesson("One owner for a descriptor");
  did("moved a UniqueFd to itself");
  const Opened opened;
  {
    UniqueFd owner(opened.fd());
    move_to(owner, owner);
    expect_owns("owner", owner, opened.fd());
    expect_open(opened, "the descriptor");
  }
  expect_closed(opened, "the descriptor, at the end of its owner");
}

// ---- giving away, and something else in its place

TEST(UniqueFd, ReleaseGivesAway) {
  lesson("One owner for a descriptor");
  did("called release(), and let the UniqueFd go out of scope");
  const Opened opened;
  {
    UniqueFd owner(opened.fd());
    expect_eq("release()", owner.release(), opened.fd());
    expect_owns("owner", owner, -1);
    expect_eq("release() of one that owns nothing", owner.release(), -1);
  }
  expect_open(opened, "the descriptor, which is the caller's now");
}

TEST(UniqueFd, ResetCloses) {
  lesson("One owner for a descriptor");
  did("called reset()");
  const Opened opened;
  const Faults watching;
  {
    UniqueFd owner(opened.fd());
    owner.reset();
    expect_closed(opened, "the descriptor");
    expect_owns("owner", owner, -1);
    did("called reset() again, and let the UniqueFd go out of scope");
    owner.reset();
  }
  expect_eq("the number of calls of close", watching.count("close"), 1);
}

TEST(UniqueFd, ResetTakesOver) {
  lesson("One owner for a descriptor");
  did("called reset() with another descriptor");
  const Opened old;
  const Opened opened;
  {
    UniqueFd owner(old.fd());
    owner.reset(opened.fd());
    expect_closed(old, "the descriptor that it owned before");
    expect_open(opened, "the new descriptor");
    expect_owns("owner", owner, opened.fd());
  }
  expect_closed(opened, "the new descriptor, at the end of its owner");
}

TEST(UniqueFd, ResetToWhatItOwns) {
  lesson("One owner for a descriptor");
  did("called reset() with the number that the UniqueFd owns already");
  const Opened opened;
  {
    UniqueFd owner(opened.fd());
    owner.reset(opened.fd());
    expect_owns("owner", owner, opened.fd());
    expect_open(opened, "the descriptor");
  }
  expect_closed(opened, "the descriptor, at the end of its owner");
}

// ---- when close fails

struct Way {
  const char* name;
  void (*close)(int fd);
};

/// All the ways in which a UniqueFd closes its descriptor.
constexpr std::array<Way, 4> kWays{{
    {"let a UniqueFd go out of scope", [](int fd) { const UniqueFd owner(fd); }},
    {"called reset()",
     [](int fd) {
       UniqueFd owner(fd);
       owner.reset();
     }},
    {"called reset() with another descriptor",
     [](int fd) {
       const Opened next;
       UniqueFd owner(fd);
       owner.reset(next.fd());
       (void)owner.release();
     }},
    {"moved another UniqueFd onto one that owns a descriptor",
     [](int fd) {
       UniqueFd none;
       UniqueFd owner(fd);
       move_to(owner, none);
     }},
}};

/// While it lives, the first close does what it should and says that it failed; and another thread
/// opens something in that moment, and is given the number.
class FailingClose {
 public:
  FailingClose(const Opened& opened, int error) {
    faults_.before("close", [this, &opened](const Call& call) {
      if (call.args[0] == opened.fd() && calls_++ == 0) {
        ::close(opened.fd());
        taken_ = opened.take_number();
      }
    });
    faults_.fail("close", error);
  }

  [[nodiscard]] int calls() const { return calls_; }
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Faults faults_;
  int calls_ = 0;
  bool taken_ = false;
};

TEST(UniqueFd, CloseIsNotRepeated) {
  lesson("One owner for a descriptor");
  for (const int error : {EINTR, EIO}) {
    for (const Way& way : kWays) {
      did(std::string(way.name) + "; close failed with " + strerrorname_np(error) +
          ", and another thread was given the number in that moment");
      const Opened opened;
      const FailingClose failing(opened, error);
      way.close(opened.fd());
      if (!expect(failing.taken(), "the descriptor to be closed", "no close with its number") ||
          !expect(opened.open_still(), "the other thread's descriptor to be open",
                  "it was closed: close was called " + std::to_string(failing.calls()) +
                      " times with this number")) {
        return;
      }
    }
  }
}

TEST(UniqueFd, ErrnoStays) {
  lesson("One owner for a descriptor");
  for (const Way& way : kWays) {
    did(std::string(way.name) + " while errno was ERANGE, and close failed with EIO");
    const Opened opened;
    const FailingClose failing(opened, EIO);
    errno = ERANGE;
    way.close(opened.fd());
    const int after = errno;
    if (!expect(failing.taken(), "the descriptor to be closed", "no close with its number") ||
        !expect(after == ERANGE,
                "errno to be ERANGE still: who looks at it asks for the call before",
                "errno is " + std::to_string(after) + ", " + std::strerror(after))) {
      return;
    }
  }
}

// ---- anything, in any order

/// Objects, and what they should own.
class Model {
 public:
  explicit Model(Random& random) : random_(random) {}

  /// Does something to some of them. @return what, in words.
  std::string step() {
    const std::size_t a = random_.below(kObjects);
    const std::size_t b = random_.below(kObjects);
    const std::string one = "object " + std::to_string(a);
    const std::string other = "object " + std::to_string(b);
    switch (random_.below(7)) {
      case 0:
        move_to(objects_[a], objects_[b]);
        if (a != b) {
          owned_[a] = std::exchange(owned_[b], -1);
        }
        return "moved " + other + " to " + one;
      case 1:
        objects_[a].reset();
        owned_[a] = -1;
        return "called reset() of " + one;
      case 2:
      case 4:
        return "called reset() of " + one + " with the new descriptor " + std::to_string(renew(a));
      case 3: {
        const int fd = objects_[a].release();
        objects_[b].reset(fd);
        owned_[b] = std::exchange(owned_[a], -1);
        if (a == b) {
          owned_[a] = fd;
        }
        return "called reset() of " + other + " with what release() of " + one + " returned";
      }
      case 5:
        std::swap(objects_[a], objects_[b]);
        std::swap(owned_[a], owned_[b]);
        return "called std::swap() with " + one + " and " + other;
      default: {
        UniqueFd between = moved_out_of(objects_[a]);
        move_to(objects_[a], between);
        return "moved " + one + " to a new object, and back";
      }
    }
  }

  /// Gives each of them something to own.
  void renew_all() {
    for (std::size_t i = 0; i < kObjects; ++i) {
      renew(i);
    }
  }

  /// Compares what they own with what they should. @return false after a failure.
  [[nodiscard]] bool check(std::size_t others) const {
    std::size_t owned = 0;
    for (std::size_t i = 0; i < kObjects; ++i) {
      if (!expect_owns("object " + std::to_string(i), objects_[i], owned_[i])) {
        return false;
      }
      if (owned_[i] != -1) {
        ++owned;
        if (!expect(is_open(owned_[i]), "its descriptor to be open", "it is closed")) {
          return false;
        }
      }
    }
    return expect_eq("the number of open descriptors that they own", count_descriptors() - others,
                     owned);
  }

 private:
  static constexpr std::size_t kObjects = 4;

  int renew(std::size_t which) {
    const int fd = must(fcntl(0, F_DUPFD_CLOEXEC, 3), "fcntl");
    objects_[which].reset(fd);
    owned_[which] = fd;
    return fd;
  }

  Random& random_;
  std::array<UniqueFd, kObjects> objects_;
  std::array<int, kObjects> owned_{-1, -1, -1, -1};
};

TEST(UniqueFd, AnythingInAnyOrder) {
  lesson("One owner for a descriptor");
  Random random;
  const std::size_t others = count_descriptors();
  {
    Model model(random);
    for (int i = 1; i <= 200; ++i) {
      const std::string what = model.step();
      did("in step " + std::to_string(i) + " with four UniqueFds " + what + random.words());
      if (!model.check(others)) {
        return;
      }
    }
    model.renew_all();
  }
  did("let all of them go out of scope" + random.words());
  expect_eq("the number of descriptors that are open", count_descriptors(), others);
}

// ---- duplicate

TEST(UniqueFd, DuplicateIsTheSameSocket) {
  lesson("One owner for a descriptor");
  did("wrote to a duplicate of one end of a socket pair");
  const Ends ends;
  const UniqueFd copy = duplicate(ends.mine());
  if (!expect(copy.get() > 2 && copy.get() != ends.mine(), "a descriptor with a number of its own",
              std::to_string(copy.get()) + " for " + std::to_string(ends.mine()))) {
    return;
  }
  (void)!::write(copy.get(), "through the copy", 16);
  expect_eq("what arrives at the other end", ends.take(16), "through the copy");
  expect(is_open(ends.mine()), "the first descriptor to stay open", "it has been closed");
}

TEST(UniqueFd, OpenUntilBothAreClosed) {
  lesson("One owner for a descriptor");
  Ends ends;
  did("duplicated one end of a socket pair, and closed the first descriptor");
  {
    const UniqueFd copy = duplicate(ends.mine());
    ends.close_mine();
    expect(!readable(ends.other()), "no end of file at the other end: the copy is open",
           "the other end sees the end of file");
    expect(is_open(copy.get()), "the copy to be open", "it is closed");
  }
  did("closed the duplicate as well");
  expect(readable(ends.other()), "the end of file at the other end", "nothing");
}

TEST(UniqueFd, DuplicateIsCloseOnExec) {
  lesson("One owner for a descriptor");
  for (const int flags : {0, FD_CLOEXEC}) {
    did("duplicated a descriptor " + std::string(flags == 0 ? "without" : "with") +
        " FD_CLOEXEC, and looked at the flags after each system call");
    const Opened opened;
    must(fcntl(opened.fd(), F_SETFD, flags), "fcntl(F_SETFD)");
    std::string gap;
    UniqueFd copy;
    {
      const auto inheritable = [&opened] {
        std::vector<int> found;
        for (int fd = 3; fd < 100; ++fd) {
          if (fd != opened.fd() && fcntl(fd, F_GETFD) == 0) {
            found.push_back(fd);
          }
        }
        return found;
      };
      Faults faults;
      const std::vector<int> before = inheritable();
      for (const char* name : {"dup", "dup2", "dup3", "fcntl"}) {
        faults.after(name, [&](const Call& call) {
          if (inheritable() != before && gap.empty()) {
            gap = "a moment after " + std::string(call.name) +
                  " in which a program that another thread executes gets the copy";
          }
        });
      }
      copy = duplicate(opened.fd());
    }
    expect_eq("FD_CLOEXEC of the copy", fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
    expect(gap.empty(), "a copy that is close-on-exec from its first moment on", gap);
    expect_eq("the flags of the first descriptor", fcntl(opened.fd(), F_GETFD), flags);
  }
}

/// A number that is no open descriptor.
int closed_descriptor() {
  const Opened opened;
  return opened.fd();
}

/// Runs the action, which should throw std::system_error with this errno that names the call.
void expect_error(int error, const std::string& call, const std::function<void()>& action) {
  int seen = 0;
  const std::string text = expect_throw<std::system_error>("std::system_error", [&] {
    try {
      action();
    } catch (const std::system_error& thrown) {
      seen = thrown.code().value();
      throw;
    }
  });
  if (!text.empty()) {
    expect_eq("its code", seen, error);
    expect(text.starts_with(call), "its text to begin with " + call, text);
  }
}

TEST(UniqueFd, DuplicateOfNothing) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const int fd : {-1, closed_descriptor()}) {
    did("called duplicate() for " + std::to_string(fd) + ", which is no open descriptor");
    expect_error(EBADF, "fcntl(F_DUPFD_CLOEXEC)", [fd] { (void)duplicate(fd); });
  }
}

TEST(UniqueFd, NoRoomForADuplicate) {
  lesson_in("00-syscalls", "How a call fails: errno");
  did("called duplicate() when this process may not have one descriptor more (EMFILE)");
  const Opened opened;
  rlimit before{};
  must(getrlimit(RLIMIT_NOFILE, &before), "getrlimit");
  const rlimit none{static_cast<rlim_t>(closed_descriptor()), before.rlim_max};  // the lowest one
  expect_error(EMFILE, "fcntl(F_DUPFD_CLOEXEC)", [&] {
    const struct Restore {  // before anybody looks at the exception, which sanitizers do with pipes
      const rlimit& limit;
      ~Restore() { (void)setrlimit(RLIMIT_NOFILE, &limit); }
    } restore{before};
    must(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    (void)duplicate(opened.fd());
  });
  expect_open(opened, "the first descriptor");
}

// ---- set_inheritable

TEST(UniqueFd, InheritableOrNot) {
  lesson("Who holds which end after fork");
  const Opened opened;
  const Opened other;
  for (const bool inheritable : {true, true, false, false, true, false}) {
    did("called set_inheritable(fd, " + words(inheritable) + ") for a descriptor with flags " +
        std::to_string(fcntl(opened.fd(), F_GETFD)));
    set_inheritable(opened.fd(), inheritable);
    if (!expect_eq("fcntl(F_GETFD), of which FD_CLOEXEC is 1", fcntl(opened.fd(), F_GETFD),
                   inheritable ? 0 : FD_CLOEXEC)) {
      return;
    }
    expect_eq("FD_CLOEXEC of another descriptor", fcntl(other.fd(), F_GETFD), FD_CLOEXEC);
    expect_eq("fcntl(F_GETFL), which is none of its business", fcntl(opened.fd(), F_GETFL) & 0xfff,
              O_RDWR);
  }
}

/// Whether a program that this process starts has the descriptor.
bool survives_exec(int fd) {
  const Kid kid([fd] {
    const std::string question = "test -e /proc/self/fd/" + std::to_string(fd);
    execl("/bin/sh", "sh", "-c", question.c_str(), nullptr);
    return 2;
  });
  kid.wait_for_end();
  const auto answer = kid.take();
  if (answer != 0 && answer != 1) {
    throw std::runtime_error("/bin/sh did not say whether it has a descriptor");
  }
  return answer == 0;
}

TEST(UniqueFd, InheritableSurvivesExec) {
  lesson("Who holds which end after fork");
  const Opened opened;
  for (const bool inheritable : {true, false}) {
    did("called set_inheritable(fd, " + words(inheritable) + "), and executed a program");
    set_inheritable(opened.fd(), inheritable);
    expect(survives_exec(opened.fd()) == inheritable,
           inheritable ? "the descriptor to be open there" : "no such descriptor there",
           inheritable ? "no such descriptor" : "it is open");
  }
}

TEST(UniqueFd, InheritableOfNothing) {
  lesson_in("00-syscalls", "How a call fails: errno");
  for (const bool inheritable : {true, false}) {
    did("called set_inheritable(fd, " + words(inheritable) + ") for no open descriptor");
    expect_error(EBADF, "fcntl(F_GETFD)",
                 [&] { set_inheritable(closed_descriptor(), inheritable); });
    did("called set_inheritable(fd, " + words(inheritable) +
        ") for a descriptor that was closed between its two calls");
    const Opened opened;
    must(fcntl(opened.fd(), F_SETFD, inheritable ? FD_CLOEXEC : 0), "fcntl(F_SETFD)");
    Faults faults;
    faults.fail("fcntl", EBADF, 1, 1);
    expect_error(EBADF, "fcntl(F_SETFD)", [&] { set_inheritable(opened.fd(), inheritable); });
  }
}

// ---- what closing is not

TEST(UniqueFd, OthersOfTheSameFileStayOpen) {
  lesson("One owner for a descriptor");
  did("closed one of two descriptors of the same socket, and wrote through the other one");
  const Ends ends;
  const int second = must(fcntl(ends.mine(), F_DUPFD_CLOEXEC, 0), "fcntl");
  { const UniqueFd owner(second); }
  expect(!is_open(second), "the one to be closed", "it is open");
  (void)::send(ends.mine(), "still here", 10, MSG_NOSIGNAL | MSG_DONTWAIT);
  expect_eq("what came out at the other end", ends.take(10, 0), "still here");
}

TEST(UniqueFd, EachProcessClosesItsOwn) {
  lesson("Who holds which end after fork");
  did("closed, in a forked child, a descriptor that its parent had made");
  Ends ends;
  { const UniqueFd another(must(fcntl(ends.mine(), F_DUPFD_CLOEXEC, 0), "fcntl")); }
  UniqueFd owner(ends.give());
  const Kid child([&owner] {
    const int fd = owner.get();
    owner.reset();
    return is_open(fd) ? 1 : 0;
  });
  child.wait_for_end();
  expect_eq("the child's end: 0 if it was closed there, 1 if not;", child.take().value_or(-1), 0);
  expect(is_open(owner.get()), "the parent's descriptor to be open", "it is closed");
}

TEST(UniqueFd, ExceptionLeavesNothingOpen) {
  lesson("One owner for a descriptor");
  did("threw an exception past an owner");
  Ends ends;
  const int fd = ends.give();
  try {
    const UniqueFd owner(fd);
    throw std::runtime_error("on purpose");
  } catch (const std::runtime_error&) {
    expect(!is_open(fd), "the descriptor to be closed", "it is open");
  }
}

TEST(UniqueFd, HighNumbers) {
  lesson("One owner for a descriptor");
  rlimit limit{};
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
  constexpr int kHigh = 3000;
  if (limit.rlim_max <= kHigh + 1) {
    GTEST_SKIP() << "this process may not have descriptor " << kHigh;
  }
  did("closed a descriptor with a number of 3000 or more");
  const Ends ends;
  const int fd = must(fcntl(ends.mine(), F_DUPFD_CLOEXEC, kHigh), "fcntl");
  { const UniqueFd owner(fd); }
  expect(!is_open(fd), "it to be closed", "it is open");
}

}  // namespace
}  // namespace mp::test
