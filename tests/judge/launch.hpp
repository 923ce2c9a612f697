#pragma once

#include <sys/types.h>

#include <string>

#include "judge/owned_fd.hpp"
#include "judge/warden.hpp"

namespace mp::judge {

/// The test's process, and the judge's ends of what connects it.
struct Launched {
  pid_t host = 0;
  OwnedFd channel;     ///< the read end of the records
  std::string secret;  ///< the nonce of this one run
};

/// Starts the host for one test, in a process group of its own and under its limits.
/// @param output  becomes its stdout and stderr. @param folder  becomes its TMPDIR.
/// @throws std::system_error.
Launched launch(const WardenOrders& orders, int output, const std::string& folder);

}  // namespace mp::judge
