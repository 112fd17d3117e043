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

/// Whether a lane can still give more than the threshold.
bool reaches(const double* ratio, const RatioArgs& a) {
    constexpr std::int64_t kStrip = 8;  // maxima side by side, as the compiler may not reorder one
    double most[kStrip] = {};
    for (std::int64_t l = 0; l < kLanes; l += kStrip)
        for (std::int64_t k = 0; k < kStrip; ++k) {
            const double gain = ratio[l + k] * a.slope[l + k];
            most[k] = gain > most[k] ? gain : most[k];
        }
    for (std::int64_t k = 1; k < kStrip; ++k) most[0] = most[k] > most[0] ? most[k] : most[0];
    return most[0] > a.threshold;
}

/// Points that are possible where the belief is not do not fit at all.
void exclude(const RatioArgs& a, std::int64_t first, std::int64_t last, double* ratio) {
    double best[kLanes];
    for (std::int64_t l = 0; l < kLanes; ++l) best[l] = ratio[l];
    for (std::int64_t k = first; k < last; ++k) {
        const double* row = a.inverse + a.absent[k] * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) best[l] = row[l] < kNever ? 0.0 : best[l];
    }
    for (std::int64_t l = 0; l < kLanes; ++l) ratio[l] = best[l];
}

void fit(const RatioArgs& a, std::int64_t first, std::int64_t last, double* ratio) {
    double best[kLanes];
    for (std::int64_t l = 0; l < kLanes; ++l) best[l] = ratio[l];
    for (std::int64_t k = first; k < last; ++k) {
        const double weight = a.belief.weight[k];
        const double* row = a.inverse + a.belief.index[k] * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) {
            const double share = weight * row[l];
            best[l] = share < best[l] ? share : best[l];
        }
    }
    for (std::int64_t l = 0; l < kLanes; ++l) ratio[l] = best[l];
}

bool ratio(const RatioArgs& a) {
    constexpr std::int64_t kStep = 16;  // rows between two looks at whether to go on
    for (std::int64_t l = 0; l < kLanes; ++l) a.ratio[l] = 1.0;
    if (!reaches(a.ratio, a)) return false;
    for (std::int64_t k = 0; k < a.num_absent; k += kStep) {
        exclude(a, k, k + kStep < a.num_absent ? k + kStep : a.num_absent, a.ratio);
        if (!reaches(a.ratio, a)) return false;
    }
    for (std::int64_t k = 0; k < a.belief.size; k += kStep) {
        fit(a, k, k + kStep < a.belief.size ? k + kStep : a.belief.size, a.ratio);
        if (!reaches(a.ratio, a)) return false;
    }
    return true;
}

}  // namespace

const Kernels* SPARING_NAME(SPARING_ISA)();

const Kernels* SPARING_NAME(SPARING_ISA)() {
    static constexpr Kernels kernels{&dot, &ratio};
    return &kernels;
}

}  // namespace sparing::pomdp
