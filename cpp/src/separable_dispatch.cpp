#include "sparing/separable_kernels.hpp"

namespace sparing {

#define SPARING_DECLARE(isa)                                  \
    const SeparableKernels<float>* separable_##isa##_float(); \
    const SeparableKernels<double>* separable_##isa##_double();
SPARING_DECLARE(baseline)
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)

namespace {

// The best of what was compiled and what the processor has.
#define SPARING_PICK(real)                                                                  \
    const SeparableKernels<real>* pick_##real() {                                           \
        SPARING_TRY_AVX512(real) SPARING_TRY_AVX2(real) return separable_baseline_##real(); \
    }
#ifdef SPARING_HAS_avx512
#define SPARING_TRY_AVX512(real)                                                    \
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&  \
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vl") && \
        __builtin_cpu_supports("avx512bw"))                                         \
        return separable_avx512_##real();
#else
#define SPARING_TRY_AVX512(real)
#endif
#ifdef SPARING_HAS_avx2
#define SPARING_TRY_AVX2(real)                                             \
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && \
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))   \
        return separable_avx2_##real();
#else
#define SPARING_TRY_AVX2(real)
#endif
SPARING_PICK(float)
SPARING_PICK(double)

}  // namespace

template <>
const SeparableKernels<float>& separable_kernels<float>() {
    static const SeparableKernels<float>* const kernels = pick_float();
    return *kernels;
}
template <>
const SeparableKernels<double>& separable_kernels<double>() {
    static const SeparableKernels<double>* const kernels = pick_double();
    return *kernels;
}

}  // namespace sparing
