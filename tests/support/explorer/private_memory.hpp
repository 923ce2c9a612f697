#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/explorer/vector_clock.hpp"

namespace explorer {

/// The static variables of the code under test, of which each process has its own copy since fork,
/// but here all processes live in one address space. As the kernel does it: what is written is
/// copied, and each process sees its own copy while it runs.
///
/// It is told of every write by the code under test; only those to the data of the module that the
/// code is in, or to that module's thread-local block, are of interest.
class PrivateMemory {
 public:
  /// A write to `size` bytes at `address` is about to happen, by code at `code`.
  /// @return whether it is one to a static variable.
  bool about_to_write(const void* code, const void* address, std::size_t size);

  /// What the set-up has left there is what every process starts with.
  void fork();
  /// Puts the copy of `process` in place; that of the one before it is kept. -1 is the set-up.
  void switch_to(int process);
  /// Everything as it was before the execution.
  void restore();

 private:
  struct Byte {
    std::byte* place;
    std::byte original;
    std::array<std::byte, kMaxProcesses + 1> copies;  // the set-up's last
  };
  struct Range {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
  };

  void find_module(const void* code);
  [[nodiscard]] bool is_static(std::uintptr_t address) const;
  static std::size_t slot(int process) {
    return static_cast<std::size_t>(process < 0 ? kMaxProcesses : process);
  }

  std::vector<Byte> bytes_;
  int current_ = -1;
  Range code_;  // the module last looked up
  Range data_;
  Range thread_local_;
  bool block_to_come_ = false;
};

}  // namespace explorer
