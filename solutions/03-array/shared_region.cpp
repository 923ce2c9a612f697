#include "03-array/shared_region.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "00-syscalls/check.hpp"
#include "00-syscalls/errors.hpp"
#include "02-pipe/errors.hpp"

namespace mp {

namespace {

constexpr int kFixedSize = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

std::byte* map(std::size_t size, int flags, int fd) {
  if (size == 0) {
    return nullptr;
  }
  void* const address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
  if (address == MAP_FAILED) {
    throw_errno("mmap");
  }
  return static_cast<std::byte*>(address);
}

}  // namespace

SharedRegion SharedRegion::anonymous(std::size_t size) {
  return SharedRegion(UniqueFd(), map(size, MAP_ANONYMOUS, -1), size);
}

SharedRegion SharedRegion::with_descriptor(std::size_t size) {
  if (size == 0) {
    throw ValueError("a region with a descriptor has a byte at least");
  }
  UniqueFd fd(
      check(memfd_create("mp::SharedRegion", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
  const auto length = static_cast<off_t>(size);
  check(retry([&] { return ftruncate(fd.get(), length); }), "ftruncate");
  // Without this, a page that the machine has no memory for is noticed when it is touched: SIGBUS.
  check(retry([&] { return fallocate(fd.get(), 0, 0, length); }), "fallocate");
  check(fcntl(fd.get(), F_ADD_SEALS, kFixedSize), "fcntl(F_ADD_SEALS)");
  std::byte* const data = map(size, 0, fd.get());
  return SharedRegion(std::move(fd), data, size);
}

SharedRegion SharedRegion::attach(UniqueFd fd, std::size_t size) {
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  if (seals == -1 || (seals & F_SEAL_SHRINK) == 0) {
    throw BadMessage("attach: this memory could be taken away (it is not sealed)");
  }
  struct stat status {};
  check(fstat(fd.get(), &status), "fstat");
  if (static_cast<std::size_t>(status.st_size) < size) {
    throw BadMessage("attach: " + std::to_string(status.st_size) + " bytes, where " +
                     std::to_string(size) + " are needed");
  }
  std::byte* const data = map(size, 0, fd.get());
  return SharedRegion(std::move(fd), data, size);
}

SharedRegion::SharedRegion(SharedRegion&& other) noexcept
    : fd_(std::move(other.fd_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
  SharedRegion theirs(std::move(other));  // if that is this object, it gets everything back
  std::swap(fd_, theirs.fd_);
  std::swap(data_, theirs.data_);
  std::swap(size_, theirs.size_);
  return *this;
}

SharedRegion::~SharedRegion() {
  if (data_ != nullptr) {
    munmap(data_, size_);  // cannot fail: it is a mapping of ours
  }
}

}  // namespace mp
