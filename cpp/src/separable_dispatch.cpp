#include "sparing/separable_kernels.hpp"

namespace sparing {

#define SPARING_DECLARE(isa)                                  \
    const SeparableKernels<float>* separable_##isa##_float(); \
    const SeparableKernels<double>* separable_##isa##_double();
SPARING_DECLARE(baseline)
#ifdef SPARING_X86
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)
#endif

namespace {

template <class T>
const SeparableKernels<T>* pick(const SeparableKernels<T>* (*const (&per_isa)[3])()) {
#ifdef SPARING_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        return per_isa[2]();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return per_isa[1]();
#endif
    return per_isa[0]();
}

}  // namespace

#ifdef SPARING_X86
#define SPARING_CHOICES(real) \
    {&separable_baseline_##real, &separable_avx2_##real, &separable_avx512_##real}
#else
#define SPARING_CHOICES(real) {&separable_baseline_##real, nullptr, nullptr}
#endif

template <>
const SeparableKernels<float>& separable_kernels<float>() {
    static const SeparableKernels<float>* const kernels = pick<float>(SPARING_CHOICES(float));
    return *kernels;
}
template <>
const SeparableKernels<double>& separable_kernels<double>() {
    static const SeparableKernels<double>* const kernels = pick<double>(SPARING_CHOICES(double));
    return *kernels;
}

}  // namespace sparing
