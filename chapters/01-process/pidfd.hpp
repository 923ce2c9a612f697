#pragma once

#include <sys/wait.h>

namespace mp {

/// `P_PIDFD` of waitid(2): the id is a pidfd. glibc names it only since 2.36.
inline constexpr auto kPidfd = static_cast<idtype_t>(3);

}  // namespace mp
