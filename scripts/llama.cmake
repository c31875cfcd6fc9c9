# Read by each project() of llama.cpp's build; .cargo/config.toml names it.
if(NOT PROJECT_NAME STREQUAL "llama.cpp")
  return()
endif()

# Chat parsers, downloads and command lines: half of the compilation, of which nothing is linked.
# `llama-cpp-2` offers no way to turn off this feature of `llama-cpp-sys-2`.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)

# No AMX. Its kernels give a Q4_1 model other logits, by up to 0.8, as soon as a prompt is cut into
# batches elsewhere, and GCC 12.2 optimises their tile configuration away, so that a model crashes with
# its first prompt: docs/architecture.md, "No AMX".
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  include(CheckCXXCompilerFlag)
  foreach(part tile int8 bf16)
    check_cxx_compiler_flag(-mno-amx-${part} sureness_knows_amx_${part})
    if(sureness_knows_amx_${part})
      add_compile_options(-mno-amx-${part})
    endif()
  endforeach()
endif()

# GCC spends a fifth of its time on the largest files looking for memory to use again.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:--param=ggc-min-heapsize=524288>")
endif()

# Of a portable build: each library finds the others beside it.
set(CMAKE_INSTALL_RPATH "$ORIGIN")

# Called when the targets exist.
function(sureness_mend)
  # Most of a file's compilation is its headers: several together take half the time. One file has
  # a function whose name another has too.
  get_target_property(folder llama SOURCE_DIR)
  get_target_property(sources llama SOURCES)
  list(FILTER sources EXCLUDE REGEX "dsv4")
  list(TRANSFORM sources PREPEND "${folder}/" REGEX "^[a-z]")
  set_property(SOURCE ${sources} TARGET_DIRECTORY llama PROPERTY SKIP_UNITY_BUILD_INCLUSION OFF)

  # The folder of the kernels on the builder's machine: another machine has no use for it, and it would
  # make two builds differ.
  get_target_property(definitions ggml COMPILE_DEFINITIONS)
  if(definitions)
    list(FILTER definitions EXCLUDE REGEX "^GGML_BACKEND_DIR=")
    set_property(TARGET ggml PROPERTY COMPILE_DEFINITIONS ${definitions})
  endif()

  get_target_property(folder ggml SOURCE_DIR)
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(NOT target MATCHES "^ggml-cpu" OR NOT type MATCHES "LIBRARY")
      continue()
    endif()
    # A portable build has kernels with AMX for processors that have it.
    get_target_property(options ${target} COMPILE_OPTIONS)
    list(FILTER options EXCLUDE REGEX "^-mamx")
    set_property(TARGET ${target} PROPERTY COMPILE_OPTIONS ${options})
    if(NOT MSVC)
      # Also where the rest is compiled for a quick build: a model spends its time there.
      target_compile_options(${target} PRIVATE -O3)
    endif()
  endforeach()
endfunction()
cmake_language(DEFER CALL sureness_mend)
