#pragma once

#include <array>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/list.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/unordered_set.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "02-pipe/errors.hpp"

// What travels in a message, as bytes: what pickle is in Python, on the cereal library. (Given.)
//
// Numbers, strings, the containers above and any nesting of them; a type of yours that has cereal's
// `template <class Archive> void serialize(Archive& archive) { archive(x, y); }`; and a plain
// struct that can be copied byte by byte (std::is_trivially_copyable). No pointers, and no views
// (std::string_view): an address means nothing in another process. Each element of a container
// takes at least one byte, so an empty struct is none. Bytes are in this machine's order.
namespace mp {

/// @cond  what cereal calls, and nobody else

// In a namespace of its own, where none of our own functions is found.
namespace detail::bare {

/// Knows nothing but what cereal knows: tells its types from ours.
class CerealOnly : public cereal::OutputArchive<CerealOnly, cereal::AllowEmptyClassElision> {
 public:
  CerealOnly() : OutputArchive(this) {}
};

}  // namespace detail::bare

namespace detail {

/// Writes values behind each other into a vector.
class Pickler : public cereal::OutputArchive<Pickler, cereal::AllowEmptyClassElision> {
 public:
  Pickler() : OutputArchive(this) {}

  void write(const void* data, std::size_t size) {
    const std::size_t before = out.size();
    out.resize(before + size);
    if (size > 0) {  // memcpy takes no null pointers, not even for nothing
      std::memcpy(out.data() + before, data, size);
    }
  }

  std::vector<std::byte> out;
};

/// Reads values out of a message, which it does not trust.
class Unpickler : public cereal::InputArchive<Unpickler, cereal::AllowEmptyClassElision> {
 public:
  explicit Unpickler(std::span<const std::byte> in) : InputArchive(this), rest(in) {}

  void read(void* data, std::size_t size) {
    need(size);
    if (size > 0) {  // memcpy takes no null pointers, not even for nothing
      std::memcpy(data, rest.data(), size);
    }
    rest = rest.subspan(size);
  }

  void need(std::uint64_t size) const {
    if (size > rest.size()) {
      throw UnpicklingError("the message ends too early: " + std::to_string(rest.size()) +
                            " bytes are left, " + std::to_string(size) + " are needed");
    }
  }

  std::span<const std::byte> rest;
};

/// A struct that cereal cannot take apart, and that can be copied byte by byte. Not a view: the
/// bytes of a std::string_view are an address.
template <class T>
concept PlainStruct =
    std::is_class_v<T> && std::is_trivially_copyable_v<T> && !std::is_empty_v<T> &&
    !std::ranges::borrowed_range<const T> &&
    !cereal::traits::is_output_serializable<T, bare::CerealOnly>::value;

template <class T>
requires std::is_arithmetic_v<T>
void save(Pickler& archive, const T& value) {
  archive.write(&value, sizeof value);
}

template <class T>
requires std::is_arithmetic_v<T>
void load(Unpickler& archive, T& value) {
  archive.read(&value, sizeof value);
}

// A bool that is neither 0 nor 1 is no bool, and reading it is undefined.
inline void load(Unpickler& archive, bool& value) {
  std::uint8_t byte = 0;
  archive.read(&byte, sizeof byte);
  if (byte > 1) {
    throw UnpicklingError("a bool is " + std::to_string(byte));
  }
  value = byte == 1;
}

template <PlainStruct T>
void save(Pickler& archive, const T& value) {
  archive.write(&value, sizeof value);
}

template <PlainStruct T>
void load(Unpickler& archive, T& value) {
  archive.read(&value, sizeof value);
}

template <class T>
void save(Pickler& archive, const cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void load(Unpickler& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void save(Pickler& archive, const cereal::BinaryData<T>& data) {
  archive.write(data.data, data.size);
}

template <class T>
void load(Unpickler& archive, cereal::BinaryData<T>& data) {
  using Element = std::remove_all_extents_t<std::remove_pointer_t<std::decay_t<T>>>;
  if constexpr (std::same_as<Element, bool>) {  // one by one, see above
    for (bool& value : std::span(static_cast<bool*>(data.data), data.size)) {
      archive(value);
    }
  } else {
    archive.read(data.data, data.size);
  }
}

// The length of a container. Whoever reads it makes room for so many elements, and each of them
// has a byte of the message at least: a length that is larger than what is left is a lie.
template <class T>
void save(Pickler& archive, const cereal::SizeTag<T>& tag) {
  const std::uint64_t size = tag.size;
  archive.write(&size, sizeof size);
}

template <class T>
void load(Unpickler& archive, cereal::SizeTag<T>& tag) {
  std::uint64_t size = 0;
  archive.read(&size, sizeof size);
  archive.need(size);
  tag.size = static_cast<std::decay_t<T>>(size);
}

// cereal makes room for all elements before it reads the first one, and an element may be large.
// These grow as their elements turn out to be there.
template <class Container>
void load_one_by_one(Unpickler& archive, Container& container) {
  std::uint64_t size = 0;
  archive(cereal::make_size_tag(size));
  container.clear();
  for (std::uint64_t i = 0; i < size; ++i) {
    archive(container.emplace_back());
  }
}

template <class T, class Allocator>
requires(!std::is_arithmetic_v<T>) void load(Unpickler& archive,
                                             std::vector<T, Allocator>& vector) {
  load_one_by_one(archive, vector);
}

// Numbers have a fixed size, so one look at the length will do.
template <class T, class Allocator>
requires(std::is_arithmetic_v<T> &&
         !std::same_as<T, bool>) void load(Unpickler& archive, std::vector<T, Allocator>& vector) {
  std::uint64_t size = 0;
  archive(cereal::make_size_tag(size));
  archive.need(size * sizeof(T));
  vector.resize(static_cast<std::size_t>(size));
  archive.read(vector.data(), vector.size() * sizeof(T));
}

// Bytes go as one block, like numbers; cereal would take them one by one.
template <class Allocator>
void save(Pickler& archive, const std::vector<std::byte, Allocator>& bytes) {
  archive(cereal::make_size_tag(static_cast<cereal::size_type>(bytes.size())));
  archive.write(bytes.data(), bytes.size());
}

template <class Allocator>
void load(Unpickler& archive, std::vector<std::byte, Allocator>& bytes) {
  std::uint64_t size = 0;
  archive(cereal::make_size_tag(size));
  bytes.resize(static_cast<std::size_t>(size));
  archive.read(bytes.data(), bytes.size());
}

template <std::size_t N>
void save(Pickler& archive, const std::array<std::byte, N>& bytes) {
  archive.write(bytes.data(), N);
}

template <std::size_t N>
void load(Unpickler& archive, std::array<std::byte, N>& bytes) {
  archive.read(bytes.data(), N);
}

template <class T, class Allocator>
void load(Unpickler& archive, std::deque<T, Allocator>& deque) {
  load_one_by_one(archive, deque);
}

template <class T, class Allocator>
void load(Unpickler& archive, std::list<T, Allocator>& list) {
  load_one_by_one(archive, list);
}

}  // namespace detail

/// @endcond

/// A value as bytes. Python: `pickle.dumps()`.
/// @param value  of a type listed at the top of this file; another one does not compile.
/// @throws whatever the type's own `serialize` throws; std::bad_alloc.
template <class T>
std::vector<std::byte> dumps(const T& value) {
  detail::Pickler archive;
  archive(value);
  return std::move(archive.out);
}

/// The value that dumps() has made bytes of. Python: `pickle.loads()`, except that no code runs
/// that the sender has chosen: the bytes are numbers and lengths, and the type is the receiver's.
/// @param bytes  all of them, and no more.
/// @throws UnpicklingError if they are no T: too few, too many, a length that the rest of them
///         cannot fill. Memory is taken for what is there, not for what is announced. Whatever the
///         type's own `serialize` throws; std::bad_alloc.
template <class T>
T loads(std::span<const std::byte> bytes) {
  detail::Unpickler archive(bytes);
  T value{};
  try {
    archive(value);
  } catch (const UnpicklingError&) {
    throw;
  } catch (const cereal::Exception& error) {  // a variant's index, for example
    throw UnpicklingError(error.what());
  }
  if (!archive.rest.empty()) {
    throw UnpicklingError("the message goes on behind the value: " +
                          std::to_string(archive.rest.size()) + " bytes are left");
  }
  return value;
}

}  // namespace mp

CEREAL_REGISTER_ARCHIVE(mp::detail::Pickler)
CEREAL_REGISTER_ARCHIVE(mp::detail::Unpickler)
CEREAL_SETUP_ARCHIVE_TRAITS(mp::detail::Unpickler, mp::detail::Pickler)
