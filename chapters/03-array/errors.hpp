#pragma once

#include <stdexcept>

namespace mp {

/// An index outside of the sequence. Python: `IndexError`.
class IndexError : public std::out_of_range {
 public:
  using std::out_of_range::out_of_range;
};

}  // namespace mp
