#include "03-array/shared_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "00-syscalls/todo.hpp"
#include "02-pipe/errors.hpp"

namespace mp {

SharedRegion SharedRegion::anonymous([[maybe_unused]] std::size_t size) {
  // TODO(3.1): mmap, shared and anonymous; nothing at all for 0 bytes.
  throw todo("3.1 SharedRegion::anonymous");
}

SharedRegion SharedRegion::with_descriptor([[maybe_unused]] std::size_t size) {
  // TODO(3.1): memfd_create, ftruncate, fallocate, the seals, mmap; an owner from the first call
  // on.
  throw todo("3.1 SharedRegion::with_descriptor");
}

SharedRegion SharedRegion::attach([[maybe_unused]] UniqueFd fd, [[maybe_unused]] std::size_t size) {
  // TODO(3.1): the seals, then the size, then mmap.
  throw todo("3.1 SharedRegion::attach");
}

SharedRegion::SharedRegion(SharedRegion&& other) noexcept : fd_(std::move(other.fd_)) {
  // TODO(3.1): `other` has no memory afterwards.
}

SharedRegion& SharedRegion::operator=([[maybe_unused]] SharedRegion&& other) noexcept {
  // TODO(3.1): what this object had is unmapped; `other` has nothing afterwards.
  return *this;
}

SharedRegion::~SharedRegion() {
  // TODO(3.1): munmap.
}

}  // namespace mp
