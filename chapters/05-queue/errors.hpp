#pragma once

#include <stdexcept>

namespace mp {

/// No room came free in the time given, and nothing was put. Python: `queue.Full`.
class Full : public std::runtime_error {
 public:
  Full() : std::runtime_error("the queue is full") {}
};

/// No item came in the time given. Python: `queue.Empty`.
class Empty : public std::runtime_error {
 public:
  Empty() : std::runtime_error("the queue is empty") {}
};

}  // namespace mp
