#include "instruction_set.hpp"
#include "sparing/network_rollout.hpp"

namespace sparing::network {

Kernels best_kernels() {
    return best_of(&kernels_baseline, SPARING_IF_AVX2(&kernels_avx2, nullptr),
                   SPARING_IF_AVX512(&kernels_avx512, nullptr))();
}

}  // namespace sparing::network
