#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

#include "02-pipe/unique_fd.hpp"

namespace mp {

/// A UniqueFd that can be found: every process has a table of all its TrackedFd objects. (Given.)
///
/// Two objects never own one descriptor, so the number of the descriptor is the place in the
/// table, and no lock is needed. fork copies the table together with the objects.
class TrackedFd {
 public:
  /// How many descriptors the table has room for.
  static constexpr std::size_t kMost = 65'536;

  /// Takes over a descriptor, or nothing.
  /// @throws std::system_error (EMFILE) if its number is kMost or more; it is closed then.
  explicit TrackedFd(UniqueFd fd) : fd_(std::move(fd)) {
    if (fd_ && static_cast<std::size_t>(fd_.get()) >= kMost) {
      throw std::system_error(EMFILE, std::generic_category(),
                              "descriptor " + std::to_string(fd_.get()));
    }
    enter(this);
  }
  /// Takes over what `other` owns.
  TrackedFd(TrackedFd&& other) noexcept : fd_(std::move(other.fd_)) { enter(this); }
  /// Closes what this object owns and takes over what `other` owns.
  TrackedFd& operator=(TrackedFd&& other) noexcept {
    if (this != &other) {
      enter(nullptr);
      fd_ = std::move(other.fd_);
      enter(this);
    }
    return *this;
  }
  ~TrackedFd() { enter(nullptr); }

  /// The descriptor; -1 if it owns none.
  [[nodiscard]] int get() const noexcept { return fd_.get(); }

  /// Closes the descriptor, if there is one.
  void reset() noexcept {
    enter(nullptr);  // before the number is somebody else's
    fd_.reset();
  }

  /// Calls `visit(TrackedFd&)` for each object of this process that owns a descriptor, in the order
  /// of the numbers. `visit` may reset() it.
  template <class F>
  static void for_each(F visit) {
    for (std::size_t place = 0; place < places_used.load(); ++place) {
      if (TrackedFd* const found = table[place].load()) {
        visit(*found);
      }
    }
  }

 private:
  void enter(TrackedFd* object) noexcept {
    if (!fd_) {
      return;
    }
    const auto place = static_cast<std::size_t>(fd_.get());
    table[place].store(object);
    std::size_t used = places_used.load();
    while (used <= place && !places_used.compare_exchange_weak(used, place + 1)) {
    }
  }

  // Zeros, so it takes no memory but for the pages in which there is something.
  static inline std::array<std::atomic<TrackedFd*>, kMost> table{};
  static inline std::atomic<std::size_t> places_used{0};  // those behind have never been used

  UniqueFd fd_;
};

}  // namespace mp
