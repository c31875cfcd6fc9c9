# Read by each project() of llama.cpp's build; .cargo/config.toml names it.
if(NOT PROJECT_NAME STREQUAL "llama.cpp")
  return()
endif()

# Chat parsers, downloads and command lines: half of the compilation, of which nothing is linked.
# `llama-cpp-2` offers no way to turn off this feature of `llama-cpp-sys-2`.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)

# Some releases of GCC, 12.2 among them, take ldtilecfg, which reads 64 bytes, for an instruction that
# reads a pointer, and drop what ggml has written behind it: optimised, the model then crashes at once
# on a processor with AMX. The operand in the compiler's own header tells.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  file(WRITE "${CMAKE_BINARY_DIR}/tiles.cpp" "#include <immintrin.h>\n")
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -mamx-tile -E "${CMAKE_BINARY_DIR}/tiles.cpp"
    OUTPUT_VARIABLE tiles ERROR_QUIET)
  if(tiles MATCHES "ldtilecfg[^;]*const void *\\*\\*")
    message(STATUS "sureness: this GCC misreads ldtilecfg; ggml goes without AMX")
    add_compile_options(-mno-amx-tile -mno-amx-int8 -mno-amx-bf16)
  endif()
endif()
