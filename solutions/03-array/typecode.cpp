#include "03-array/typecode.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "00-syscalls/errors.hpp"

namespace mp {

namespace {

template <class T>
constexpr TypeInfo row(std::string_view name, Kind kind) {
  return {typecode_of<T>(), name, sizeof(T), kind};
}

constexpr std::array kTypes = {
    row<char>("char", Kind::kCharacter),
    row<wchar_t>("wchar_t", Kind::kCharacter),
    row<signed char>("signed char", Kind::kSigned),
    row<unsigned char>("unsigned char", Kind::kUnsigned),
    row<short>("short", Kind::kSigned),
    row<unsigned short>("unsigned short", Kind::kUnsigned),
    row<int>("int", Kind::kSigned),
    row<unsigned int>("unsigned int", Kind::kUnsigned),
    row<long>("long", Kind::kSigned),
    row<unsigned long>("unsigned long", Kind::kUnsigned),
    row<long long>("long long", Kind::kSigned),
    row<unsigned long long>("unsigned long long", Kind::kUnsigned),
    row<float>("float", Kind::kFloating),
    row<double>("double", Kind::kFloating),
};

/// Calls `use` with a value of the type that `typecode` stands for, so that it knows the type.
template <class F>
auto with_type(char typecode, F use) {
  switch (typecode) {
    case 'c':
      return use(char{});
    case 'u':
      return use(wchar_t{});
    case 'b':
      return use(static_cast<signed char>(0));
    case 'B':
      return use(static_cast<unsigned char>(0));
    case 'h':
      return use(short{});
    case 'H':
      return use(static_cast<unsigned short>(0));
    case 'i':
      return use(int{});
    case 'I':
      return use(0U);
    case 'l':
      return use(long{});
    case 'L':
      return use(0UL);
    case 'q':
      return use(0LL);
    case 'Q':
      return use(0ULL);
    case 'f':
      return use(float{});
    case 'd':
      return use(double{});
    default:
      throw ValueError("no type has the typecode '" + std::string(1, typecode) + "'");
  }
}

}  // namespace

const TypeInfo& type_info(char typecode) {
  const auto* const found = std::ranges::find(kTypes, typecode, &TypeInfo::code);
  if (found == kTypes.end()) {
    throw ValueError("no type has the typecode '" + std::string(1, typecode) + "'");
  }
  return *found;
}

Number load_number(char typecode, const std::byte* element) {
  return with_type(typecode, [&](auto value) -> Number {
    using T = decltype(value);
    std::memcpy(&value, element, sizeof value);
    if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_signed_v<T>) {
      return static_cast<std::int64_t>(value);
    } else {
      return static_cast<std::uint64_t>(value);
    }
  });
}

void store_number(char typecode, std::byte* element, Number value) {
  with_type(typecode, [&](auto type) {
    using T = decltype(type);
    if (std::is_integral_v<T> && std::holds_alternative<double>(value)) {
      throw ValueError("a floating-point number does not go into an element of type '" +
                       std::string(1, typecode) + "'");
    }
    const T cast = std::visit([](auto number) { return static_cast<T>(number); }, value);
    std::memcpy(element, &cast, sizeof cast);
  });
}

}  // namespace mp
