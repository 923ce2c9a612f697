#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "02-pipe/bytes.hpp"

namespace mp {

/// Nothing is left to receive, and no process holds the other end any more. Python: `EOFError`.
class EOFError : public std::runtime_error {
 public:
  /// It always says the same.
  EOFError() : EOFError("end of file: no process holds the other end any more") {}
  using std::runtime_error::runtime_error;
};

/// What arrived is not a message: it is torn, has a length that cannot be, or is longer than the
/// receiver allows. Python: `OSError("got end of file during message")`, `OSError("bad message
/// length")`.
class BadMessage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The bytes of a message are no value of the type asked for. Python: `pickle.UnpicklingError`.
class UnpicklingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Python: `multiprocessing.ProcessError`, the base of the next two.
class ProcessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The time is over. Python: `multiprocessing.TimeoutError`.
class TimeoutError : public ProcessError {
 public:
  using ProcessError::ProcessError;
};

/// The caller's memory is too small for the message, which is in here, so that it is not lost.
/// Python: `multiprocessing.BufferTooShort`.
class BufferTooShort : public ProcessError {
 public:
  /// @param whole  the message, which becomes the exception's.
  explicit BufferTooShort(Bytes whole)
      : ProcessError("the buffer is too short for a message of " + std::to_string(whole.size()) +
                     " bytes"),
        message(std::move(whole)) {}

  Bytes message;  ///< all of it. Python: `error.args[0]`.
};

}  // namespace mp
