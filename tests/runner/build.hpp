#pragma once

#include <string>
#include <vector>

#include "runner/book.hpp"

namespace mp::runner {

struct BuildResult {
  bool ok = false;
  std::string output;  ///< all that the tools said
};

/// Builds targets with Ninja. One build at a time in one folder: a second one waits.
/// @param keep_going  builds what can be built even when something cannot.
BuildResult build(const Book& book, const std::vector<std::string>& targets,
                  bool keep_going = false);

/// The first warning about that file in the output of a build, as first_error(); "" for none.
/// @param file  from the root of the repository.
std::string first_warning(const Book& book, const std::string& output, const std::string& file);

/// The first error in the output of a failed build, as the compiler or linker put it, with its
/// file and line; not the wall that follows.
std::string first_error(const Book& book, const std::string& output);

}  // namespace mp::runner
