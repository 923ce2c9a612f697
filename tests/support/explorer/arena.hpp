#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace explorer {

/// The memory that the modelled processes share, always at the same place, so that a pointer in it
/// is the same in every execution. Memory outside of it belongs to one process and is not looked
/// at.
///
/// It has a mirror that the explorer keeps up to date with every access that it is told of. Where
/// both differ, something wrote that it cannot see.
class Arena {
 public:
  static constexpr std::size_t kSize = 128UL * 1024;

  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// All zeros again, and nothing handed out.
  void reset();

  /// @return zeroed memory; nullptr when none is left.
  void* allocate(std::size_t size, std::size_t alignment);

  [[nodiscard]] bool holds(const void* address) const {
    return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(memory_) <
           used_;
  }
  [[nodiscard]] std::size_t offset(const void* address) const {
    return static_cast<std::size_t>(static_cast<const std::byte*>(address) - memory_);
  }
  [[nodiscard]] void* at(std::size_t offset) const { return memory_ + offset; }
  [[nodiscard]] std::size_t used() const { return used_; }

  /// The value of `size` bytes (at most 8) that are there now.
  [[nodiscard]] std::uint64_t peek(const void* address, int size) const;
  /// Stores a value, in the mirror as well.
  void poke(void* address, int size, std::uint64_t value);

  /// Somebody is about to write here: the mirror takes it over later.
  void expect_write(const void* address, std::size_t size) {
    expected_.emplace_back(offset(address), size);
  }
  /// What is there now is right.
  void accept_all();
  /// Whether everything that changed was announced. @return the first byte that was not; nullptr.
  const void* find_unannounced();

  /// Gives an object a name for the report.
  void name(const void* address, std::size_t size, std::string_view text);
  /// "counter", "Lock+8"; empty where nothing was named.
  [[nodiscard]] std::string name_of(const void* address) const;

 private:
  struct Name {
    std::size_t offset;
    std::size_t size;
    std::string text;
  };

  std::byte* memory_ = nullptr;
  std::byte* mirror_ = nullptr;
  std::size_t used_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> expected_;  // offset and size
  std::vector<Name> names_;
};

}  // namespace explorer
