# mp_explored_object(TARGET SOURCE [LIBRARIES...]): an object library with SOURCE compiled for the
# explorer. All of namespace mp is then namespace explored, so that it can be linked beside the plain
# one, and every access to memory is a call into the explorer (tsan_front.cpp).
#
# Without optimisation each member of std::atomic would be a function of its own; -O1 makes lines of
# the report short and exploring twice as fast. Statics without guards: the model has one flow of
# control per process. What else is needed says separate.sh.
find_program(MP_OBJCOPY NAMES objcopy llvm-objcopy)
find_program(MP_NM NAMES nm llvm-nm)
set(MP_SEPARATE ${CMAKE_CURRENT_LIST_DIR}/separate.sh)

function(mp_explored_object target source)
  add_library(${target}_as_compiled OBJECT ${source})
  target_link_libraries(${target}_as_compiled PRIVATE ${ARGN})
  target_compile_definitions(${target}_as_compiled PRIVATE mp=explored)
  target_compile_options(${target}_as_compiled PRIVATE
    -fno-sanitize=address,undefined,leak -fsanitize=thread -O1 -g -U_FORTIFY_SOURCE
    -fno-threadsafe-statics -fno-omit-frame-pointer -fno-optimize-sibling-calls
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>  # fences: ThreadSanitizer does not know them, we do
    # A copy of a few bytes whose number is known only at run time is a call of memcpy, which the
    # explorer sees, and no loop, which it does not.
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<STREQUAL:${CMAKE_SYSTEM_PROCESSOR},x86_64>>:-mstringop-strategy=libcall>)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_COMMAND} -E env NM=${MP_NM} OBJCOPY=${MP_OBJCOPY}
            ${MP_SEPARATE} $<TARGET_OBJECTS:${target}_as_compiled> ${object}
    DEPENDS ${target}_as_compiled $<TARGET_OBJECTS:${target}_as_compiled> ${MP_SEPARATE}
    COMMENT "Explored ${target}" VERBATIM)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  add_custom_target(${target}_separated DEPENDS ${object})  # so that other folders can link it
  add_library(${target} INTERFACE)
  target_sources(${target} INTERFACE ${object})
endfunction()
