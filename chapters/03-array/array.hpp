#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <mutex>  // std::lock_guard
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "02-pipe/bytes.hpp"
#include "03-array/raw_array.hpp"
#include "03-array/shared_region.hpp"
#include "03-array/typecode.hpp"
#include "04-lock/rlock.hpp"

namespace mp {

/// Elements in shared memory and the lock that protects them. Array without its type.
///
/// At the front of one region lies the lock's state, and kFront bytes behind it the elements. Each
/// single call takes the lock, once, and gives it back, whatever happens in between; two calls in a
/// row are not one. Who needs more takes get_lock() around them: it may be taken again by whoever
/// has it.
///
/// The lock is the one of chapter 04 (exercise 4.3), a closed box as yet: acquire() and release(),
/// or std::lock_guard. A process that is killed while it holds the lock leaves it locked.
class LockedElements {
 public:
  /// Where the elements begin: a lock and its neighbours in one cache line would slow each other
  /// down.
  static constexpr std::size_t kFront = 64;

  /// New ones, all bytes 0, and a lock that nobody holds.
  /// @param length  how many; 0 is allowed. @param element_size  of each, in bytes, at least 1.
  /// @throws ValueError as bytes_for(); std::system_error (ENOMEM).
  LockedElements(std::ptrdiff_t length, std::size_t element_size);
  /// It stays where it is: references to its elements refer to it.
  LockedElements(const LockedElements&) = delete;
  LockedElements& operator=(const LockedElements&) = delete;

  /// Copies one element out. @param index  as for position_of().
  /// @param value  where to: element_size bytes of the caller's. @throws IndexError.
  void load(std::ptrdiff_t index, std::span<std::byte> value) const;
  /// Copies one element in. @param index  as for position_of().
  /// @param value  element_size bytes of the caller's. @throws IndexError.
  void store(std::ptrdiff_t index, std::span<const std::byte> value) const;

  /// All of them at one moment: no store of another process falls in between. Python:
  /// `array[:]`.
  [[nodiscard]] Bytes snapshot() const;
  /// As Elements::get_slice(), at one moment. @throws ValueError.
  [[nodiscard]] Bytes get_slice(const Slice& slice) const;
  /// As Elements::set_slice(), at one moment. @throws ValueError; nothing has changed then.
  void set_slice(const Slice& slice, std::span<const std::byte> values) const;

  /// The lock. It lives as long as this object. Python: `get_lock()`.
  [[nodiscard]] RLock& get_lock() const noexcept { return lock_; }
  /// The elements without the lock. Python: `get_obj()`.
  [[nodiscard]] const Elements& get_obj() const noexcept { return elements_; }

 private:
  SharedRegion region_;
  mutable RLock lock_;  ///< a handle: what it locks is in region_
  Elements elements_;
};

/// A sequence of fixed length in memory that is shared with the children forked from now on. Each
/// read or write of an element is protected by the array's lock. `a[i] += 1` is two of them, a
/// read and a write, and another process may come in between.
/// Python: `multiprocessing.Array`. It cannot be sent: only a child that is forked has it, too.
template <Shareable T>
class Array {
 public:
  /// An element, as an expression: read it as a T, or assign to it. `auto x = a[0]` is another name
  /// for the element; `int x = a[0]` is its value. For printf, write `int(a[0])`.
  class Reference {
   public:
    /// The element at a position that exists.
    Reference(const LockedElements& elements, std::ptrdiff_t index) noexcept
        : elements_(elements), index_(index) {}
    Reference(const Reference&) = default;  ///< Of the same element.
    /// Reads. @throws IndexError.
    operator T() const {  // NOLINT: an element is to read like its value
      T value;
      elements_.load(index_, std::as_writable_bytes(std::span(&value, 1)));
      return value;
    }
    /// Writes. @throws IndexError.
    const Reference& operator=(T value) const {
      elements_.store(index_, std::as_bytes(std::span(&value, 1)));
      return *this;
    }
    /// Writes the *value* of another element. @throws IndexError.
    const Reference& operator=(const Reference& other) const { return *this = T(other); }
    /// As above.
    Reference& operator=(const Reference& other) {
      std::as_const(*this) = T(other);
      return *this;
    }
    /// Reads, then writes: not one step. Take get_lock() around it.
    const Reference& operator+=(T value) const { return *this = static_cast<T>(T(*this) + value); }

   private:
    const LockedElements& elements_;
    std::ptrdiff_t index_;
  };

  /// `length` zeros. Python: `Array('i', 5)`.
  /// @throws ValueError for a negative length; std::system_error (ENOMEM).
  explicit Array(std::ptrdiff_t length) : elements_(length, sizeof(T)) {}
  /// A copy of a sequence. Python: `Array('i', [1, 2, 3])`. @throws std::system_error (ENOMEM).
  Array(std::initializer_list<T> values) : Array(std::span<const T>(values)) {}
  /// The same.
  explicit Array(std::span<const T> values) : Array(static_cast<std::ptrdiff_t>(values.size())) {
    assign({}, values);
  }
  /// The same for any range.
  template <std::ranges::input_range R>
  requires std::convertible_to<std::ranges::range_value_t<R>, T> &&
      (!std::same_as<std::remove_cvref_t<R>, Array>)explicit Array(R&& values)  // NOLINT
      : Array(std::span<const T>(listed<T>(values))) {}

  /// Its typecode; 0 for a type that has none.
  static constexpr char typecode = typecode_of<T>();  // NOLINT: Python's name

  /// How many elements. Python: `len()`.
  [[nodiscard]] std::size_t size() const noexcept { return elements_.get_obj().size(); }
  /// One of them. @param index  -size() … size() - 1. @throws IndexError.
  Reference operator[](std::ptrdiff_t index) const {
    position_of(index, size());
    return {elements_, index};
  }

  /// All of them at one moment. Python: `array[:]`.
  [[nodiscard]] std::vector<T> snapshot() const { return values_in<T>(elements_.snapshot()); }
  /// A copy of some of them, at one moment. Python: `array[start:stop:step]`. @throws ValueError.
  [[nodiscard]] std::vector<T> slice(const Slice& which) const {
    return values_in<T>(elements_.get_slice(which));
  }
  /// Writes some of them, or none. Python: `array[start:stop:step] = values`.
  /// @throws ValueError if there are not exactly as many values.
  void assign(const Slice& which, std::span<const T> values) const {
    elements_.set_slice(which, std::as_bytes(values));
  }
  /// The same for a list.
  void assign(const Slice& which, std::initializer_list<T> values) const {
    assign(which, std::span<const T>(values));
  }

  /// For `for (int item : array)`, element by element, each of them read when its turn comes.
  class Iterator {
   public:
    using value_type = T;                    ///< What an element holds.
    using difference_type = std::ptrdiff_t;  ///< Between two positions.
    Iterator() = default;
    /// At one of the elements, or behind the last one.
    Iterator(const LockedElements& elements, std::ptrdiff_t index) noexcept
        : elements_(&elements), index_(index) {}
    /// The element.
    Reference operator*() const { return {*elements_, index_}; }
    /// To the next one.
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    /// To the next one; returns where it was.
    Iterator operator++(int) { return {*elements_, index_++}; }
    /// Whether both are at the same place.
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    const LockedElements* elements_ = nullptr;
    std::ptrdiff_t index_ = 0;
  };
  [[nodiscard]] Iterator begin() const noexcept { return {elements_, 0}; }  ///< The first element.
  /// Behind the last one.
  [[nodiscard]] Iterator end() const noexcept {
    return {elements_, static_cast<std::ptrdiff_t>(size())};
  }

  /// The lock, which may be taken again by whoever has it. Python: `get_lock()`.
  [[nodiscard]] RLock& get_lock() const noexcept { return elements_.get_lock(); }
  /// The elements without the lock. Python: `get_obj()`.
  [[nodiscard]] std::span<T> get_obj() const noexcept {
    const Elements& elements = elements_.get_obj();
    return {reinterpret_cast<T*>(elements.data()), elements.size()};
  }

  /// The text in an array of characters. Python: `array.value`.
  [[nodiscard]] std::string value() const requires std::same_as<T, char> {
    const std::vector<char> characters = snapshot();
    return text_in(characters);
  }
  /// Puts a text there. Python: `array.value = …`. @throws ValueError if it is too long.
  void set_value(std::string_view text) const requires std::same_as<T, char> {
    const std::lock_guard guard(get_lock());
    put_text(get_obj(), text);
  }
  /// All characters, NULs as well. Python: `array.raw`.
  [[nodiscard]] std::string raw() const requires std::same_as<T, char> {
    return std::string(text_of(elements_.snapshot()));
  }

 private:
  LockedElements elements_;
};

/// One value in shared memory, with its lock. Python: `multiprocessing.Value`.
template <Shareable T>
class Value {
 public:
  /// @throws std::system_error (ENOMEM).
  explicit Value(T initial = T{}) : array_({initial}) {}
  /// The value: reads as a T, and may be assigned to. Python: `value`.
  [[nodiscard]] typename Array<T>::Reference value() const { return array_[0]; }
  /// The lock. Python: `get_lock()`.
  [[nodiscard]] RLock& get_lock() const noexcept { return array_.get_lock(); }

 private:
  Array<T> array_;
};

/// An array whose type is known only when the program runs. Python: `Array('i', 5)`.
class AnyArray {
 public:
  /// `length` zeros. @throws ValueError for an unknown typecode or a negative length;
  /// std::system_error (ENOMEM).
  AnyArray(char typecode, std::ptrdiff_t length)
      : type_(type_info(typecode)), elements_(length, type_.size) {}

  [[nodiscard]] char typecode() const noexcept { return type_.code; }  ///< What it was made with.
  /// How many elements. Python: `len()`.
  [[nodiscard]] std::size_t size() const noexcept { return elements_.get_obj().size(); }
  /// Reads an element. Python: `array[index]`. @throws IndexError.
  [[nodiscard]] Number get(std::ptrdiff_t index) const {
    Bytes element(type_.size);
    elements_.load(index, element);
    return load_number(type_.code, element.data());
  }
  /// Writes an element. Python: `array[index] = value`. @throws IndexError; ValueError as
  /// store_number().
  void set(std::ptrdiff_t index, Number value) const {
    Bytes element(type_.size);
    store_number(type_.code, element.data(), value);
    elements_.store(index, element);
  }
  /// The lock. Python: `get_lock()`.
  [[nodiscard]] RLock& get_lock() const noexcept { return elements_.get_lock(); }

 private:
  const TypeInfo& type_;
  LockedElements elements_;
};

/// Python's spelling: `mp::make_array('i', 5)`. @throws as AnyArray.
inline AnyArray make_array(char typecode, std::ptrdiff_t length) {
  return {typecode, length};
}

}  // namespace mp
