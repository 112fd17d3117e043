#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "sparing/separable_kernels.hpp"

namespace sparing {

/// A cost on some axes, given on groups of their states (no groups: the states themselves).
struct CostTerm {
    std::vector<std::size_t> axes;
    std::vector<std::vector<std::int32_t>> groups;  // [axes][states of the axis], or empty
    std::vector<std::size_t> counts;                // [axes] number of groups
    std::vector<double> values;                     // C order over the groups
};

/// One epoch whose tables are square and on one axis each. Backward, with value V in C order:
///   W  = post + E_1 ... E_N (discount V + next)    E_i: expectation by chance[i]
///   TV = start + min(W + keep, branch_cost + D_1 ... D_N W)   D_i: min-plus by decision[i]
/// and TV = start + D_1 ... D_N W without a branch. An empty table is the identity.
struct SeparableProblem {
    std::vector<std::size_t> sizes;
    std::vector<std::vector<double>> chance, decision;
    double discount;
    std::optional<double> branch_cost;
    std::vector<CostTerm> start, post, next, keep;
};

/// Bounds of TV - V over all states.
struct Span {
    double lower, upper;
};

/// What a run of sweeps found: bounds after each sweep and the shift for the next one.
struct Progress {
    std::vector<double> lower, upper;
    double shift;
};

struct Certificate {
    double lower, upper, probe_value;
    double rounding;  // bound on the rounding error of any TV
};

/// Value iteration V <- TV - shift on two or three arrays of tensor size.
///
/// What is iterated on is U = E_lead (discount V + next), E_lead being the expectation along the
/// leading axes: a sweep then takes two passes over memory. The trailing pass turns blocks of U
/// that fit the second-level cache into W and the minimum along the trailing axes; the leading
/// pass takes columns of that, finishes TV and at once applies E_lead for the next sweep.
/// min and max of the change of U bound the next change of V, as E and D are non-expansive.
template <class T>
class SeparableSweep {
  public:
    explicit SeparableSweep(const SeparableProblem& problem);
    ~SeparableSweep();
    SeparableSweep(const SeparableSweep&) = delete;
    SeparableSweep& operator=(const SeparableSweep&) = delete;

    /// U, in place: whoever saves it and writes it back continues to the same numbers.
    std::span<T> state();
    const std::vector<std::size_t>& sizes() const;

    /// U from a value; none means zero.
    void load(const T* value);
    /// Sweeps until upper - lower <= tolerance; `relative` moves the shift to the middle of the
    /// bounds before each sweep but the first. Where every tile is watched the bounds hold for
    /// all states (up to rounding), else for a sample. `extra` is the part of each change that is
    /// added once more (relaxation); such sweeps hold one tensor more and watch all states.
    Progress advance(std::size_t max_sweeps, double tolerance, double shift, bool relative,
                     double extra = 0.0);
    /// V = TV - shift from U, then rigorous bounds of TV - V and the greedy policy of V.
    /// `policy` and `value` (TV) may be null or overlap the state, which is lost then; otherwise
    /// the state is that of V afterwards.
    Certificate certify(std::uint32_t* policy, T* value, std::size_t probe, double shift);
    /// out = TV - shift from U; overwrites the state.
    void finish(T* out, double shift);
    /// out = T value; overwrites the state.
    void backup(const T* value, T* out);

    int num_threads = 0;  // 0: as many as the runtime has, fewer where they do not pay

    struct Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

/// Bytes of the tensors that a sweep and its certificate hold at once.
std::size_t separable_bytes(std::span<const std::size_t> sizes, std::size_t itemsize);

}  // namespace sparing
