# What every target of the repository is compiled and linked with.

# Warnings are errors, except in the learner's own file while it is being written.
add_library(mp_warnings INTERFACE)
target_compile_options(mp_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(mp_warnings INTERFACE -Wno-unused-private-field)  # of a stub's class
endif()
add_library(mp_strict INTERFACE)
target_compile_options(mp_strict INTERFACE -Werror)
target_link_libraries(mp_strict INTERFACE mp_warnings)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release)
  # With optimisation g++ 12 sees overruns in the concatenation of strings that are none.
  target_compile_options(mp_strict INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
endif()

# The book: `#include "01-process/spawn.hpp"`.
add_library(mp_book INTERFACE)
target_include_directories(mp_book INTERFACE ${CMAKE_SOURCE_DIR}/chapters)

# A fast linker is most of the wait between save and verdict.
foreach(linker IN ITEMS mold lld)
  find_program(MP_LINKER_${linker} NAMES ${linker} ld.${linker})
  if(MP_LINKER_${linker})
    add_link_options(-fuse-ld=${linker})
    message(STATUS "Linker: ${linker}")
    break()
  endif()
endforeach()
