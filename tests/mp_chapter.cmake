# mp_chapter(NN-name EXERCISES … CALLS … [EXPLORED …]): the only registration of a chapter.
#
# CALLS are the C functions that the chapter is about, which a learner's file may call beside
# those of tests/judge/allowed_calls.txt. EXERCISES are the stems, in order; each of them names
#
#   chapters/NN-name/STEM.hpp .cpp     the contract, and the learner's file (a stub at first)
#   solutions/NN-name/STEM.cpp         the reference
#   tests/NN-name/STEM_test.cpp        the grader
#   tests/mutants/NN-name/STEM/*.patch wrong answers: patches against the reference
#
# For each it makes the loadable modules NN-name.STEM.{reference,learner,stub,mutant.PATCH}: the
# grader's object (compiled once), one object for STEM, and the reference of everything else.
# EXPLORED are those of them that the explorer can run (docs/explorer.md): they are compiled once more,
# for it. If there is a tests/NN-name/STEM_explored.cpp, the exercise is graded with it as well.
# demo.cpp, demo_*.cpp and broken/*.cpp become programs. mp_finish(), after the last chapter, does
# the linking; mp_write_json() writes build/…/exercises.json, from which the runner knows all this.

# The calls that stand between the code under test and the kernel (tests/support/wrapped.cpp).
set(MP_WRAPPED
  read write readv writev recv recvfrom recvmsg send sendto sendmsg close poll ppoll fork waitid
  waitpid wait4 wait kill pipe2 pipe socketpair shutdown dup dup2 dup3 fcntl eventfd prctl
  mmap munmap memfd_create ftruncate fallocate posix_fallocate fstat
  clock_gettime syscall getpid gettid sched_yield nanosleep clock_nanosleep usleep
  memcpy memmove memset
  _ZNSt6chrono3_V212steady_clock3nowEv _ZNSt6chrono3_V212system_clock3nowEv)

# The learner's file is compiled behind one precompiled header of standard headers, and graders
# behind one of GoogleTest's. References and stubs are not: their includes have to be complete.
file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
add_library(mp_std_pch OBJECT ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(mp_std_pch PRIVATE mp_warnings)
target_precompile_headers(mp_std_pch PRIVATE
  <atomic> <cerrno> <chrono> <cstdio> <cstdlib> <functional> <iostream> <memory> <optional> <span>
  <stdexcept> <string> <string_view> <system_error> <vector>)
add_library(mp_gtest_pch OBJECT ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(mp_gtest_pch PRIVATE mp_strict GTest::gtest)
target_precompile_headers(mp_gtest_pch PRIVATE <gtest/gtest.h>)

function(mp_chapter chapter)
  cmake_parse_arguments(arg "" "" "EXERCISES;CALLS;EXPLORED" ${ARGN})
  set_property(GLOBAL APPEND PROPERTY mp_chapters ${chapter})
  set_property(GLOBAL PROPERTY mp_exercises_${chapter} ${arg_EXERCISES})
  set_property(GLOBAL PROPERTY mp_calls_${chapter} ${arg_CALLS})

  foreach(stem IN LISTS arg_EXERCISES)
    set(id ${chapter}.${stem})
    set_property(GLOBAL APPEND PROPERTY mp_ids ${id})
    set(explored FALSE)  # whether the explorer grades it
    if(stem IN_LIST arg_EXPLORED)
      mp_explored_object(${id}.reference_explored
        ${CMAKE_SOURCE_DIR}/solutions/${chapter}/${stem}.cpp mp_book mp_strict)
      set_property(GLOBAL APPEND PROPERTY mp_explored_ids ${id})
      if(EXISTS ${CMAKE_SOURCE_DIR}/tests/${chapter}/${stem}_explored.cpp)
        set(explored TRUE)
        set_property(GLOBAL PROPERTY mp_explored_${id} TRUE)
        foreach(kind IN ITEMS stub learner)
          mp_explored_object(${id}.${kind}_explored
            ${CMAKE_SOURCE_DIR}/chapters/${chapter}/${stem}.cpp mp_book)
        endforeach()
      endif()
    endif()

    mp_object(${id}.reference_object ${CMAKE_SOURCE_DIR}/solutions/${chapter}/${stem}.cpp mp_strict)
    mp_object(${id}.stub_object ${CMAKE_SOURCE_DIR}/chapters/${chapter}/${stem}.cpp mp_strict)
    mp_object(${id}.learner_object ${CMAKE_SOURCE_DIR}/chapters/${chapter}/${stem}.cpp mp_warnings)
    target_compile_options(${id}.learner_object PRIVATE -Werror=return-type
                           -Wno-missing-field-initializers)
    target_precompile_headers(${id}.learner_object REUSE_FROM mp_std_pch)

    mp_object(${id}.grader_object ${CMAKE_SOURCE_DIR}/tests/${chapter}/${stem}_test.cpp mp_strict)
    if(explored)
      target_sources(${id}.grader_object PRIVATE
                     ${CMAKE_SOURCE_DIR}/tests/${chapter}/${stem}_explored.cpp)
    endif()
    target_link_libraries(${id}.grader_object PRIVATE mp_grader)
    target_compile_definitions(${id}.grader_object PRIVATE MP_CHAPTER="${chapter}")
    target_precompile_headers(${id}.grader_object REUSE_FROM mp_gtest_pch)

    # A wrong answer is the reference with one patch applied.
    file(GLOB patches ${CMAKE_SOURCE_DIR}/tests/mutants/${chapter}/${stem}/*.patch)
    foreach(patch IN LISTS patches)
      get_filename_component(name ${patch} NAME_WE)
      set(source ${CMAKE_BINARY_DIR}/mutants/${chapter}/${stem}/${name}.cpp)
      add_custom_command(OUTPUT ${source}
        COMMAND patch --quiet --fuzz=0 --output=${source}
                ${CMAKE_SOURCE_DIR}/solutions/${chapter}/${stem}.cpp ${patch}
        DEPENDS ${patch} ${CMAKE_SOURCE_DIR}/solutions/${chapter}/${stem}.cpp
        COMMENT "Wrong answer ${id}.${name}" VERBATIM)
      mp_object(${id}.mutant.${name}_object ${source} mp_book)
      if(explored)
        mp_explored_object(${id}.mutant.${name}_explored ${source} mp_book)
      endif()
      set_property(GLOBAL APPEND PROPERTY mp_mutants_${id} ${name})
    endforeach()
  endforeach()

  # The programs: on the reference, and demos on the learner's own files as well.
  file(GLOB broken ${CMAKE_CURRENT_SOURCE_DIR}/broken/*.cpp)
  foreach(source IN LISTS broken)
    get_filename_component(name ${source} NAME_WE)
    set_property(GLOBAL APPEND PROPERTY mp_programs ${chapter}_broken_${name})
    set_property(GLOBAL PROPERTY mp_source_of_${chapter}_broken_${name} ${source})
  endforeach()
  file(GLOB demos ${CMAKE_CURRENT_SOURCE_DIR}/demo.cpp ${CMAKE_CURRENT_SOURCE_DIR}/demo_*.cpp)
  foreach(source IN LISTS demos)
    get_filename_component(demo ${source} NAME_WE)
    foreach(program IN ITEMS ${chapter}_${demo} ${chapter}_${demo}_mine)
      set_property(GLOBAL APPEND PROPERTY mp_programs ${program})
      set_property(GLOBAL PROPERTY mp_source_of_${program} ${source})
    endforeach()
  endforeach()
endfunction()

function(mp_object target source warnings)
  add_library(${target} OBJECT ${source})
  target_link_libraries(${target} PRIVATE mp_book ${warnings})
endfunction()

# One module: `own`_object is under test, all other exercises come from the reference. The same once
# more for the explorer, if it grades this one.
function(mp_module target id own)
  get_property(ids GLOBAL PROPERTY mp_ids)
  get_property(explored GLOBAL PROPERTY mp_explored_${id})
  set(explored_objects "")
  if(explored)
    get_property(explored_objects GLOBAL PROPERTY mp_explored_ids)
    list(REMOVE_ITEM explored_objects ${id})
    list(TRANSFORM explored_objects APPEND .reference_explored)
    list(APPEND explored_objects ${own}_explored)
  endif()
  list(REMOVE_ITEM ids ${id})
  list(TRANSFORM ids APPEND .reference_object)
  add_library(${target} MODULE)
  # The grader first: of functions that several define (std::'s inline ones), the first one counts.
  target_link_libraries(${target} PRIVATE ${id}.grader_object ${own}_object ${ids}
                        ${explored_objects} mp_grader)
  list(TRANSFORM MP_WRAPPED PREPEND "LINKER:--wrap=" OUTPUT_VARIABLE wraps)
  # Bound at once and read-only from then on, so that no call of the grader's can be redirected.
  target_link_options(${target} PRIVATE ${wraps} LINKER:-z,relro,-z,now)
  if(NOT CMAKE_CXX_FLAGS MATCHES sanitize)
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${target} PROPERTIES PREFIX "" LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
endfunction()

function(mp_finish)
  get_property(ids GLOBAL PROPERTY mp_ids)
  foreach(id IN LISTS ids)
    foreach(kind IN ITEMS reference learner stub)
      mp_module(${id}.${kind} ${id} ${id}.${kind})
    endforeach()
    # The list of tests comes from the reference's module, never from the learner's.
    add_custom_command(TARGET ${id}.reference POST_BUILD
      COMMAND mp_host --list $<TARGET_FILE:${id}.reference>
              > ${CMAKE_BINARY_DIR}/modules/${id}.tests)
    get_property(mutants GLOBAL PROPERTY mp_mutants_${id})
    foreach(name IN LISTS mutants)
      mp_module(${id}.mutant.${name} ${id} ${id}.mutant.${name})
    endforeach()
  endforeach()

  set(reference_objects ${ids})
  list(TRANSFORM reference_objects APPEND .reference_object)
  set(learner_objects ${ids})
  list(TRANSFORM learner_objects APPEND .learner_object)
  add_library(mp_reference STATIC)
  target_link_libraries(mp_reference PRIVATE ${reference_objects} PUBLIC mp_book)
  set_target_properties(mp_reference PROPERTIES LINKER_LANGUAGE CXX)

  get_property(programs GLOBAL PROPERTY mp_programs)
  foreach(program IN LISTS programs)
    get_property(source GLOBAL PROPERTY mp_source_of_${program})
    add_executable(${program} ${source})
    target_link_libraries(${program} PRIVATE mp_book mp_strict)
    if(program MATCHES "_mine$")
      target_link_libraries(${program} PRIVATE ${learner_objects})
    else()
      target_link_libraries(${program} PRIVATE mp_reference)
    endif()
    set_target_properties(${program} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/programs)
  endforeach()
endfunction()

# exercises.json: what the runner has to know of the build.
function(mp_write_json)
  get_property(chapters GLOBAL PROPERTY mp_chapters)
  set(separator "")
  set(json "{\n  \"source\": \"${CMAKE_SOURCE_DIR}\",\n  \"build\": \"${CMAKE_BINARY_DIR}\",\n")
  string(APPEND json "  \"compiler\": \"${CMAKE_CXX_COMPILER}\",\n  \"host\": \"$<TARGET_FILE:mp_host>\",\n")
  string(APPEND json "  \"chapters\": [")
  foreach(chapter IN LISTS chapters)
    get_property(stems GLOBAL PROPERTY mp_exercises_${chapter})
    get_property(calls GLOBAL PROPERTY mp_calls_${chapter})
    list(JOIN calls "\", \"" calls)
    string(APPEND json "${separator}\n    { \"name\": \"${chapter}\", \"calls\": [\"${calls}\"], \"exercises\": [")
    set(inner "")
    foreach(stem IN LISTS stems)
      set(id ${chapter}.${stem})
      get_property(names GLOBAL PROPERTY mp_mutants_${id})
      set(mutants "")
      foreach(name IN LISTS names)
        list(APPEND mutants "\n        { \"name\": \"${name}\", \"object\": \"$<TARGET_OBJECTS:${id}.mutant.${name}_object>\" }")
      endforeach()
      list(JOIN mutants "," mutants)
      string(APPEND json "${inner}\n      { \"stem\": \"${stem}\", \"mutants\": [${mutants}],\n        \"object\": \"$<TARGET_OBJECTS:${id}.learner_object>\", \"reference_object\": \"$<TARGET_OBJECTS:${id}.reference_object>\" }")
      set(inner ",")
    endforeach()
    string(APPEND json " ] }")
    set(separator ",")
  endforeach()
  string(APPEND json "\n  ],\n  \"adversarial\": [")
  get_property(names GLOBAL PROPERTY mp_adversarial)
  set(separator "")
  foreach(name IN LISTS names)
    get_property(exercise GLOBAL PROPERTY mp_adversarial_${name})
    string(APPEND json "${separator}\n    { \"name\": \"${name}\", \"exercise\": \"${exercise}\", \"object\": \"$<TARGET_OBJECTS:adversarial.${name}_object>\" }")
    set(separator ",")
  endforeach()
  string(APPEND json "\n  ]\n}\n")
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/exercises.json CONTENT "${json}")
endfunction()
