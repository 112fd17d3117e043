#include "instruction_set.hpp"
#include "sparing/network_kernels.hpp"

namespace sparing {

const NetworkKernels* network_baseline();
const NetworkKernels* network_avx2();
const NetworkKernels* network_avx512();

const NetworkKernels& network_kernels() {
    static const auto* const kernels =
        best_of(&network_baseline, SPARING_IF_AVX2(&network_avx2, nullptr),
                SPARING_IF_AVX512(&network_avx512, nullptr))();
    return *kernels;
}

}  // namespace sparing
