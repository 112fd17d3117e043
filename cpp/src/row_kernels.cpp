#include "sparing/row_kernels.hpp"

#include "instruction_set.hpp"

namespace sparing {

#define SPARING_DECLARE(isa)                             \
    const RowKernels<float>* row_kernels_##isa##_float(); \
    const RowKernels<double>* row_kernels_##isa##_double();
SPARING_DECLARE(baseline)
#ifdef SPARING_X86
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)
#define SPARING_CHOICES(real) \
    {&row_kernels_baseline_##real, &row_kernels_avx2_##real, &row_kernels_avx512_##real}
#else
#define SPARING_CHOICES(real) {&row_kernels_baseline_##real, nullptr, nullptr}
#endif

template <>
const RowKernels<float>& row_kernels<float>() {
    static const RowKernels<float>* const kernels =
        best_of<RowKernels<float>>(SPARING_CHOICES(float));
    return *kernels;
}
template <>
const RowKernels<double>& row_kernels<double>() {
    static const RowKernels<double>* const kernels =
        best_of<RowKernels<double>>(SPARING_CHOICES(double));
    return *kernels;
}

}  // namespace sparing
