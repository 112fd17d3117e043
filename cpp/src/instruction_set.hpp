#pragma once

namespace sparing {

/// Returns the kernels of the best instruction set of this processor: baseline, AVX2 or AVX-512.
template <class Kernels>
const Kernels* best_of(const Kernels* (*const (&per_isa)[3])()) {
#ifdef SPARING_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return per_isa[2]();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return per_isa[1]();
#endif
    return per_isa[0]();
}

}  // namespace sparing
