#define MP_CHAPTER ""
#include "support/lesson.hpp"

#include <cxxabi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <typeinfo>

#include "support/seal.hpp"

namespace mp::test {

void lesson_in(std::string_view chapter, std::string_view heading) {
  seal::say("read",
            "chapters/" + std::string(chapter) + "/README.md, \"" + std::string(heading) + "\"");
}

void did(std::string_view what) {
  seal::say("did", what);
}

void show(std::string_view picture) {
  while (!picture.empty()) {
    const std::size_t end = std::min(picture.find('\n'), picture.size());
    seal::say("picture", picture.substr(0, end));
    picture.remove_prefix(std::min(end + 1, picture.size()));
  }
}

bool expect(bool holds, std::string_view expected, std::string_view seen) {
  if (!holds) {
    ADD_FAILURE() << seal::kExpected << expected << '\n' << seal::kSeen << seen;
  }
  return holds;
}

namespace detail {

void not_written_yet(const std::exception& error) {
  if (std::string_view(error.what()).starts_with("TODO ")) {
    throw std::logic_error(error.what());  // a stub that throws is no right answer to anything
  }
}

std::string type_in_flight() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    return "of an unknown type";
  }
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type->name();
}

}  // namespace detail

}  // namespace mp::test
