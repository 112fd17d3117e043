#include "../instruction_set.hpp"
#include "sparing/pomdp_kernels.hpp"

namespace sparing::pomdp {

const Kernels* pomdp_kernels_baseline();
const Kernels* pomdp_kernels_avx2();
const Kernels* pomdp_kernels_avx512();

const Kernels& kernels() {
    static const auto* const chosen =
        best_of(&pomdp_kernels_baseline, SPARING_IF_AVX2(&pomdp_kernels_avx2, nullptr),
                SPARING_IF_AVX512(&pomdp_kernels_avx512, nullptr))();
    return *chosen;
}

}  // namespace sparing::pomdp
