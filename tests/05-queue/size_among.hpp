#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "support/child.hpp"
#include "support/stepped.hpp"

namespace mp::test {

/// Lets a child look at a size, and stops it after each instruction. The ring changes then, and so
/// it does 5,000 times: whoever looks a few times, and takes then what he has, has something wrong.
/// @param change  one item in and one out, so that the size is what it was.
/// @return what the child says, or "(no answer)". Needs ptrace(2), as Stepped.
inline std::string size_among(const std::function<std::uint32_t()>& size,
                              const std::function<void()>& change) {
  constexpr int kChanges = 5'000;
  constexpr int kMost = 50'000;  // instructions
  const Shared<std::atomic<std::int64_t>> said;
  *said = -1;
  Stepped child([] {}, [&] { *said = size(); });
  for (int i = 0; i < kMost && *said == -1 && child.step(1); ++i) {
    if (i < kChanges) {
      change();
    }
  }
  return *said == -1 ? "(no answer)" : std::to_string(*said);
}

}  // namespace mp::test
