#pragma once

#include <stdexcept>

namespace mp {

/// A bad argument, or a call on an object that has been closed. Python: `ValueError`.
class ValueError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

}  // namespace mp
