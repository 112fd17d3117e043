#pragma once
#include <cstdint>

namespace sparing::pomdp {

inline constexpr std::int64_t kLanes = 64;  // vectors or points that are looked at together
inline constexpr double kNever = 1e300;     // inverse of a probability of zero

/// Entry k of a belief is `weight[k]` at place `index[k]` of its domain.
struct SparseBelief {
    const std::int32_t* index;
    const double* weight;
    std::int64_t size;
};

struct RatioArgs {
    const double* inverse;       // [n, kLanes] 1 / probability of the points, or kNever
    SparseBelief belief;         //
    const std::int32_t* absent;  // [num_absent] places at which the belief is zero
    std::int64_t num_absent;     //
    const double* slope;         // [kLanes] most that a point can give per unit of its ratio
    double threshold;            // what it must give at least
    double* ratio;               // [kLanes] out
};

/// Loops that are compiled per instruction set.
struct Kernels {
    /// out[l] = sum over k of weight[k] rows[index[k], l]; rows is [n, kLanes].
    void (*dot)(const double* rows, SparseBelief belief, double* out);
    /// ratio[l] = the largest share of point l that fits into the belief: min over s of b(s) /
    /// b_l(s). False, and no ratios, if no lane can reach the threshold.
    bool (*ratio)(const RatioArgs& args);
};

const Kernels& kernels();

}  // namespace sparing::pomdp
