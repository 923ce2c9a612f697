#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <variant>

namespace mp {

/// What the bits of an element mean.
enum class Kind {
  kCharacter,  ///< 'c' and 'u': one character
  kSigned,     ///< an integer with a sign, in two's complement
  kUnsigned,   ///< an integer without one
  kFloating,   ///< IEEE 754
};

/// What a typecode stands for.
struct TypeInfo {
  char code;              ///< 'i'
  std::string_view name;  ///< how C++ writes the type: "int"
  std::size_t size;       ///< in bytes, on this machine
  Kind kind;              ///< how to read them
};

/// Looks a typecode up.
///
/// | code | type | code | type | code | type |
/// |---|---|---|---|---|---|
/// | `c` | char | `h` | short | `l` | long |
/// | `u` | wchar_t | `H` | unsigned short | `L` | unsigned long |
/// | `b` | signed char | `i` | int | `q` | long long |
/// | `B` | unsigned char | `I` | unsigned int | `Q` | unsigned long long |
/// | `f` | float | `d` | double | | |
///
/// @param typecode  one of these fourteen letters.
/// @return what it stands for; valid for ever.
/// @throws ValueError that shows the character, for every other one. Python: `TypeError("this type
///         has no size")`, or what `array.array()` says.
/// Python: the typecodes of `Array` and `Value`; `array`, `ctypes`.
const TypeInfo& type_info(char typecode);

/// A number on its way into an element or out of it, if the element's type is not known before the
/// program runs. Characters travel as integers.
using Number = std::variant<std::int64_t, std::uint64_t, double>;

/// Reads an element.
/// @param typecode  its type.
/// @param element   where it is: type_info(typecode).size bytes, at any address.
/// @return its value: int64_t for a signed type and for characters of a signed type, uint64_t for
/// an
///         unsigned one, double for a floating one.
/// @throws ValueError as type_info().
///
/// ### Implementation
/// A pointer to bytes is not a pointer to an int, and may be at an odd address: std::memcpy.
Number load_number(char typecode, const std::byte* element);

/// Writes an element. What does not fit is cut off, as by a cast in C: 128 in a 'b' is -128, -1 in
/// a 'B' is 255, 0.1 in an 'f' is 0.10000000149011612, 1e40 in an 'f' is infinity.
/// @param typecode  the element's type.
/// @param element   where it is, as above. No byte behind it is touched.
/// @param value     what it shall be. A floating type takes integers as well.
/// @throws ValueError as type_info(), and for a double that an integer or a character is to become:
///         Python raises TypeError then. The element is unchanged.
void store_number(char typecode, std::byte* element, Number value);

/// The typecode of a type; 0 for a type that has none. (Given.)
template <class T>
constexpr char typecode_of() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, char>) {
    return 'c';
  } else if constexpr (std::is_same_v<U, wchar_t>) {
    return 'u';
  } else if constexpr (std::is_same_v<U, signed char>) {
    return 'b';
  } else if constexpr (std::is_same_v<U, unsigned char>) {
    return 'B';
  } else if constexpr (std::is_same_v<U, short>) {
    return 'h';
  } else if constexpr (std::is_same_v<U, unsigned short>) {
    return 'H';
  } else if constexpr (std::is_same_v<U, int>) {
    return 'i';
  } else if constexpr (std::is_same_v<U, unsigned int>) {
    return 'I';
  } else if constexpr (std::is_same_v<U, long>) {
    return 'l';
  } else if constexpr (std::is_same_v<U, unsigned long>) {
    return 'L';
  } else if constexpr (std::is_same_v<U, long long>) {
    return 'q';
  } else if constexpr (std::is_same_v<U, unsigned long long>) {
    return 'Q';
  } else if constexpr (std::is_same_v<U, float>) {
    return 'f';
  } else if constexpr (std::is_same_v<U, double>) {
    return 'd';
  } else {
    return 0;
  }
}

/// @cond
namespace detail {
template <char Code>
struct TypeOf;
template <>
struct TypeOf<'c'> : std::type_identity<char> {};
template <>
struct TypeOf<'u'> : std::type_identity<wchar_t> {};
template <>
struct TypeOf<'b'> : std::type_identity<signed char> {};
template <>
struct TypeOf<'B'> : std::type_identity<unsigned char> {};
template <>
struct TypeOf<'h'> : std::type_identity<short> {};
template <>
struct TypeOf<'H'> : std::type_identity<unsigned short> {};
template <>
struct TypeOf<'i'> : std::type_identity<int> {};
template <>
struct TypeOf<'I'> : std::type_identity<unsigned int> {};
template <>
struct TypeOf<'l'> : std::type_identity<long> {};
template <>
struct TypeOf<'L'> : std::type_identity<unsigned long> {};
template <>
struct TypeOf<'q'> : std::type_identity<long long> {};
template <>
struct TypeOf<'Q'> : std::type_identity<unsigned long long> {};
template <>
struct TypeOf<'f'> : std::type_identity<float> {};
template <>
struct TypeOf<'d'> : std::type_identity<double> {};
}  // namespace detail
/// @endcond

/// The type of a typecode: `mp::type_of<'i'>` is int. An unknown one does not compile. (Given.)
template <char Code>
using type_of = typename detail::TypeOf<Code>::type;

}  // namespace mp
