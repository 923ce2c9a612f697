#pragma once

#include <string>

#include "00-syscalls/errors.hpp"

// What the calls of a lock say, in words, for a child to answer with.
namespace mp::test {

/// What try_acquire() says; what it takes is given back.
template <class L>
std::string tries(L& lock) {
  if (!lock.try_acquire()) {
    return "not taken";
  }
  lock.release();
  return "taken";
}

/// The same for acquire(), which may wait.
template <class L>
std::string takes(L& lock) {
  lock.acquire();
  lock.release();
  return "taken";
}

/// What release() says.
template <class L>
std::string gives_back(L& lock) {
  try {
    lock.release();
    return "nothing is thrown";
  } catch (const ValueError&) {
    return "ValueError";
  }
}

}  // namespace mp::test
