#include "03-array/attach.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "00-syscalls/errors.hpp"
#include "02-pipe/pass_fd.hpp"

namespace mp {

namespace {

constexpr std::size_t kHeader = 9;  // a typecode and eight bytes of length

}  // namespace

void send_region(Connection& connection, const SharedRegion& region, char typecode,
                 std::ptrdiff_t length) {
  if (bytes_for(length, type_info(typecode).size) > region.size()) {
    throw ValueError("send_region: " + std::to_string(length) + " elements of type '" + typecode +
                     "' are not in a region of " + std::to_string(region.size()) + " bytes");
  }
  if (region.fd() == -1) {
    throw ValueError("send_region: the region has no descriptor");
  }
  std::array<std::byte, kHeader> header{};
  header[0] = static_cast<std::byte>(typecode);
  auto rest = static_cast<std::uint64_t>(length);
  for (std::size_t i = kHeader - 1; i > 0; --i) {
    header[i] = static_cast<std::byte>(rest & 0xff);
    rest >>= 8;
  }
  connection.send_bytes(header);
  send_fd(connection, region.fd());
}

Attached recv_region(Connection& connection) {
  const Bytes header = connection.recv_bytes(kHeader);
  if (header.size() != kHeader) {
    throw BadMessage("an array is announced with " + std::to_string(kHeader) + " bytes, and not " +
                     std::to_string(header.size()));
  }
  const char typecode = static_cast<char>(header.data()[0]);
  std::uint64_t length = 0;
  for (std::size_t i = 1; i < kHeader; ++i) {
    length = length << 8 | std::to_integer<std::uint64_t>(header.data()[i]);
  }
  std::size_t size = 0;
  try {
    // A length of 2^63 and more is negative now, and refused.
    size = bytes_for(static_cast<std::ptrdiff_t>(length), type_info(typecode).size);
  } catch (const ValueError& error) {
    throw BadMessage(std::string("an array that cannot be: ") + error.what());
  }
  return {SharedRegion::attach(recv_fd(connection), size), typecode,
          static_cast<std::ptrdiff_t>(length)};
}

}  // namespace mp
