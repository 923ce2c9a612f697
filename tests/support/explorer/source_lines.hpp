#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/explorer/trace.hpp"

namespace explorer {

/// A line of source.
struct Place {
  std::string file;  ///< with its whole path; empty when unknown
  int line = 0;
  std::string text;  ///< without the blanks around it

  /// "lock.cpp:31"
  [[nodiscard]] std::string short_name() const;
};

/// From addresses to lines, by addr2line(1): asked once for all the addresses of a trace.
class SourceLines {
 public:
  explicit SourceLines(const Trace& trace);

  /// The lines of the code under test that are behind an address, innermost first: of the library's
  /// inlined functions, the line that calls them.
  [[nodiscard]] std::vector<Place> at(const Site& site) const;

  /// The one to show.
  [[nodiscard]] Place where(const Site& site) const;

 private:
  std::map<const void*, std::vector<Place>> places_;
};

}  // namespace explorer
