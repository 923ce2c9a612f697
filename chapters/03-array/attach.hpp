#pragma once

#include <cstddef>
#include <string>

#include "02-pipe/connection.hpp"
#include "02-pipe/errors.hpp"
#include "03-array/raw_array.hpp"
#include "03-array/shared_region.hpp"
#include "03-array/typecode.hpp"

namespace mp {

/// An array's memory, as it came over a connection.
struct Attached {
  SharedRegion region;    ///< the sender's memory
  char typecode;          ///< the type of its elements: one of type_info()'s
  std::ptrdiff_t length;  ///< how many there are; all of them are in the region
};

/// Hands an array's memory to the process at the other end, which need not be a child: both see the
/// same bytes from then on.
///
/// Two things travel. First a message of 9 bytes: the typecode, and the length as 8 bytes, the most
/// significant one first (Python: `struct.unpack('>cQ', connection.recv_bytes())`). Then the
/// descriptor, with send_fd() (Python: `reduction.recv_handle(connection)`).
/// @param connection  an end of a duplex Pipe() that sends.
/// @param region      made by SharedRegion::with_descriptor(); it stays the caller's.
/// @param typecode    the type of the elements.
/// @param length      how many, from the first byte of the region on.
/// @throws ValueError for an unknown typecode, a negative length, more elements than the region
///         holds, or a region without a descriptor: nothing is sent then. As send_bytes() and
///         send_fd() otherwise.
void send_region(Connection& connection, const SharedRegion& region, char typecode,
                 std::ptrdiff_t length);

/// Receives what send_region() has sent, and waits for it.
/// @param connection  an end that receives.
/// @throws BadMessage if the message is none of 9 bytes, has an unknown typecode, or a length that
///         no memory could hold; or if what comes then is no descriptor, or one of memory that is
///         too small or not sealed (SharedRegion::attach()). The sender is not to be trusted: the
///         worst that he can send is an exception. What came is closed then. EOFError,
///         std::system_error as recv_bytes(), recv_fd() and attach() (memory that may not be
///         written to).
///
/// ### Implementation
/// `recv_bytes(9)` refuses a longer message before there is memory for it; receiving is over then.
/// Nobody knows what a descriptor is that comes after a message that is none: leave it where it is.
/// A length of 2^61 times 8 bytes is 0 if you let it.
Attached recv_region(Connection& connection);

/// Elements in memory that can be handed on with send_array(). (Given.)
/// @param length  how many, at least 1. @throws ValueError; std::system_error.
template <Shareable T>
RawArray<T> sendable_array(std::ptrdiff_t length) {
  return RawArray<T>(SharedRegion::with_descriptor(bytes_for(length, sizeof(T))), length);
}

/// Hands an array's memory to the process at the other end. (Given.) @throws as send_region().
template <Shareable T>
void send_array(Connection& connection, const RawArray<T>& array) {
  static_assert(typecode_of<T>() != 0, "only types with a typecode are understood by everybody");
  send_region(connection, array.region(), typecode_of<T>(),
              static_cast<std::ptrdiff_t>(array.size()));
}

/// Receives an array. (Given.) @throws BadMessage if its type is another one; as recv_region().
template <Shareable T>
RawArray<T> recv_array(Connection& connection) {
  static_assert(typecode_of<T>() != 0, "only types with a typecode are understood by everybody");
  Attached attached = recv_region(connection);
  if (attached.typecode != typecode_of<T>()) {
    throw BadMessage(std::string("an array of type '") + attached.typecode + "', where '" +
                     typecode_of<T>() + "' is expected");
  }
  return RawArray<T>(std::move(attached.region), attached.length);
}

}  // namespace mp
