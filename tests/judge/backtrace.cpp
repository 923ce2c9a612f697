#include "judge/backtrace.hpp"

#include <sstream>

#include "judge/command.hpp"

namespace mp::judge {

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
    for (const char* part : {"/chapters/", "/solutions/", "/tests/"}) {
      if (const auto at = place.rfind(part); at != std::string::npos) {
        calls.push_back("in " + function.substr(0, function.find('(')) + " at " +
                        place.substr(at + 1));
        break;
      }
    }
  }
  return calls;
}

}  // namespace mp::judge
