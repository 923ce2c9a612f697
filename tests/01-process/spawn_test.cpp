#include "01-process/spawn.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/child.hpp"
#include "support/faults.hpp"
#include "support/lesson.hpp"

namespace mp::test {
namespace {

/// The exit code of a child that came back from spawn(), and was ended there.
constexpr int kCameBack = 197;
constexpr const char* kInCallersCode = "came back from spawn() and ran the caller's code";
/// The exit code of a child that could not get at /dev/full.
constexpr int kNoFullDisk = 198;

/// A child made by spawn(): waited for at the latest by the destructor, with a limit.
class Worker {
 public:
  explicit Worker(const std::function<void()>& body, std::string_view name = "worker") {
    const pid_t here = getpid();
    try {
      pid_ = spawn(name, body);
      if (getpid() == here) {
        return;
      }
    } catch (...) {
      if (getpid() == here) {
        throw;
      }
    }
    _exit(kCameBack);
  }
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

  /// Waits, and says in words how it ended.
  std::string end() {
    if (end_.empty()) {
      end_ = wait();
    }
    return end_;
  }

 private:
  [[nodiscard]] std::string wait() const {
    if (pid_ <= 0) {
      return "no child at all";
    }
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    pollfd item{pidfd, POLLIN, 0};
    const bool in_time = pidfd == -1 || poll(&item, 1, 3000) == 1;
    if (pidfd != -1) {
      close(pidfd);
    }
    if (!in_time && waitpid(pid_, nullptr, WNOHANG) == 0) {  // a child of ours, so no stranger
      kill(pid_, SIGKILL);
    }
    int status = 0;
    pid_t waited = 0;
    do {
      waited = waitpid(pid_, &status, 0);
    } while (waited == -1 && errno == EINTR);
    if (waited == -1) {
      return "no child of the caller's (any more)";
    }
    if (!in_time) {
      return "still running after 3 s";
    }
    if (!WIFEXITED(status)) {
      return "killed by signal " + std::to_string(WTERMSIG(status));
    }
    return WEXITSTATUS(status) == kCameBack ? kInCallersCode
                                            : "exit code " + std::to_string(WEXITSTATUS(status));
  }

  pid_t pid_ = -1;
  std::string end_;
};

/// Spawns a child and waits for it. @return how it ended.
std::string run_worker(const std::function<void()>& body, std::string_view name = "worker") {
  return Worker(body, name).end();
}

/// What a program tells its test beside its output, which is for its children's: "exit code 3".
class Note {
 public:
  void set(const std::string& text) const { text.copy(text_->data(), text_->size() - 1); }
  [[nodiscard]] std::string get() const { return text_->data(); }

 private:
  Shared<std::array<char, 256>> text_;
};

/// Runs a program in a process of its own, whose output is a file: fully buffered.
ChildResult watch(const std::function<void()>& program) {
  ChildResult result = run_in_child(program, std::chrono::seconds(4), "program");
  if (result.threw.starts_with("TODO ")) {
    throw std::logic_error(result.threw);
  }
  expect(result.threw.empty() && result.exitcode == 0,
         "the program that spawns to go on to its end",
         result.threw.empty() ? "exit code " + std::to_string(result.exitcode) : result.threw);
  return result;
}

TEST(Spawn, BodyThatReturnsIsExitCodeZero) {
  lesson("A child that comes back");
  did("spawned a child whose body returns");
  Worker worker([] {});
  expect_eq("the child's end", worker.end(), "exit code 0");
}

TEST(Spawn, ChildIsAProcessOfTheCallers) {
  lesson("A copy of everything");
  did("spawned a child that notes its number and its parent's");
  const Shared<std::atomic<pid_t>> pid;
  const Shared<std::atomic<pid_t>> parent;
  Worker worker([&] {
    *pid = getpid();
    *parent = getppid();
  });
  expect_eq("the child's end", worker.end(), "exit code 0");
  expect_eq("what spawn() returned", worker.pid(), pid->load());
  expect_eq("the child's parent", parent->load(), getpid());
}

TEST(Spawn, ChangesOfTheChildStayThere) {
  lesson("A copy of everything");
  did("spawned a child that sets a variable to 2");
  volatile int variable = 1;
  const Shared<std::atomic<int>> seen;
  Worker worker([&] {
    variable = 2;
    *seen = variable;
  });
  worker.end();
  expect_eq("the variable in the child", seen->load(), 2);
  const int mine = variable;
  expect_eq("the variable in the parent", mine, 1);
}

struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) == -1) {
      throw std::system_error(errno, std::generic_category(), "pipe2");
    }
  }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void put_byte() const {
    if (write(ends[1], "x", 1) != 1) {
      throw std::system_error(errno, std::generic_category(), "write");
    }
  }
  std::array<int, 2> ends{};
};

TEST(Spawn, CallerGoesOnAtOnce) {
  lesson("A copy of everything");
  did("spawned a child that waits for a byte which the caller writes after spawn()");
  const Pipe pipe;
  Faults faults;
  bool waited = false;
  for (const char* call : {"wait", "waitpid", "wait4", "waitid"}) {
    faults.before(call, [&](const Call&) {
      waited = true;
      pipe.put_byte();  // or nobody would go on
    });
  }
  const Shared<std::atomic<bool>> came;
  Worker worker([&] {
    pollfd item{pipe.ends[0], POLLIN, 0};
    *came = poll(&item, 1, 2000) == 1;
  });
  expect(!waited, "spawn() to leave the waiting to its caller", "a wait in spawn()");
  pipe.put_byte();
  worker.end();
  expect(*came, "the byte to reach the child", "no byte within 2 s");
}

TEST(Spawn, SysExitIsTheExitCode) {
  lesson("Leaving: _exit, not exit");
  did("spawned children that call sys_exit(n)");
  for (const auto& [code, seen] :
       {std::pair(0, 0), {7, 7}, {255, 255}, {256, 0}, {300, 44}, {-1, 255}}) {
    Worker worker([code = code] { sys_exit(code); });
    expect_eq("the end for n = " + std::to_string(code), worker.end(),
              "exit code " + std::to_string(seen));
  }
}

TEST(Spawn, SysExitIsSilentAndRunsTheDestructors) {
  lesson("Leaving: _exit, not exit");
  did("spawned a child that calls sys_exit(0) below an object with a destructor");
  const ChildResult program = watch([] {
    struct Farewell {
      ~Farewell() { std::printf("farewell;"); }
    };
    run_worker([] {
      const Farewell farewell;
      sys_exit(0);
    });
  });
  expect_eq("standard output", program.out, "farewell;");
  expect_eq("standard error", program.err, "");
}

TEST(Spawn, ExceptionIsExitCodeOne) {
  lesson("A child that comes back");
  did("spawned children that throw a std::runtime_error, and 42");
  const Note first;
  const Note second;
  watch([&] {
    first.set(run_worker([] { throw std::runtime_error("disk full"); }));
    second.set(run_worker([] { throw 42; }));
  });
  const std::string subject = "the children's ends: ";
  const std::string ends = first.get() + ", " + second.get();
  expect(ends == "exit code 1, exit code 1", subject + "exit code 1, exit code 1", subject + ends);
}

TEST(Spawn, LastWordsSayNameAndReason) {
  lesson("A child that comes back");
  did("spawned a child \"writer-3\" that throws std::runtime_error(\"disk full\")");
  const ChildResult program =
      watch([] { run_worker([] { throw std::runtime_error("disk full"); }, "writer-3"); });
  expect_eq("standard error", program.err, "Process writer-3: disk full\n");
}

TEST(Spawn, LastWordsOfAnyException) {
  lesson("A child that comes back");
  did("spawned a child \"writer-3\" that throws 42");
  const ChildResult program = watch([] { run_worker([] { throw 42; }, "writer-3"); });
  expect_eq("standard error", program.err, "Process writer-3: unknown exception\n");
}

TEST(Spawn, LastWordsAreTakenAsTheyAre) {
  lesson("A child that comes back");
  did("spawned a child whose name and exception have per cent signs");
  const ChildResult program =
      watch([] { run_worker([] { throw std::runtime_error("100%d full"); }, "50%d"); });
  expect_eq("standard error", program.err, "Process 50%d: 100%d full\n");
}

TEST(Spawn, LastWordsAreOneWrite) {
  lesson("A child that comes back");
  did("gave the program a socket for stderr that keeps writes apart, and spawned a child that "
      "throws");
  const Note note;
  watch([&note] {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == -1) {
      throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    const int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    dup2(ends[1], STDERR_FILENO);
    run_worker([] { throw std::runtime_error("disk full"); }, "writer-3");
    dup2(before, STDERR_FILENO);
    std::array<char, 200> text{};
    const ssize_t got = read(ends[0], text.data(), text.size());
    note.set(std::string(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0));
  });
  expect_eq("the first write to stderr", note.get(), "Process writer-3: disk full\n");
}

TEST(Spawn, NameNeedNotEndWithAZeroByte) {
  lesson("A child that comes back");
  did("spawned a child whose name is the first 6 characters of \"writer-3\"");
  const ChildResult program = watch([] {
    run_worker([] { throw std::runtime_error("disk full"); },
               std::string_view("writer-3").substr(0, 6));
  });
  expect_eq("standard error", program.err, "Process writer: disk full\n");
}

/// Spawns a child as a program might that catches exceptions and has objects of its own, and
/// prints what of that the child has run.
void spawn_among_objects(const std::function<void()>& body) {
  const pid_t here = getpid();
  struct Object {
    ~Object() {
      if (getpid() != parent) {
        say("the caller's object destroyed;");
      }
    }
    static void say(const char* what) {
      std::printf("%s", what);
      std::fflush(stdout);
    }
    pid_t parent;
  };
  pid_t pid = 0;
  try {
    const Object object{here};
    pid = spawn("worker", body);
  } catch (...) {
    if (getpid() == here) {
      throw;
    }
    Object::say("the caller's handler run;");
    _exit(kCameBack);
  }
  if (getpid() != here) {
    Object::say("the caller's code run;");
    _exit(kCameBack);
  }
  if (pid > 0 && waitpid(pid, nullptr, 0) == -1) {
    throw std::system_error(errno, std::generic_category(), "waitpid");
  }
}

TEST(Spawn, ChildNeverComesBack) {
  lesson("A child that comes back");
  did("spawned children whose bodies return, exit and throw, in a function with a handler");
  const auto test = [](const std::string& how, const std::function<void()>& body) {
    const ChildResult program = watch([&body] { spawn_among_objects(body); });
    expect_eq("what of its caller the child ran after " + how, program.out, "");
  };
  test("a return", [] {});
  test("sys_exit()", [] { sys_exit(3); });
  test("a std::exception", [] { throw std::runtime_error("disk full"); });
  test("another exception", [] { throw 42; });
}

TEST(Spawn, FlushThatThrowsDoesNotBringTheChildBack) {
  lesson("A child that comes back");
  bool disk = true;
  const auto test = [&disk](const std::string& how, const std::function<void()>& body) {
    did("spawned a child that prints to a full disk, with std::cout set to throw, and then " + how);
    const Note end;
    const ChildResult program = watch([&] {
      std::ios::sync_with_stdio(false);
      end.set(run_worker([&body] {
        const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        if (full == -1 || dup2(full, STDOUT_FILENO) == -1) {
          _exit(kNoFullDisk);
        }
        std::cout.exceptions(std::ios::badbit | std::ios::failbit);
        std::cout << "results";
        body();
      }));
      std::cout << "the parent goes on";
    });
    disk = disk && end.get() != "exit code " + std::to_string(kNoFullDisk);
    // However it ends: the contract does not say how much of a loss an unwritten result is.
    return expect(end.get() != kInCallersCode, "a child that ends there",
                  "a child that " + std::string(kInCallersCode)) &&
           expect_eq("what the parent printed", program.out, "the parent goes on");
  };
  if (test("returns", [] {}) && test("exits", [] { sys_exit(3); })) {
    test("throws", [] { throw std::runtime_error("disk full"); });
  }
  if (!disk) {
    GTEST_SKIP() << "there is no /dev/full here";
  }
}

TEST(Spawn, NothingIsPrintedTwice) {
  lesson("Printed twice, or never");
  did("printed \"before;\" with printf, spawned a child, printed \"after;\"");
  const ChildResult program = watch([] {
    std::printf("before;");
    run_worker([] {});
    std::printf("after;");
  });
  expect_eq("standard output", program.out, "before;after;");
}

TEST(Spawn, NothingThatTheChildPrintsIsLost) {
  lesson("Printed twice, or never");
  did("spawned children that print with printf, and return, exit or throw");
  const ChildResult program = watch([] {
    run_worker([] { std::printf("returned;"); });
    run_worker([] {
      std::printf("exited;");
      sys_exit(3);
    });
    run_worker([] {
      std::printf("threw;");
      throw std::runtime_error("disk full");
    });
    run_worker([] {
      std::printf("threw 42;");
      throw 42;
    });
  });
  expect_eq("standard output", program.out, "returned;exited;threw;threw 42;");
}

TEST(Spawn, CoutWithABufferOfItsOwn) {
  lesson("Printed twice, or never");
  did("printed to std::cout after sync_with_stdio(false): before spawn(), in the child, after it");
  const ChildResult program = watch([] {
    std::ios::sync_with_stdio(false);
    std::cout << "before;";
    run_worker([] { std::cout << "child;"; });
    std::cout << "after;";
  });
  expect_eq("standard output", program.out, "before;child;after;");
}

TEST(Spawn, CerrAndClogWithBuffersOfTheirOwn) {
  lesson("Printed twice, or never");
  did("printed to std::clog, and to std::cerr without std::unitbuf, after sync_with_stdio(false)");
  const ChildResult clog = watch([] {
    std::ios::sync_with_stdio(false);
    std::clog << "before;";
    run_worker([] { std::clog << "child;"; });
    std::clog << "after;";
  });
  const ChildResult cerr = watch([] {
    std::ios::sync_with_stdio(false);
    std::cerr << std::nounitbuf << "before;";
    run_worker([] { std::cerr << "child;"; });
    std::cerr << "after;";
  });
  expect_eq("what std::clog printed", clog.err, "before;child;after;");
  expect_eq("what std::cerr printed", cerr.err, "before;child;after;");
}

TEST(Spawn, EveryStreamOfStdioIsFlushed) {
  lesson("Printed twice, or never");
  did("printed to a log opened with fdopen: before spawn(), in the child, after it");
  const ChildResult program = watch([] {
    std::FILE* const log = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), "w");
    if (log == nullptr) {
      throw std::system_error(errno, std::generic_category(), "fdopen");
    }
    std::fprintf(log, "before;");
    run_worker([log] { std::fprintf(log, "child;"); });
    std::fprintf(log, "after;");
    std::fclose(log);
  });
  expect_eq("the log", program.out, "before;child;after;");
}

TEST(Spawn, LastWordsReachABufferedStderr) {
  lesson("Printed twice, or never");
  did("gave stderr a buffer, and spawned a child that throws");
  const ChildResult program = watch([] {
    std::array<char, 4096> buffer{};
    std::setvbuf(stderr, buffer.data(), _IOFBF, buffer.size());
    std::fprintf(stderr, "before;");
    run_worker([] { throw std::runtime_error("disk full"); });
    std::fflush(stderr);
    std::setvbuf(stderr, nullptr, _IONBF, 0);
  });
  expect_eq("standard error", program.err, "before;Process worker: disk full\n");
}

std::atomic<int>* runs_of_cleanup = nullptr;

TEST(Spawn, CleanupAtExitIsTheParents) {
  lesson("Leaving: _exit, not exit");
  did("registered a function with atexit, made a static object, and spawned a child");
  const Shared<std::atomic<int>> runs;
  runs_of_cleanup = &*runs;
  watch([] {
    struct Cleanup {
      ~Cleanup() { ++*runs_of_cleanup; }
    };
    static const Cleanup cleanup;
    if (std::atexit([] { ++*runs_of_cleanup; }) != 0) {
      throw std::runtime_error("atexit failed");
    }
    run_worker([] {});
    run_worker([] { sys_exit(0); });
    run_worker([] { throw std::runtime_error("disk full"); });
  });
  expect_eq("how often either ran in a child", runs->load(), 0);
}

TEST(Spawn, FailureOfForkIsThrown) {
  lesson("A copy of everything");
  did("made fork fail with EAGAIN");
  const Shared<std::atomic<bool>> ran;
  Faults faults;
  faults.fail("fork", EAGAIN);
  const std::string text = expect_throw<std::system_error>(
      "std::system_error", [&ran] { run_worker([&ran] { *ran = true; }); });
  expect(text.starts_with("fork") && text.ends_with(std::generic_category().message(EAGAIN)),
         "a text that names the call and the error", text);
  expect_eq("the number of calls of fork", faults.count("fork"), 1);
  expect_eq("whether the body ran", ran->load(), false);
}

TEST(Spawn, FailureOfForkLosesNoOutput) {
  lesson("A copy of everything");
  did("printed \"before;\", made fork fail with EAGAIN, and printed \"after;\"");
  const ChildResult program = watch([] {
    std::printf("before;");
    {
      Faults faults;
      faults.fail("fork", EAGAIN);
      try {
        run_worker([] { std::printf("child;"); });
      } catch (const std::system_error&) {
        std::printf("caught;");
      }
    }
    std::printf("after;");
  });
  expect_eq("standard output", program.out, "before;caught;after;");
}

TEST(Spawn, HundredAtOnce) {
  lesson("How it ended");
  did("spawned a hundred children with exit codes 0 to 99, and then waited for each");
  std::list<Worker> workers;
  for (int i = 0; i < 100; ++i) {
    workers.emplace_back([i] { sys_exit(i); });
  }
  int i = 0;
  for (Worker& worker : workers) {
    if (!expect_eq("the end of number " + std::to_string(i), worker.end(),
                   "exit code " + std::to_string(i))) {
      return;
    }
    ++i;
  }
}

TEST(Spawn, ChildSpawnsChildrenOfItsOwn) {
  lesson("A copy of everything");
  did("printed, spawned a child that prints and spawns a child that prints");
  const Note end;
  const ChildResult program = watch([&end] {
    std::printf("parent;");
    Worker child([] {
      std::printf("child;");
      Worker grandchild([] {
        std::printf("grandchild;");
        sys_exit(5);
      });
      if (grandchild.end() == "exit code 5") {
        sys_exit(6);
      }
    });
    end.set(child.end());
  });
  expect_eq("standard output", program.out, "parent;child;grandchild;");
  expect_eq("the child's end (6: the grandchild's was 5)", end.get(), "exit code 6");
}

}  // namespace
}  // namespace mp::test
