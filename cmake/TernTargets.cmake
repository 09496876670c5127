# One function for each kind of target, so that a module's own file only names its sources and what it links.

find_program(TERN_CCACHE ccache)
if(TERN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TERN_CCACHE})
endif()

add_library(tern_flags INTERFACE)
target_compile_options(tern_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(tern_flags INTERFACE -Wthread-safety)
else()
  # GCC 12 sees dangling pointers and overflows that are not there once Boost and fmt are inlined.
  target_compile_options(tern_flags INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
                                              -Wno-dangling-pointer -Wno-restrict -Wno-stringop-overread)
endif()
if(TERN_SANITIZE)
  target_compile_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(tern_flags INTERFACE -fsanitize=${TERN_SANITIZE})
  if(TERN_SANITIZE MATCHES "undefined")
    target_compile_options(tern_flags INTERFACE -fno-sanitize-recover=all)
  endif()
endif()
if(TERN_PREEMPTION_POINTS)
  target_compile_definitions(tern_flags INTERFACE TERN_PREEMPTION_POINTS)
endif()
target_include_directories(tern_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)

# tern_precompile(target HEADERS...): parses once what most files of a target include, since that is most of what compiling one
# costs.
function(tern_precompile target)
  target_precompile_headers(${target} PRIVATE <fmt/format.h> <boost/system/result.hpp> ${ARGN})
endfunction()

# tern_module(store SOURCES log.cpp ... LINKS tern_message tern_file [PRECOMPILED tern/store/store.hpp] [LITTLE_RUN]): one room,
# a static library tern_<name>. PRECOMPILED are the headers of the tree that most of its files include. LITTLE_RUN: tests spend
# less time in it than compilers do, so a build for tests alone, that with sanitizers, does not optimize it.
function(tern_module name)
  cmake_parse_arguments(arg "LITTLE_RUN" "" "SOURCES;LINKS;PRECOMPILED" ${ARGN})
  add_library(tern_${name} STATIC ${arg_SOURCES})
  target_include_directories(tern_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(tern_${name} PUBLIC ${arg_LINKS} PRIVATE tern_flags)
  if(TERN_PRECOMPILED_HEADERS)  # where it is off, as in the release build, each file shows that it includes what it needs
    tern_precompile(tern_${name} ${arg_PRECOMPILED})
  endif()
  if(TERN_SANITIZE AND arg_LITTLE_RUN)
    target_compile_options(tern_${name} PRIVATE -O0)
  endif()
  if(TERN_FUZZ)
    target_compile_options(tern_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# tern_program(tern-broker SOURCES ... LINKS ...)
function(tern_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${arg_LINKS} tern_flags)
  target_compile_definitions(${name} PRIVATE TERN_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# tern_test(store SOURCES ... LINKS ... [PRECOMPILED ...] [LABELS concurrent]): one test program per room.
function(tern_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRECOMPILED;LABELS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/test)
  target_link_libraries(${name}_test PRIVATE ${arg_LINKS} GTest::gmock GTest::gtest_main tern_flags)
  target_compile_definitions(${name}_test PRIVATE TERN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_compile_options(${name}_test PRIVATE -O0)  # compiling them costs more than running them
  tern_precompile(${name}_test <gmock/gmock.h> <gtest/gtest.h> ${arg_PRECOMPILED})
  set_target_properties(${name}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
endfunction()

# tern_fuzz(frame LINKS tern_protocol): test/fuzz/<name>_fuzz.cpp with the corpus test/fuzz/corpus/<name>.
function(tern_fuzz name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_executable(${name}_fuzz ${name}_fuzz.cpp)
  target_include_directories(${name}_fuzz PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/test)
  target_link_libraries(${name}_fuzz PRIVATE ${arg_LINKS} tern_flags)
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()

# tern_bench(put_lock LINKS tern_store): bench/micro/<name>_bench.cpp
function(tern_bench name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  add_executable(${name}_bench ${name}_bench.cpp)
  target_include_directories(${name}_bench PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name}_bench PRIVATE ${arg_LINKS} benchmark::benchmark_main tern_flags)
  set_target_properties(${name}_bench PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()
