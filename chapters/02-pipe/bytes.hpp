#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace mp {

/// A string of bytes of a fixed length, which owns its memory. Python: `bytes`.
///
/// Unlike `std::vector<std::byte>(n)`, a new one is not filled with zeros: what is about to be read
/// over need not be written first, and memory that nobody has touched costs the kernel nothing.
class Bytes {
 public:
  /// No bytes.
  Bytes() noexcept = default;

  /// `size` bytes of which nobody knows yet what they are.
  /// @throws std::bad_alloc if there is no such memory.
  explicit Bytes(std::size_t size)
      : data_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

  /// A copy of the bytes of somebody else.
  explicit Bytes(std::span<const std::byte> bytes) : Bytes(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), data());
  }

  /// A copy.
  Bytes(const Bytes& other) : Bytes(std::span<const std::byte>(other)) {}
  /// Takes the memory; `other` is empty afterwards.
  Bytes(Bytes&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  /// As the constructors.
  Bytes& operator=(Bytes other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() = default;

  /// The first byte. With this and size(), a Bytes is a `std::span<std::byte>` wherever one is
  /// wanted.
  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  /// The first byte.
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  /// How many bytes there are.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Whether there are none.
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  /// For `for (std::byte b : bytes)`.
  [[nodiscard]] std::byte* begin() noexcept { return data(); }
  /// Behind the last byte.
  [[nodiscard]] std::byte* end() noexcept { return data() + size(); }
  /// As above.
  [[nodiscard]] const std::byte* begin() const noexcept { return data(); }
  /// As above.
  [[nodiscard]] const std::byte* end() const noexcept { return data() + size(); }

  /// Whether both hold the same bytes.
  friend bool operator==(const Bytes& a, const Bytes& b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
};

/// The bytes of a text, which stay the text's. Python: `b"…"`.
inline std::span<const std::byte> bytes_of(std::string_view text) noexcept {
  return std::as_bytes(std::span(text));
}

/// Bytes read as text; they stay whose they are. Python: `bytes.decode()`.
inline std::string_view text_of(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mp
