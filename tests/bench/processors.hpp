#pragma once

#include <sched.h>

#include "00-syscalls/check.hpp"

namespace mp::bench {

/// Binds this process to one of the processors that it may use: 0 is the first one; after the last
/// one it begins anew. Where processes run decides more than what they run.
inline void run_on(int number) {
  static const cpu_set_t allowed = [] {
    cpu_set_t set;
    check(sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
    return set;
  }();
  int cpu = 0;
  for (int left = number % CPU_COUNT(&allowed); !CPU_ISSET(cpu, &allowed) || left-- > 0; ++cpu) {
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  check(sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

}  // namespace mp::bench
