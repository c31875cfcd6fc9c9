# Read by each project() of llama.cpp's build; .cargo/config.toml names it.
if(NOT PROJECT_NAME STREQUAL "llama.cpp")
  return()
endif()

# Chat parsers, downloads and command lines: half of the compilation, of which nothing is linked.
# `llama-cpp-2` offers no way to turn off this feature of `llama-cpp-sys-2`.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)

set(sureness_folder "${CMAKE_CURRENT_LIST_DIR}")

# Called when the targets exist.
function(sureness_mend)
  # Most of a file's compilation is its headers: several together take half the time. One file has
  # a function whose name another has too.
  get_target_property(folder llama SOURCE_DIR)
  get_target_property(sources llama SOURCES)
  list(FILTER sources EXCLUDE REGEX "dsv4")
  list(TRANSFORM sources PREPEND "${folder}/" REGEX "^[a-z]")
  set_property(SOURCE ${sources} TARGET_DIRECTORY llama PROPERTY SKIP_UNITY_BUILD_INCLUSION OFF)

  get_target_property(folder ggml SOURCE_DIR)
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  list(FILTER targets INCLUDE REGEX "^ggml-cpu")
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND type MATCHES "LIBRARY")
      # Also where the rest is compiled for a quick build: a model spends its time there, and -O2 takes
      # 1.7 times as long as -O3.
      target_compile_options(${target} PRIVATE -O3)
      set_property(
        SOURCE "${folder}/ggml-cpu/amx/mmq.cpp" TARGET_DIRECTORY ${target}
        PROPERTY COMPILE_OPTIONS -include "${sureness_folder}/tiles.h")
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL sureness_mend)
