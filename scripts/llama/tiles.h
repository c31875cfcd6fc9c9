// Included before ggml's AMX kernels, where GCC compiles them.
//
// Some releases of GCC, 12.2 among them, take ldtilecfg, which reads 64 bytes, for an instruction
// that reads a pointer, and drop what ggml has written behind it: optimised, a model crashes with
// its first prompt on a processor with AMX. Here the operand has its size.
#ifdef __AMX_TILE__
#include <immintrin.h>
#define _tile_loadconfig(config) \
    __asm__ volatile("ldtilecfg\t%0" ::"m"(*(const char(*)[64])(config)))
#endif
