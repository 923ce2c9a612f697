#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "00-syscalls/deadline.hpp"
#include "00-syscalls/errors.hpp"
#include "02-pipe/bytes.hpp"
#include "02-pipe/pickle.hpp"
#include "05-queue/errors.hpp"
#include "05-queue/joinable.hpp"

namespace mp {

/// A queue of values that any number of processes put into and get from. Python:
/// `multiprocessing.Queue`. It is inherited: children that are forked later have it, too. (Given.)
///
/// Whoever is killed leaves it usable. Python's feeder thread is not there: a value is in the queue
/// when put() returns, so a get() afterwards finds it, and a process may end at once. When there is
/// no room, put() waits, and does not hoard.
/// @tparam T  what dumps() and loads() can do.
template <class T>
class Queue {
 public:
  /// An empty queue.
  /// @param maxsize  how many values it holds at most. Zero or less: as many as there is memory
  ///                 for. The memory is kBytes, or less if that is enough for `maxsize` numbers.
  /// @throws ValueError for no bytes, or 32 GiB and more; std::system_error (ENOMEM).
  /// Python: `Queue(maxsize=0)`.
  explicit Queue(std::ptrdiff_t maxsize = 0) : Queue(maxsize, bytes_for(maxsize)) {}
  /// The same, with another amount of memory.
  /// @param maxsize  as above.
  /// @param bytes  for the values. A value takes its dumps() and up to 15 bytes. Memory that was
  ///               never used costs nothing.
  Queue(std::ptrdiff_t maxsize, std::size_t bytes) : queue_(maxsize, bytes) {}

  /// The memory of a queue that is not told how much.
  static constexpr std::size_t kBytes = std::size_t{16} << 20;

  /// Puts a value in, and waits while there is no room. Python: `put(obj, block=True)`.
  /// @param value  it is copied.
  /// @param block  false: does not wait.
  /// @throws Full; ValueError if close() was called, or if the value never fits; whatever dumps()
  ///         throws; std::system_error. Nothing is put then.
  void put(const T& value, bool block = true) {
    put_until(value, block ? Deadline::never() : passed());
  }
  /// The same with a limit. Python: `put(obj, block, timeout)`.
  /// @param value, block  as above.
  /// @param timeout  how long to wait, if `block`; zero or less does not wait.
  template <class Rep, class Period>
  void put(const T& value, bool block, std::chrono::duration<Rep, Period> timeout) {
    put_until(value, block ? Deadline::after(timeout) : passed());
  }
  /// Python: `put_nowait(obj)`. @throws as put().
  void put_nowait(const T& value) { put(value, false); }

  /// Takes the oldest value out, and waits while there is none. Python: `get(block=True)`.
  /// @param block  false: does not wait.
  /// @throws Empty; ValueError if close() was called; UnpicklingError for a value that was put as
  ///         another type, and it is gone then; std::bad_alloc; std::system_error.
  T get(bool block = true) { return get_until(block ? Deadline::never() : passed()); }
  /// The same with a limit. Python: `get(block, timeout)`.
  /// @param block    as above.
  /// @param timeout  how long to wait, if `block`; zero or less does not wait.
  template <class Rep, class Period>
  T get(bool block, std::chrono::duration<Rep, Period> timeout) {
    return get_until(block ? Deadline::after(timeout) : passed());
  }
  /// Python: `get_nowait()`. @throws as get().
  T get_nowait() { return get(false); }

  /// How many values are in, at this moment. Exact, unlike Python's. Python: `qsize()`.
  [[nodiscard]] std::size_t qsize() const noexcept { return queue_.size(); }
  /// Whether qsize() is 0. Python: `empty()`.
  [[nodiscard]] bool empty() const noexcept { return queue_.size() == 0; }
  /// Whether qsize() is the bound. (A queue may refuse earlier, for want of bytes.) Python:
  /// `full()`.
  [[nodiscard]] bool full() const noexcept { return queue_.size() >= queue_.maxsize(); }

  /// This process puts and gets no more. Others are not concerned. Python: `close()`.
  void close() noexcept { queue_.close(); }
  /// Nothing: there is no thread to wait for. Python: `join_thread()`.
  /// @throws ValueError unless close() was called (Python: AssertionError).
  void join_thread() const {
    if (!queue_.closed()) {
      throw ValueError("join_thread: the queue is not closed");
    }
  }
  /// Nothing: there is no thread. Python: `cancel_join_thread()`.
  void cancel_join_thread() const noexcept {}

 private:
  static constexpr std::size_t bytes_for(std::ptrdiff_t maxsize) noexcept {
    constexpr std::size_t kEach = Ring::bytes_for(sizeof(T));
    const bool is_enough = std::is_arithmetic_v<T> && maxsize > 0 &&
                           static_cast<std::size_t>(maxsize) < kBytes / kEach;
    return is_enough ? static_cast<std::size_t>(maxsize) * kEach : kBytes;
  }
  static Deadline passed() { return Deadline::after(std::chrono::seconds(0)); }

  void put_until(const T& value, Deadline deadline) {
    bool done = false;
    if constexpr (std::is_arithmetic_v<T>) {  // as dumps(), without memory of its own
      done = queue_.put_until(std::as_bytes(std::span(&value, 1)), deadline);
    } else {
      done = queue_.put_until(dumps(value), deadline);
    }
    if (!done) {
      throw Full();
    }
  }
  T get_until(Deadline deadline) {
    const std::optional<Bytes> bytes = queue_.get_until(deadline);
    if (!bytes) {
      throw Empty();
    }
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      if (T value{}; bytes->size() == sizeof value) {  // as loads(), but without its archive
        std::memcpy(&value, bytes->data(), sizeof value);
        return value;
      }
    }
    return loads<T>(*bytes);
  }

 protected:
  TaskQueue queue_;  ///< of their bytes
};

/// A queue whose values are finished one by one, and whose end can be waited for. Python:
/// `multiprocessing.JoinableQueue`. (Given.)
template <class T>
class JoinableQueue : public Queue<T> {
 public:
  using Queue<T>::Queue;

  /// For whoever has got a value: it is dealt with. Python: `task_done()`.
  /// @throws ValueError if that was said of all that was put; std::system_error.
  void task_done() { this->queue_.task_done(); }
  /// Waits until it was said of all that was put. Python: `join()`. @throws std::system_error.
  void join() { this->queue_.join_until(Deadline::never()); }
  /// The same with a limit, which Python does not have.
  /// @return whether all is done.
  template <class Rep, class Period>
  bool join(std::chrono::duration<Rep, Period> timeout) {
    return this->queue_.join_until(Deadline::after(timeout));
  }
};

}  // namespace mp
