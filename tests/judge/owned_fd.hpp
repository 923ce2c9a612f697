#pragma once

#include <unistd.h>

#include <utility>

namespace mp::judge {

/// A descriptor with one owner: closed when the owner goes (close(2)). Movable, not copyable.
class OwnedFd {
 public:
  /// Takes over `fd`; -1 stands for none, so the result of a failed open(2) may be passed as it is.
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd_ >= 0) {
      ::close(fd_);  // nothing was written through it, so a failure loses nothing
    }
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

}  // namespace mp::judge
