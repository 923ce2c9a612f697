#pragma once

#include <stdexcept>
#include <string>

namespace mp {

/// What the body of an unwritten function throws, so that an unfinished exercise fails by name
/// instead of by accident: `throw mp::todo("2.3 write_frame");`
/// @param what the exercise's number and the function's name.
/// @return the exception to throw; its text begins with "TODO".
inline std::logic_error todo(const std::string& what) {
  return std::logic_error("TODO " + what + " is not written yet");
}

}  // namespace mp
