#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

#include "support/child.hpp"
#include "support/lesson.hpp"

namespace mp::test {

/// Runs `action` in a process that is not the creator of what it uses.
/// @return "" if it threw std::logic_error there, as it should; else what it did instead.
inline std::string as_stranger(const std::function<void()>& action) {
  const ChildResult result = run_in_child(
      [&] {
        try {
          action();
        } catch (const std::logic_error& error) {
          detail::not_written_yet(error);
          return;
        }
        throw std::runtime_error("no exception");
      },
      std::chrono::seconds(1));
  detail::not_written_yet(std::runtime_error(result.threw));
  return result.timed_out ? "it hangs" : result.threw;
}

}  // namespace mp::test
