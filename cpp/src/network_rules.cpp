#include "instruction_set.hpp"
#include "sparing/network_rollout.hpp"

namespace sparing::network {

Kernel best_kernel() {
    return best_of(&run_baseline, SPARING_IF_AVX2(&run_avx2, nullptr),
                   SPARING_IF_AVX512(&run_avx512, nullptr));
}

}  // namespace sparing::network
