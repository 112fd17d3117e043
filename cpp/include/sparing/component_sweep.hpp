#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace sparing {

/// Lanes of a belief tensor are padded to a multiple of this.
inline constexpr std::int64_t kBeliefLanes = 16;

/// Where the options of one component lead, from each of its belief points.
template <class T>
struct OptionRows {
    std::int64_t points, options;
    const std::int64_t* indptr;  // [points * options + 1] row p * options + a; empty: left out
    const std::int32_t* to;      // [entries] points
    const T* weight;             // [entries] above 0
    const T* cost;               // [options]
};

/// One slice of the sweep: all options of the leading axes but one, at one point of the first.
template <class T>
struct BeliefSlice {
    const OptionRows<T>* axes;  // [num_axes] leading axes, in the order of the tensor
    std::int64_t num_axes;      // at least 1
    std::int64_t lanes;         // padded points of the last axis
    std::int64_t point;         // of the first axis
    T cost;                     // of the option that the last axis has taken
    const T* in;                // [points of the leading axes, lanes]
    T* out;                     // the slice of that point: the least so far, and after
    T* scratch;                 // see belief_scratch
};

/// The loops that are compiled once per instruction set.
template <class T>
struct BeliefKernels {
    /// out[r, p] = scale * sum of weight * in[r, to] over the row of (p, option); inf where it is
    /// left out, 0 in the padding. `scratch` has points * 16 elements.
    void (*contract_lanes)(const OptionRows<T>& rows, std::int64_t option, T scale,
                           std::int64_t num_rows, std::int64_t lanes, const T* in, T* out,
                           T* scratch);
    /// out = min(out, cost + expectation of in) over the options of the leading axes, depth first:
    /// each axis is contracted once for all options of the axes that follow.
    void (*sweep_slice)(const BeliefSlice<T>&);
};

/// Kernels for the best instruction set of this processor, chosen once.
template <class T>
const BeliefKernels<T>& belief_kernels();

/// One period of value iteration over belief points, without the downtime cost:
/// out(p) = min_a sum_i cost_i(a_i) + discount * sum_q prod_i P_i(q_i | p_i, a_i) in(q),
/// where P_i are interpolation weights. `axes` has two axes or more; the last one holds the lanes.
/// The same for any number of threads.
template <class T>
void belief_sweep(std::span<const OptionRows<T>> axes, T discount, std::span<const T> in,
                  std::span<T> out, std::span<T> work, int num_threads);

extern template void belief_sweep<double>(std::span<const OptionRows<double>>, double,
                                          std::span<const double>, std::span<double>,
                                          std::span<double>, int);

}  // namespace sparing
