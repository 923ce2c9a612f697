#pragma once

#include <cstddef>
#include <utility>

#include "02-pipe/unique_fd.hpp"

namespace mp {

/// Memory that this process and others have in common: what one of them writes, all of them see.
///
/// fork copies the mapping and not the memory behind it, so a child has the same bytes as its
/// parent, at the same address. Each process's copy of this object ends its own view of them; the
/// memory goes with the last view. There is no name for it anywhere, so nothing has to be removed,
/// whoever is killed.
/// @see mmap(2). Python: `multiprocessing.heap.Arena`.
class SharedRegion {
 public:
  /// Memory for this process and those that it will fork, filled with zeros.
  /// @param size  in bytes. 0 is allowed, and takes no memory.
  /// @throws std::system_error naming "mmap" (ENOMEM, and for more than the address space).
  /// @see mmap(2), MAP_SHARED, MAP_ANONYMOUS.
  static SharedRegion anonymous(std::size_t size);

  /// Memory that can be handed to any process, by its descriptor; filled with zeros.
  ///
  /// Its size is fixed for good: whoever has the descriptor can neither shorten it, which would
  /// kill those who look at what is gone with SIGBUS, nor lengthen it. All of it is there when this
  /// returns: too little memory is an error here, and not a SIGBUS later.
  /// @param size  in bytes, at least 1.
  /// @throws ValueError for a size of 0; std::system_error naming the call ("memfd_create",
  ///         "ftruncate", "fallocate", "fcntl(F_ADD_SEALS)", "mmap"): then nothing is left open.
  /// @see memfd_create(2), fallocate(2), fcntl(2) (F_ADD_SEALS).
  ///
  /// ### Implementation
  /// `MFD_CLOEXEC | MFD_ALLOW_SEALING`. ftruncate writes the size down, fallocate finds the pages
  /// (and would set the size as well); a signal may interrupt both. Then F_SEAL_SHRINK, F_SEAL_GROW
  /// and F_SEAL_SEAL.
  static SharedRegion with_descriptor(std::size_t size);

  /// The memory behind a descriptor that another process has made with with_descriptor().
  /// @param fd    taken over, and closed if this throws.
  /// @param size  how much is needed of it, in bytes; it may have more. With 0, only the seals are
  ///              looked at.
  /// @throws BadMessage if it is not sealed against shrinking (no file on a disk can be), or has
  ///         fewer bytes: a stranger could take the memory away under us. std::system_error naming
  ///         the call ("fstat", "mmap").
  ///
  /// ### Implementation
  /// fcntl(2) with F_GET_SEALS, which fails with EINVAL for what is no memfd: that is a BadMessage,
  /// too. First the seals, then the size: the other way round it could still be shortened in
  /// between.
  static SharedRegion attach(UniqueFd fd, std::size_t size);

  /// Takes over what `other` has, which has no memory and no descriptor afterwards.
  SharedRegion(SharedRegion&& other) noexcept;
  /// The same, and ends the view of what this object had. Moving an object to itself changes
  /// nothing.
  SharedRegion& operator=(SharedRegion&& other) noexcept;
  SharedRegion(const SharedRegion&) = delete;
  SharedRegion& operator=(const SharedRegion&) = delete;
  /// Ends this process's view. @see munmap(2)
  ~SharedRegion();

  /// The first byte, at the beginning of a page; a null pointer for a size of 0.
  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  /// The size that was asked for, in bytes.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// The descriptor, which stays this object's; -1 for an anonymous one.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  SharedRegion(UniqueFd fd, std::byte* data, std::size_t size) noexcept
      : fd_(std::move(fd)), data_(data), size_(size) {}

  UniqueFd fd_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace mp
