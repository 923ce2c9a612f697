#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "00-syscalls/errors.hpp"
#include "02-pipe/bytes.hpp"
#include "03-array/errors.hpp"
#include "03-array/shared_region.hpp"
#include "03-array/typecode.hpp"

namespace mp {

/// Where an index points to.
/// @param index   counted from the front, 0 … length - 1, or from the back, -1 … -length.
/// @param length  how many elements there are.
/// @return the same place, counted from the front.
/// @throws IndexError that shows both numbers, for every other index.
std::size_t position_of(std::ptrdiff_t index, std::size_t length);

/// Some of the elements of a sequence. Python: `start:stop:step`, with `None` where nothing stands.
struct Slice {
  std::optional<std::ptrdiff_t> start{};  ///< the first one; negative counts from the back
  std::optional<std::ptrdiff_t> stop{};   ///< the first one that is no longer in it
  std::optional<std::ptrdiff_t> step{};   ///< from one to the next; 1 if nothing is said
};

/// The elements that a slice of a certain sequence consists of: `first`, `first + step`, …
struct Stretch {
  std::ptrdiff_t first;  ///< a place, counted from the front; of no interest if count is 0
  std::ptrdiff_t step;   ///< from one to the next; never 0
  std::size_t count;     ///< how many
};

/// What a slice means for a sequence of `length` elements, by Python's rules: what lies outside is
/// cut off, and never an error. `2:100` of five elements are three, `4:1` are none, `::-1` are all
/// five from the back, `-100:2` are two.
/// @throws ValueError for a step of 0. Python: "slice step cannot be zero".
/// @see Python: `slice.indices()`.
///
/// ### Implementation
/// Nothing said means "from the end where the step comes from", so it depends on the step's sign.
/// Steps may be as large as ptrdiff_t can hold: let no sum overflow.
Stretch resolve(const Slice& slice, std::size_t length);

/// How many bytes an array takes.
/// @param length        how many elements; 0 is allowed.
/// @param element_size  of each, in bytes, at least 1.
/// @throws ValueError for a negative length, and for one that no memory could hold: the product is
///         more than PTRDIFF_MAX.
std::size_t bytes_for(std::ptrdiff_t length, std::size_t element_size);

/// So many elements of so many bytes, without their type. The memory is somebody else's, and stays
/// it.
class Elements {
 public:
  /// @param data          the first byte of the first one.
  /// @param length        how many. @param element_size  of each, in bytes, at least 1.
  Elements(std::byte* data, std::size_t length, std::size_t element_size) noexcept
      : data_(data), length_(length), element_size_(element_size) {}

  /// The first byte of one of them. @param index  as for position_of(). @throws IndexError.
  [[nodiscard]] std::byte* element(std::ptrdiff_t index) const;

  /// A copy of some of them, one after the other, in the order of the slice.
  /// @throws ValueError as resolve().
  [[nodiscard]] Bytes get_slice(const Slice& slice) const;

  /// Writes some of them: all, or none.
  /// @param slice   which ones.
  /// @param values  the bytes of exactly as many elements. They may lie in this very memory, and
  ///                count as they are before the first one is written.
  /// @throws ValueError as resolve(), or if there are more or fewer values than elements; then
  ///         nothing has changed. (In CPython, `a[0:2] = [7, 'a']` fails, and a[0] is 7.)
  void set_slice(const Slice& slice, std::span<const std::byte> values) const;

  /// How many there are.
  [[nodiscard]] std::size_t size() const noexcept { return length_; }
  /// The first byte of the first one.
  [[nodiscard]] std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_;
  std::size_t length_;
  std::size_t element_size_;
};

/// The text in an array of characters: all before the first NUL, or all. Python: `array.value`.
std::string text_in(std::span<const char> characters);

/// Puts a text into an array of characters, and one NUL behind it if there is room for one. What is
/// there behind that stays. The text may lie in the array itself, and counts as it is before.
/// Python: `array.value = …`.
/// @throws ValueError if the text is longer than the array; then nothing has changed.
void put_text(std::span<char> characters, std::string_view text);

/// The values of any range, one after the other.
template <class T, class R>
std::vector<T> listed(R& range) {
  std::vector<T> values;
  for (auto&& value : range) {
    values.push_back(static_cast<T>(value));
  }
  return values;
}

/// Values from their bytes.
template <class T>
std::vector<T> values_in(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::ranges::copy(bytes, reinterpret_cast<std::byte*>(values.data()));
  return values;
}

/// What an array may hold: values that are their bytes, in every process. A pointer is not: it
/// means something in one address space only. (Pointers inside of a struct cannot be asked for.)
/// bool is left out, since std::vector<bool> is no sequence of them.
template <class T>
concept Shareable = std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> &&
                    !std::is_pointer_v<T> &&
                    !std::same_as<T, bool>;

/// A sequence of fixed length in memory that is shared with the children forked from now on. No
/// lock protects it. Python: `multiprocessing.RawArray`.
template <Shareable T>
class RawArray {
 public:
  /// `length` zeros. @throws ValueError for a negative length; std::system_error (ENOMEM).
  explicit RawArray(std::ptrdiff_t length)
      : RawArray(SharedRegion::anonymous(bytes_for(length, sizeof(T))), length) {}
  /// A copy of a sequence: `RawArray<int>({1, 2, 3})`. @throws std::system_error (ENOMEM).
  RawArray(std::initializer_list<T> values) : RawArray(std::span<const T>(values)) {}
  /// The same.
  explicit RawArray(std::span<const T> values)
      : RawArray(static_cast<std::ptrdiff_t>(values.size())) {
    std::ranges::copy(values, begin());
  }
  /// The same for any range.
  template <std::ranges::input_range R>
  requires std::convertible_to<std::ranges::range_value_t<R>, T> &&
      (!std::same_as<std::remove_cvref_t<R>, RawArray>)explicit RawArray(R&& values)  // NOLINT
      : RawArray(std::span<const T>(listed<T>(values))) {}
  /// Elements that are there already, at the beginning of a region, which is taken over.
  /// @throws ValueError if the region is too small for them.
  RawArray(SharedRegion region, std::ptrdiff_t length)
      : region_(std::move(region)),
        elements_(region_.data(), static_cast<std::size_t>(length), sizeof(T)) {
    if (bytes_for(length, sizeof(T)) > region_.size()) {
      throw ValueError("the region is too small for so many elements");
    }
  }

  /// Takes over the memory; `other` has no elements afterwards.
  RawArray(RawArray&& other) noexcept
      : region_(std::move(other.region_)),
        elements_(std::exchange(other.elements_, Elements(nullptr, 0, sizeof(T)))) {}
  RawArray& operator=(RawArray&&) = delete;

  /// How many elements. Python: `len()`.
  [[nodiscard]] std::size_t size() const noexcept { return elements_.size(); }
  /// One of them. @param index  -size() … size() - 1. @throws IndexError.
  T& operator[](std::ptrdiff_t index) const {
    return *reinterpret_cast<T*>(elements_.element(index));
  }
  /// For `for (int item : array)`.
  [[nodiscard]] T* begin() const noexcept { return reinterpret_cast<T*>(elements_.data()); }
  /// Behind the last one.
  [[nodiscard]] T* end() const noexcept { return begin() + size(); }

  /// A copy of some of them. Python: `array[start:stop:step]`. @throws ValueError for a step of 0.
  [[nodiscard]] std::vector<T> slice(const Slice& which) const {
    return values_in<T>(elements_.get_slice(which));
  }
  /// Writes some of them, or none. Python: `array[start:stop:step] = values`.
  /// @throws ValueError if there are not exactly as many values.
  void assign(const Slice& which, std::span<const T> values) const {
    elements_.set_slice(which, std::as_bytes(values));
  }
  /// The same for a list: `array.assign({1, 3}, {7, 8})`.
  void assign(const Slice& which, std::initializer_list<T> values) const {
    assign(which, std::span<const T>(values));
  }

  /// The text in an array of characters. Python: `array.value`.
  [[nodiscard]] std::string value() const requires std::same_as<T, char> {
    return text_in({begin(), size()});
  }
  /// Puts a text there. Python: `array.value = …`. @throws ValueError if it is too long.
  void set_value(std::string_view text) const requires std::same_as<T, char> {
    put_text({begin(), size()}, text);
  }
  /// All characters, NULs as well. Python: `array.raw`.
  [[nodiscard]] std::string raw() const requires std::same_as<T, char> { return {begin(), size()}; }

  /// The memory, which stays this object's.
  [[nodiscard]] const SharedRegion& region() const noexcept { return region_; }

 private:
  SharedRegion region_;
  Elements elements_;
};

/// One value in shared memory, without a lock. Python: `multiprocessing.RawValue`.
template <Shareable T>
class RawValue {
 public:
  /// @throws std::system_error (ENOMEM).
  explicit RawValue(T initial = T{}) : array_({initial}) {}
  /// The value, to be read and written. Python: `value`.
  [[nodiscard]] T& value() const { return array_[0]; }

 private:
  RawArray<T> array_;
};

}  // namespace mp
