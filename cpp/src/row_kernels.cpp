#include "sparing/row_kernels.hpp"

#include "instruction_set.hpp"

namespace sparing {

#define SPARING_DECLARE(isa)                              \
    const RowKernels<float>* row_kernels_##isa##_float(); \
    const RowKernels<double>* row_kernels_##isa##_double();
SPARING_DECLARE(baseline)
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)

template <>
const RowKernels<float>& row_kernels<float>() {
    static const auto* const kernels =
        best_of(&row_kernels_baseline_float, SPARING_IF_AVX2(&row_kernels_avx2_float, nullptr),
                SPARING_IF_AVX512(&row_kernels_avx512_float, nullptr))();
    return *kernels;
}
template <>
const RowKernels<double>& row_kernels<double>() {
    static const auto* const kernels =
        best_of(&row_kernels_baseline_double, SPARING_IF_AVX2(&row_kernels_avx2_double, nullptr),
                SPARING_IF_AVX512(&row_kernels_avx512_double, nullptr))();
    return *kernels;
}

}  // namespace sparing
