#pragma once
#include <type_traits>

// Whether code compiled for an instruction set is part of this build.
#ifdef SPARING_HAS_avx2
#define SPARING_IF_AVX2(yes, no) yes
#else
#define SPARING_IF_AVX2(yes, no) no
#endif
#ifdef SPARING_HAS_avx512
#define SPARING_IF_AVX512(yes, no) yes
#else
#define SPARING_IF_AVX512(yes, no) no
#endif

namespace sparing {

/// Returns the last of three choices that is there (not null) and that this processor can run.
template <class Choice>
Choice best_of(Choice baseline, [[maybe_unused]] std::type_identity_t<Choice> avx2,
               [[maybe_unused]] std::type_identity_t<Choice> avx512) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    // What x86-64-v4 and x86-64-v3 add over v3 and the baseline, as far as loops can use it.
    if (avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        return avx512;
    if (avx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))
        return avx2;
#endif
    return baseline;
}

}  // namespace sparing
