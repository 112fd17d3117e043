// Compiled once per instruction set (SPARING_ISA). No inline function of another file is used here:
// the linker would keep one copy of it for all instruction sets.
#include "sparing/pomdp_kernels.hpp"

#define SPARING_JOIN(a, b) a##b
#define SPARING_NAME(isa) SPARING_JOIN(pomdp_kernels_, isa)

namespace sparing::pomdp {
namespace {

void dot(const double* rows, SparseBelief belief, double* out) {
    double sum[kLanes] = {};
    for (std::int64_t k = 0; k < belief.size; ++k) {
        const double weight = belief.weight[k];
        const double* row = rows + belief.index[k] * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) sum[l] += weight * row[l];
    }
    for (std::int64_t l = 0; l < kLanes; ++l) out[l] = sum[l];
}

bool reaches(const double* ratio, const RatioArgs& a) {
    double most = 0.0;
    for (std::int64_t l = 0; l < kLanes; ++l) {
        const double gain = ratio[l] * a.slope[l];
        most = gain > most ? gain : most;
    }
    return most > a.threshold;
}

bool ratio(const RatioArgs& a) {
    double best[kLanes];
    for (std::int64_t l = 0; l < kLanes; ++l) best[l] = 1.0;
    constexpr std::int64_t kStep = 16;  // rows between two looks at whether to go on
    for (std::int64_t k = 0; k < a.num_absent; ++k) {
        const double* row = a.inverse + a.absent[k] * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) best[l] = row[l] < kNever ? 0.0 : best[l];
        if (k % kStep == kStep - 1 && !reaches(best, a)) return false;
    }
    for (std::int64_t k = 0; k < a.belief.size; ++k) {
        const double weight = a.belief.weight[k];
        const double* row = a.inverse + a.belief.index[k] * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) {
            const double share = weight * row[l];
            best[l] = share < best[l] ? share : best[l];
        }
        if (k % kStep == kStep - 1 && !reaches(best, a)) return false;
    }
    for (std::int64_t l = 0; l < kLanes; ++l) a.ratio[l] = best[l];
    return reaches(best, a);
}

}  // namespace

const Kernels* SPARING_NAME(SPARING_ISA)();

const Kernels* SPARING_NAME(SPARING_ISA)() {
    static constexpr Kernels kernels{&dot, &ratio};
    return &kernels;
}

}  // namespace sparing::pomdp
