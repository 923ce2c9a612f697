#pragma once

#include <string>
#include <vector>

namespace mp::judge {

/// Turns the lines `MODULE OFFSET` of a crash record into sentences of the form
/// "in mp::spawn at chapters/01-process/spawn.cpp:31", innermost call first, by addr2line(1).
/// @return the calls whose source is known; none where addr2line is missing.
std::vector<std::string> symbolise(const std::string& frames);

}  // namespace mp::judge
