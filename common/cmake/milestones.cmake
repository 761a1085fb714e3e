# What every target of this project is built with. A function and not global flags,
# so that a project which uses our libraries keeps its own settings.
find_package(Threads REQUIRED)

option(MILESTONES_WERROR "Treat warnings as errors" ON)
set(MILESTONES_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")

function(milestones_settings target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Wimplicit-fallthrough -fno-exceptions)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 warns of an overlap inside std::string's own operator+ (GCC bug 105651).
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
  if(MILESTONES_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(MILESTONES_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=${MILESTONES_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${MILESTONES_SANITIZE})
    if(MILESTONES_SANITIZE MATCHES "undefined")
      target_compile_options(${target} PUBLIC -fno-sanitize-recover=undefined)
    endif()
  endif()
endfunction()

# milestones_library(uring SOURCES a.cpp b.cpp LINKS milestones::base)
# A folder of common/ as a static library `uring` with the alias milestones::uring.
function(milestones_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  add_library(milestones::${name} ALIAS ${name})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME milestones_${name})
  target_include_directories(${name} PUBLIC ${io_uring_milestones_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_LINKS})
  milestones_settings(${name})
endfunction()
