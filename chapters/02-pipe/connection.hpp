#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <system_error>

#include "00-syscalls/deadline.hpp"
#include "02-pipe/bytes.hpp"
#include "02-pipe/errors.hpp"
#include "02-pipe/framing.hpp"
#include "02-pipe/pickle.hpp"
#include "02-pipe/tracked_fd.hpp"
#include "02-pipe/unique_fd.hpp"

namespace mp {

/// One end of a Pipe(): sends and receives messages, whole and in order.
/// Python: `multiprocessing.connection.Connection`.
///
/// At the other end may be a process of this program, of another one, or CPython. fork gives the
/// child a copy of each end; *every* copy of an end must be closed before the other end sees the
/// end of file (see keep_only()). One process at a time sends on an end, and one receives: frames
/// of two senders may come out torn into each other. The same holds for threads.
///
/// A call that does not fit (a closed end, the wrong direction) is a ValueError, and changes
/// nothing.
///
/// A message of up to 16 KiB costs one system call to send, and two to receive, if there is room
/// for it and it is there: without a limit, no call is made to ask beforehand.
class Connection {
 public:
  /// Takes over an end.
  /// @param fd        a stream socket (unix(7)).
  /// @param readable  whether messages may be received. @param writable  whether they may be sent.
  /// @throws ValueError if there is no descriptor, or it may do neither; std::system_error (EMFILE)
  ///         for a descriptor that TrackedFd has no room for. It is closed then.
  /// Python: `Connection(handle, readable=True, writable=True)`.
  explicit Connection(UniqueFd fd, bool readable = true, bool writable = true);

  Connection(Connection&&) noexcept = default;             ///< The one moved from is closed.
  Connection& operator=(Connection&&) noexcept = default;  ///< What this one held is closed.

  /// Sends one message, and waits while there is no room for it. Python: `send_bytes()`.
  /// @param message  of any length up to kMaxMessage; it is not copied, and may be empty.
  /// @throws std::system_error: EPIPE if no process holds the other end, at each call. Any other
  ///         error may have come in the middle of the message: sending is over then, as below.
  ///         ValueError as above, or if the message is too long: nothing is sent then.
  void send_bytes(std::span<const std::byte> message) {
    send_bytes_until(message, Deadline::never());
  }

  /// The same with a limit, which CPython does not have.
  /// @param message   of any length up to kMaxMessage.
  /// @param deadline  for all of it. One that has passed sends what there is room for, without
  ///                  waiting.
  /// @throws TimeoutError if the message could not be sent in time. As long as nothing of it was
  ///         sent, the connection is as before. After a message that was cut off, sending is over
  ///         for good: a connection that only sends is closed, one that also receives goes on as
  ///         one that only receives. The receiver gets BadMessage and then EOFError. As
  ///         send_bytes() otherwise.
  ///
  /// ### Implementation
  /// shutdown(2) with SHUT_WR tells the receiver, even if other processes hold this end as well.
  void send_bytes_until(std::span<const std::byte> message, Deadline deadline);

  /// Receives the next message, and waits for it. Python: `recv_bytes()`.
  /// @param maxlength  of the message, in bytes.
  /// @throws EOFError if nothing is left and no process holds the other end; again at each call.
  ///         BadMessage if the end of file is inside a message; the next call is an EOFError.
  ///         BadMessage for a message that is longer than `maxlength` (as soon as its length is
  ///         known) or of a length that cannot be; std::system_error. After one of these three,
  ///         nobody knows where the next message begins, and receiving is over for good: a
  ///         connection that only receives is closed, one that also sends goes on as one that only
  ///         sends. ValueError as above. std::bad_alloc, after which the message is still there.
  Bytes recv_bytes(std::size_t maxlength = kMaxMessage) {
    return recv_bytes_until(Deadline::never(), maxlength);
  }

  /// The same with a limit for all of the message, which CPython does not have.
  /// @param deadline   for all of it. One that has passed takes what is there, without waiting.
  /// @param maxlength  of the message, in bytes.
  /// @throws TimeoutError if the message was not complete in time. What has arrived of it is kept,
  ///         and the next call goes on from there. (It is kept in this process. A child that is
  ///         forked in between has a copy of it, and must not receive on this end.) As recv_bytes()
  ///         otherwise.
  Bytes recv_bytes_until(Deadline deadline, std::size_t maxlength = kMaxMessage);

  /// Receives the next message into memory of the caller's, without a copy in between (unless a
  /// part of it has come before, with a call that timed out). Python: `recv_bytes_into()`.
  /// @param buffer  where to, from its first byte on.
  /// @return how long the message is.
  /// @throws BufferTooShort if the message is longer than `buffer`, which is unchanged then. The
  ///         exception has all of the message, and the connection goes on with the next one. As
  ///         recv_bytes() otherwise; then `buffer` may be written to in part.
  std::size_t recv_bytes_into(std::span<std::byte> buffer);

  /// Sends a value. Python: `send()`. @throws as dumps(), before a byte is sent, and send_bytes().
  template <class T>
  void send(const T& value) {
    send_bytes(dumps(value));
  }

  /// The same with a limit. @throws TimeoutError, as send_bytes_until().
  template <class T, class Rep, class Period>
  void send_for(const T& value, std::chrono::duration<Rep, Period> timeout) {
    send_bytes_until(dumps(value), Deadline::after(timeout));
  }

  /// Receives a value. Python: `recv()`.
  /// @throws UnpicklingError if the message is no T: it is gone then, and the next one can be
  ///         received. As recv_bytes() otherwise.
  template <class T>
  T recv() {
    return loads<T>(recv_bytes());
  }

  /// The same with a limit for all of the message. @throws TimeoutError, as recv_bytes_until().
  template <class T, class Rep, class Period>
  T recv_for(std::chrono::duration<Rep, Period> timeout) {
    return loads<T>(recv_bytes_until(Deadline::after(timeout)));
  }

  /// Whether the kernel has something to receive: a message, the beginning or the rest of one, or
  /// the end of file. What this object has kept of a message (recv_bytes_until()) does not count.
  /// Exercise 2.6. Python: `poll(timeout)`.
  /// @param deadline  until when to wait for it.
  /// @throws ValueError if closed or not readable; std::system_error.
  [[nodiscard]] bool poll_until(Deadline deadline) const;

  /// Whether there is something now. Python: `poll()`.
  [[nodiscard]] bool poll() const { return poll(std::chrono::seconds(0)); }

  /// Waits for something, at most this long. @param timeout  zero or less does not wait.
  template <class Rep, class Period>
  [[nodiscard]] bool poll(std::chrono::duration<Rep, Period> timeout) const {
    return poll_until(Deadline::after(timeout));
  }

  /// Waits for something, for ever. Python: `poll(None)`.
  [[nodiscard]] bool poll(std::nullopt_t) const { return poll_until(Deadline::never()); }

  /// Gives up this process's copy of the end. May be repeated. Python: `close()`.
  void close() noexcept;

  /// The descriptor, which stays this object's. Python: `fileno()`.
  /// @throws ValueError "handle is closed".
  [[nodiscard]] int fileno() const;

  /// Whether it is closed, or was moved from. Python: `closed`.
  [[nodiscard]] bool closed() const noexcept { return fd_.get() == -1; }
  /// Whether messages may be received; close() does not change it. Python: `readable`.
  [[nodiscard]] bool readable() const noexcept { return readable_; }
  /// Whether messages may be sent; close() does not change it. Python: `writable`.
  [[nodiscard]] bool writable() const noexcept { return writable_; }

  /// The descriptor of an end that receives. @throws ValueError "handle is closed", "connection is
  /// write-only".
  [[nodiscard]] int require_readable() const;
  /// The descriptor of an end that sends. @throws ValueError "handle is closed", "connection is
  /// read-only".
  [[nodiscard]] int require_writable() const;

 private:
  friend UniqueFd recv_fd(Connection& connection);  // exercise 2.7: stop_reading(), incoming_

  /// Reads the header of the next message. @return its length, which is at most `maxlength`.
  /// @throws as recv_bytes_until().
  std::size_t next_length(std::size_t maxlength, Deadline deadline);
  /// Runs a part of receiving, and stops all receiving if it fails in such a way that nobody
  /// knows where the next message begins. (Given.) After the end of file inside of a message there
  /// is no next one: whoever throws BadMessage for that empties `incoming_` before.
  template <class F>
  auto in_step(F read) {
    try {
      return read();
    } catch (const BadMessage&) {
      if (incoming_.header.size > 0) {  // not the end of file, but a length that cannot be
        stop_reading();
      }
      throw;
    } catch (const std::system_error&) {
      stop_reading();
      throw;
    }
  }
  /// Receiving is over: from now on it only sends, or it is closed.
  void stop_reading() noexcept;
  /// Sending is over, and the receiver is told: from now on it only receives, or it is closed.
  void stop_writing() noexcept;

  TrackedFd fd_;
  bool readable_;
  bool writable_;
  Incoming incoming_;  ///< what has arrived of the next message
};

}  // namespace mp
