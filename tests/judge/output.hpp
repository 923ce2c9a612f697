#pragma once

#include <string>

#include "judge/owned_fd.hpp"

namespace mp::judge {

/// A place for a process's stdout and stderr that cannot be flooded: a memory file of fixed size,
/// sealed against growing (memfd_create(2), F_SEAL_GROW). Whoever writes past its end is told so
/// by a failing write; the judge reads nothing while the test runs.
class Output {
 public:
  static constexpr std::size_t kCapacity = 256 * 1024;  ///< bytes

  Output();  ///< @throws std::system_error

  /// The descriptor to give to the process as 1 and 2. All its copies share one offset.
  [[nodiscard]] int fd() const { return file_.get(); }

  /// What has been written so far. @param limit  the most bytes to keep; a line says what was cut.
  [[nodiscard]] std::string text(std::size_t limit) const;

 private:
  OwnedFd file_;
};

}  // namespace mp::judge
