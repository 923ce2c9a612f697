#include "judge/backtrace.hpp"

#include <sstream>

#include "judge/command.hpp"

namespace mp::judge {

namespace {

/// `tests/01-process/join_test.cpp:12` for a place in the repository that a reader may want to see:
/// what runs the tests is not; "" for every other place.
std::string in_the_book(const std::string& place) {
  for (const char* part : {"/tests/support/", "/tests/judge/"}) {
    if (place.find(part) != std::string::npos) {
      return "";
    }
  }
  for (const char* part : {"/chapters/", "/solutions/", "/tests/"}) {
    if (const auto at = place.rfind(part); at != std::string::npos) {
      return place.substr(at + 1, place.find(' ', at) - at - 1);  // without "(discriminator 2)"
    }
  }
  return "";
}

/// A function's name without its parameters.
std::string name_only(std::string function) {
  const std::string unnamed = "(anonymous namespace)::";
  for (auto at = function.find(unnamed); at != std::string::npos; at = function.find(unnamed)) {
    function.erase(at, unnamed.size());
  }
  return function.substr(0, function.find('('));
}

}  // namespace

std::vector<std::string> symbolise(const std::string& frames) {
  std::vector<std::string> calls;
  std::istringstream lines(frames);
  for (std::string module, offset; lines >> module >> offset && calls.size() < 6;) {
    // A return address is the line after the call; one byte before it is still the call.
    std::ostringstream address;
    address << "0x" << std::hex << std::stoull(offset, nullptr, 16) - 1;
    const CommandResult result = run_command({"addr2line", "-Cfe", module, address.str()});
    std::istringstream text(result.output);
    std::string function;
    std::string place;
    if (result.exitcode != 0 || !std::getline(text, function) || !std::getline(text, place) ||
        place.starts_with("??")) {
      continue;
    }
    const std::string where = in_the_book(place);
    if (!where.empty()) {
      calls.push_back("in " + name_only(function) + " at " + where);
    }
  }
  return calls;
}

}  // namespace mp::judge
