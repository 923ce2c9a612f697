#pragma once

#include <cstring>
#include <ostream>

namespace mp::test {

/// A value of `errno` that a message shows with its name: "EPIPE (32)".
struct ErrorNumber {
  int value;

  friend bool operator==(ErrorNumber, ErrorNumber) = default;
  friend std::ostream& operator<<(std::ostream& out, ErrorNumber error) {
    const char* const name = error.value == 0 ? nullptr : strerrorname_np(error.value);
    return name == nullptr ? out << error.value : out << name << " (" << error.value << ")";
  }
};

}  // namespace mp::test
