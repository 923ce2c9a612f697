#include "support/explorer/source_lines.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

namespace explorer {

namespace {

/// `it's` as the shell wants it.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out + "'";
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c)
  if (pipe == nullptr) {
    return output;
  }
  std::array<char, 4096> part{};
  for (std::size_t got = 0; (got = fread(part.data(), 1, part.size(), pipe)) > 0;) {
    output.append(part.data(), got);
  }
  pclose(pipe);
  return output;
}

/// Lines of source files, each file read once.
class Files {
 public:
  std::string line(const std::string& file, int number) {
    auto [entry, fresh] = lines_.try_emplace(file);
    if (fresh) {
      std::ifstream in(file);
      for (std::string text; std::getline(in, text);) {
        entry->second.push_back(text);
      }
    }
    if (number < 1 || static_cast<std::size_t>(number) > entry->second.size()) {
      return "";
    }
    const std::string& text = entry->second[static_cast<std::size_t>(number - 1)];
    const auto first = text.find_first_not_of(" \t");
    const auto last = text.find_last_not_of(" \t\r");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
  }

 private:
  std::map<std::string, std::vector<std::string>> lines_;
};

/// Not of the code under test, and not of the test: the library, and what is between.
bool is_foreign(const std::string& file) {
  return file.empty() || file.starts_with("??") || file.starts_with("/usr/") ||
         file.ends_with("/explorer/explorer.hpp");
}

/// Reads `addr2line -a -i`: after each address the lines behind it, innermost first.
void read_answer(const std::string& answer, const std::map<std::uint64_t, const void*>& codes,
                 Files& files, std::map<const void*, std::vector<Place>>& places) {
  std::istringstream lines(answer);
  const void* code = nullptr;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0x")) {
      const auto found = codes.find(std::strtoull(line.c_str(), nullptr, 16));
      code = found == codes.end() ? nullptr : found->second;
      continue;
    }
    const auto colon = line.rfind(':');
    if (code == nullptr || colon == std::string::npos) {
      continue;
    }
    Place place;
    place.file = line.substr(0, colon);
    place.line = std::atoi(line.c_str() + colon + 1);  // NOLINT: "12 (discriminator 3)" is 12
    if (!is_foreign(place.file) && place.line > 0) {
      place.text = files.line(place.file, place.line);
      places[code].push_back(std::move(place));
    }
  }
}

}  // namespace

std::string Place::short_name() const {
  if (file.empty()) {
    return "";
  }
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(line);
}

SourceLines::SourceLines(const Trace& trace) {
  // By module: address in the file, and in memory.
  std::map<std::string, std::map<std::uint64_t, const void*>> modules;
  for (const Event& event : trace.events) {
    for (const void* const code : event.site.frames) {
      Dl_info info{};
      link_map* map = nullptr;
      if (code != nullptr &&
          dladdr1(code, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) != 0 &&
          map != nullptr) {
        // The program itself has no name in the list.
        const std::string file = map->l_name[0] != '\0' ? map->l_name : "/proc/self/exe";
        // A return address is the line after the call; one byte before it is still the call.
        modules[file].emplace(reinterpret_cast<std::uint64_t>(code) - map->l_addr - 1, code);
      }
    }
  }
  Files files;
  for (const auto& [file, codes] : modules) {
    std::ostringstream command;
    // The shell has another /proc/self.
    std::array<char, 4096> path{};
    const char* const real = realpath(file.c_str(), path.data());
    command << "addr2line -a -i -e " << quoted(real != nullptr ? real : file) << std::hex;
    for (const auto& [offset, code] : codes) {
      command << " 0x" << offset;
    }
    command << " 2>/dev/null";
    read_answer(output_of(command.str()), codes, files, places_);
  }
}

std::vector<Place> SourceLines::at(const Site& site) const {
  std::vector<Place> all;
  for (const void* const code : site.frames) {
    if (const auto found = places_.find(code); found != places_.end()) {
      all.insert(all.end(), found->second.begin(), found->second.end());
    }
  }
  return all;
}

Place SourceLines::where(const Site& site) const {
  const std::vector<Place> all = at(site);
  std::vector<Place>
      own;  // of what the reference does for the code under test, its caller says more
  std::ranges::copy_if(all, std::back_inserter(own), [](const Place& place) {
    return place.file.find("/solutions/") == std::string::npos && !place.file.ends_with(".hpp");
  });
  if (own.empty()) {
    return all.empty() ? Place{} : all[0];
  }
  // A function around futex(2), in a file of its own, says little: who called it says more.
  if (own.size() > 1 && own[0].file != own[1].file && !own[1].file.ends_with("_explored.cpp") &&
      own[0].text.find("SYS_futex") != std::string::npos &&
      own[1].text.find("futex") != std::string::npos) {
    return own[1];
  }
  return own[0];
}

}  // namespace explorer
