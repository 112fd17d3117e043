#pragma once
#include <cstdint>

// Plain structs and pointers only: this header is compiled for several instruction sets, and a
// function shared by name could otherwise be linked from the wrong one.
namespace sparing::small {

inline constexpr int lanes = 16;
inline constexpr int max_axes = 4;     // one Philox call an epoch
inline constexpr int max_states = 16;  // of an axis
inline constexpr int max_terms = 16;

/// A drawn axis: thresholds[j * 16 + a] is the draw from which row a goes beyond state j.
struct Axis {
    const std::uint32_t* thresholds;  // [num_thresholds, 16]
    std::int32_t num_thresholds;
    std::uint32_t stride;  // in the flat state
    std::uint32_t shift;   // of its row within the packed rows
};

/// A cost per state, at the start of the epoch or behind its last draw.
struct Term {
    const double* values;  // [states]
    bool behind;
    bool ends_kind;  // the last term of its kind
};

/// An epoch of one stage, one draw an axis and costs behind, on flat states.
struct Program {
    const std::uint32_t* rows;  // [states] post-decision rows, a byte an axis
    const std::uint32_t* rest;  // [states] flat part of the axes that do not draw, or null
    Axis axes[max_axes];
    std::int32_t num_axes;
    Term terms[max_terms];  // kind by kind, in the order of time
    std::int32_t num_terms;
};

struct Range {
    std::uint32_t key[2];
    std::uint32_t first_epoch, num_epochs;
    const double* epoch_weights;  // [num_epochs] or null
    bool counted;
};

/// Roll out 16 replications from `first_replication` on: states [16], totals [kinds paid, 16].
/// The same draws and sums as LaneBlock, bit for bit.
using Kernel = void (*)(const Program&, const Range&, std::uint32_t first_replication,
                        std::uint32_t* states, double* totals);

void roll_baseline(const Program&, const Range&, std::uint32_t, std::uint32_t*, double*);
void roll_avx2(const Program&, const Range&, std::uint32_t, std::uint32_t*, double*);
void roll_avx512(const Program&, const Range&, std::uint32_t, std::uint32_t*, double*);

}  // namespace sparing::small
