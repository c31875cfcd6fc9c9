# Read by each project() of llama.cpp's build; .cargo/config.toml names it.
if(NOT PROJECT_NAME STREQUAL "llama.cpp")
  return()
endif()

# Chat parsers, downloads and command lines: half of the compilation, of which nothing is linked.
# `llama-cpp-2` offers no way to turn off this feature of `llama-cpp-sys-2`.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)

# Called when the targets exist.
set(sureness_tiles "${CMAKE_CURRENT_LIST_DIR}/tiles.h")
function(sureness_mend_tiles)
  get_target_property(folder llama SOURCE_DIR)
  set(source "${folder}/../ggml/src/ggml-cpu/amx/mmq.cpp")
  cmake_path(NORMAL_PATH source)
  if(TARGET ggml-cpu)
    set(target ggml-cpu)
  else()
    set(target ggml-cpu-sapphirerapids)
  endif()
  set_property(
    SOURCE "${source}" TARGET_DIRECTORY ${target}
    APPEND PROPERTY COMPILE_OPTIONS -include "${sureness_tiles}")
endfunction()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  cmake_language(DEFER CALL sureness_mend_tiles)
endif()
