#pragma once

#include <sys/types.h>

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "00-syscalls/deadline.hpp"
#include "01-process/family.hpp"
#include "01-process/join.hpp"

namespace mp {

/// What may be said of a process before it starts:
/// `mp::Process p({.name = "writer", .daemon = true}, write_log);`
struct ProcessOptions {
  std::string name = {};            ///< empty: "Process-N"
  std::optional<bool> daemon = {};  ///< none: as the creator is
  bool die_with_parent = false;  ///< killed by the kernel when the thread that calls start() ends
};

/// The process's own copy of a T, made by copy or move.
template <class T>
using Own = std::decay_t<T>;

/// What a process can run: a function, with arguments for it.
template <class F, class... Args>
concept Runnable =
    std::invocable<std::add_lvalue_reference_t<Own<F>>, std::add_lvalue_reference_t<Own<Args>>...>;

/// A function to be run in a process of its own. Python: `multiprocessing.Process`.
///
/// The child works on a copy of everything: what it changes, the parent does not see.
///
/// Only the process that made the object may start, join, ask or signal; elsewhere that is a
/// std::logic_error. pid(), name() and daemon() may be asked anywhere. One thread makes, starts
/// and closes; any number may join.
class Process {
 public:
  /// Takes the function and its arguments, by copy or move; nothing runs yet.
  template <class F, class... Args>
  requires Runnable<F, Args...>
  explicit Process(F&& function, Args&&... args)
      : Process(ProcessOptions{}, std::forward<F>(function), std::forward<Args>(args)...) {}

  /// The same, with options.
  template <class F, class... Args>
  requires Runnable<F, Args...>
  explicit Process(ProcessOptions options, F&& function, Args&&... args)
      : Process(std::move(options), bind(std::forward<F>(function), std::forward<Args>(args)...),
                Bound{}) {}

  /// Joins the child if it was started and never joined, unless it is a daemon or the object was
  /// closed. A daemon runs on, until leave_family() terminates it. In a process that is not the
  /// creator: nothing.
  ~Process();

  Process(Process&&) noexcept = default;  ///< The one moved from may only be destroyed.
  Process& operator=(Process&&) = delete;

  /// Starts the child. Python: `Process.start()`.
  ///
  /// The function and its arguments are the child's from then on, and the parent's copy of them is
  /// destroyed: a descriptor that was moved into the process is open in the child only.
  /// @throws std::logic_error if it was started before, if this process is not the creator, or is
  ///         a daemon (a daemon may have no children: nobody would end them); ValueError if closed;
  ///         std::system_error if there is no process or descriptor to be had: then nothing is
  ///         left running, and start() may be tried again.
  ///
  /// ### Implementation
  /// In the parent: reap the children that have ended (active_children() does), spawn(), take over
  /// the child, adopt(). When there is no descriptor for its pidfd, the child must not run on.
  /// In the child, in this order: die with the parent, if asked; enter_family(); the function;
  /// leave_family(), however the function ended.
  /// `prctl(PR_SET_PDEATHSIG, SIGKILL)` knows only of a parent that dies *afterwards*. It comes
  /// first, so that the time in which the parent can die unnoticed is short.
  void start();

  /// Waits until the child has ended. May be repeated. Python: `Process.join()`.
  /// @throws std::logic_error before start(), or not in the creator; ValueError if closed.
  void join() { join_until(Deadline::never()); }

  /// Waits until the child has ended or the deadline has passed.
  /// @return whether it has ended. @throws as join().
  bool join_until(Deadline deadline);

  /// As join_until(). Python: `Process.join(timeout)`. @param timeout  zero or less: do not wait.
  template <class Rep, class Period>
  bool join_for(std::chrono::duration<Rep, Period> timeout) {
    return join_until(Deadline::after(timeout));
  }

  /// From start() until the child's end. Python: `Process.is_alive()`.
  /// @throws std::logic_error not in the creator; ValueError if closed.
  bool is_alive();

  /// @return none before the end; then n, -signal, or kExitUnknown. Python: `Process.exitcode`.
  /// @throws as is_alive().
  std::optional<int> exitcode();

  /// SIGTERM; nothing if it has ended. Python: `Process.terminate()`.
  /// @throws std::logic_error before start(), or not in the creator; ValueError if closed.
  void terminate();

  /// SIGKILL; nothing if it has ended. Python: `Process.kill()`. @throws as terminate().
  void kill();

  /// A descriptor that becomes readable at the child's end; owned by this object, until close().
  /// Python: `Process.sentinel`. @throws ValueError before start() or if closed;
  /// std::logic_error not in the creator.
  int sentinel();

  /// Frees what the object holds. May be repeated: on a closed object it returns, in any process.
  /// Python: `Process.close()`.
  /// @throws ValueError while the child runs; std::logic_error not in the creator.
  ///
  /// ### Implementation
  /// The family holds the child as well, until active_children() finds that it has ended.
  void close();

  /// @return none before start(). Python: `Process.pid`. @throws ValueError if closed.
  [[nodiscard]] std::optional<pid_t> pid() const;

  /// The name given, or "Process-N". Python: `Process.name`.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Whether the creator's end is the child's end. Python: `Process.daemon`.
  [[nodiscard]] bool daemon() const noexcept { return daemon_; }

 private:
  struct Bound {};  ///< tells the constructor below from the templates
  Process(ProcessOptions options, std::function<void()> body, Bound);

  /// The function with its arguments. Behind a pointer, because a std::function must be copyable
  /// and what it is to hold may be movable only.
  template <class F, class... Args>
  static std::function<void()> bind(F&& function, Args&&... args) {
    using Call = std::pair<Own<F>, std::tuple<Own<Args>...>>;
    auto call = std::make_shared<Call>(std::piecewise_construct,
                                       std::forward_as_tuple(std::forward<F>(function)),
                                       std::forward_as_tuple(std::forward<Args>(args)...));
    return [call] { std::apply(call->first, call->second); };
  }

  /// What every operation asks first: closed? the creator?
  void require_usable() const;
  /// require_usable(), and started. @return the child. @throws std::logic_error naming `what`.
  Child& require_started(const char* what) const;
  /// The child's side of start(). @param parent  the process that called start().
  void run_in_child(pid_t parent);

  std::function<void()> body_;
  Identity identity_;
  std::string name_;
  bool daemon_;
  bool die_with_parent_;
  pid_t creator_;
  bool closed_ = false;
  std::shared_ptr<Child> child_;  ///< none before start(); shared with the family
};

}  // namespace mp
