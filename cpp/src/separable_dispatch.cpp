#include "instruction_set.hpp"
#include "sparing/separable_kernels.hpp"

namespace sparing {

#define SPARING_DECLARE(isa)                                  \
    const SeparableKernels<float>* separable_##isa##_float(); \
    const SeparableKernels<double>* separable_##isa##_double();
SPARING_DECLARE(baseline)
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)

template <>
const SeparableKernels<float>& separable_kernels<float>() {
    static const auto* const kernels =
        best_of(&separable_baseline_float, SPARING_IF_AVX2(&separable_avx2_float, nullptr),
                SPARING_IF_AVX512(&separable_avx512_float, nullptr))();
    return *kernels;
}
template <>
const SeparableKernels<double>& separable_kernels<double>() {
    static const auto* const kernels =
        best_of(&separable_baseline_double, SPARING_IF_AVX2(&separable_avx2_double, nullptr),
                SPARING_IF_AVX512(&separable_avx512_double, nullptr))();
    return *kernels;
}

}  // namespace sparing
