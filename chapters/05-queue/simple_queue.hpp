#pragma once

#include <cstddef>
#include <mutex>  // std::lock_guard
#include <span>
#include <utility>

#include "02-pipe/bytes.hpp"
#include "02-pipe/connection.hpp"
#include "02-pipe/pickle.hpp"
#include "04-lock/lock.hpp"

namespace mp {

/// A pipe that any number of processes may send on and receive from: SimpleQueue without its type.
///
/// A pipe is a queue of bytes already. What it lacks is that a message stays together: two
/// processes which send at once get their frames torn into each other, and two which receive at
/// once get half a frame each. So there is a lock for each end. Its holder has the end for as long
/// as one message takes.
///
/// It has no bound of its own: a message waits in the kernel's buffer, and put_bytes() waits when
/// that is full. A process that is killed while it holds a lock keeps it for ever.
class LockedPipe {
 public:
  /// An empty one. @throws std::system_error (EMFILE, ENFILE, ENOMEM); nothing is left open then.
  LockedPipe();

  /// Sends one message. Waits for the others that send, and while there is no room.
  /// @param message  of any length up to kMaxMessage; it is not copied, and may be empty.
  /// @throws as Connection::send_bytes(). The lock is free again in any case.
  void put_bytes(std::span<const std::byte> message);

  /// Receives the next message. Waits for the others that receive, and until there is one.
  /// @throws as Connection::recv_bytes(). The lock is free again in any case. After std::bad_alloc
  ///         it is for this process to try again: it has taken the message's length already.
  ///
  /// ### Implementation
  /// One lock for both ends would be too few: who waits for a message holds it, and nobody could
  /// send one.
  Bytes get_bytes();

  /// Whether there is no message, nor a part of one, at this moment. Another process may change
  /// that at once. Takes no lock: it must not wait for somebody who waits for a message.
  /// @throws ValueError if this process has closed it; std::system_error.
  [[nodiscard]] bool empty() const;

  /// Gives up this process's ends. Those of other processes are as before. May be repeated.
  void close() noexcept;

 private:
  explicit LockedPipe(std::pair<Connection, Connection> ends);

  Connection reader_;
  Connection writer_;
  Lock reading_;
  Lock writing_;
};

/// A pipe of values that any number of processes put into and get from. Python:
/// `multiprocessing.SimpleQueue`.
/// @tparam T  what dumps() and loads() can do.
template <class T>
class SimpleQueue {
 public:
  /// Python: `put(item)`. @throws whatever dumps() throws, before a byte is sent; as
  /// LockedPipe::put_bytes().
  void put(const T& item) { pipe_.put_bytes(dumps(item)); }
  /// Python: `get()`. @throws UnpicklingError; as LockedPipe::get_bytes().
  T get() { return loads<T>(pipe_.get_bytes()); }
  /// Python: `empty()`. @throws as LockedPipe::empty().
  [[nodiscard]] bool empty() const { return pipe_.empty(); }
  /// Python: `close()`.
  void close() noexcept { pipe_.close(); }

 private:
  LockedPipe pipe_;
};

}  // namespace mp
