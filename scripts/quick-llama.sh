# Sourced by what builds for a try or for tests: of llama.cpp, the kernels alone are optimised
# (scripts/llama.cmake), which halves its compilation; a model answers as fast.
export CMAKE_CXX_FLAGS_RELEASE=${CMAKE_CXX_FLAGS_RELEASE--O0 -DNDEBUG}
export CMAKE_C_FLAGS_RELEASE=${CMAKE_C_FLAGS_RELEASE--O1 -DNDEBUG}
