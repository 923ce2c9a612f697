#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mp::test::seal {

/// The key with which records are signed.
using Key = std::array<std::uint64_t, 2>;

/// The key that 32 hexadecimal digits stand for. Other characters count as zero.
constexpr Key key_from(std::string_view digits) {
  Key key{};
  for (std::size_t i = 0; i < digits.size() && i < 32; ++i) {
    const char digit = digits[i];
    const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                      : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                                     : 0;
    key[i / 16] = key[i / 16] << 4 | static_cast<std::uint64_t>(value);
  }
  return key;
}

/// SipHash-2-4 of `text`: whoever has seen records and their signatures, but not the key, cannot
/// sign another one. Allocates nothing, so that it may be used in a signal handler.
/// @see Aumasson and Bernstein, "SipHash: a fast short-input PRF".
constexpr std::uint64_t sign(const Key& key, std::string_view text) {
  std::array<std::uint64_t, 4> v{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                                 key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  const auto rounds = [&v](int count) {
    for (int i = 0; i < count; ++i) {
      v[0] += v[1];
      v[2] += v[3];
      v[1] = std::rotl(v[1], 13) ^ v[0];
      v[3] = std::rotl(v[3], 16) ^ v[2];
      v[0] = std::rotl(v[0], 32);
      v[2] += v[1];
      v[0] += v[3];
      v[1] = std::rotl(v[1], 17) ^ v[2];
      v[3] = std::rotl(v[3], 21) ^ v[0];
      v[2] = std::rotl(v[2], 32);
    }
  };
  const auto take_in = [&](std::uint64_t word) {
    v[3] ^= word;
    rounds(2);
    v[0] ^= word;
  };
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * (i % 8));
    if (i % 8 == 7) {
      take_in(word);
      word = 0;
    }
  }
  take_in(word | static_cast<std::uint64_t>(text.size()) << 56);
  v[2] ^= 0xff;
  rounds(4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/// How a signature is written: so many hexadecimal digits.
inline constexpr std::size_t kSignatureLength = 16;

constexpr std::array<char, kSignatureLength> signature(const Key& key, std::string_view text) {
  std::array<char, kSignatureLength> digits{};
  std::uint64_t rest = sign(key, text);
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    *digit = "0123456789abcdef"[rest & 15];
    rest >>= 4;
  }
  return digits;
}

// The example of the paper's appendix.
static_assert(sign({0x0706050403020100, 0x0f0e0d0c0b0a0908},
                   {"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e", 15}) ==
              0xa129ca6149be45e5);

}  // namespace mp::test::seal
