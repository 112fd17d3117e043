#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace sparing {

/// How the units outstanding of a location follow from its supplier's backorders B.
enum class Resupply : int {
    thinning = 0,  ///< binomial thinning of B plus a Poisson pipeline: exact (Graves 1985)
    mean = 1,      ///< METRIC: Poisson of the same mean (Sherbrooke 1968)
    variance = 2,  ///< VARI-METRIC: negative binomial of the same two moments (Graves 1985)
};

/// What a site's shortage is measured by.
enum class Shortage : int {
    backorders = 0,  ///< expected backorders
    not_ready = 1,   ///< -log of the probability that nothing is backordered
};

/// One-for-one replenishment in a forest of L locations; suppliers stand before those they supply,
/// and failures arise at the locations that supply nobody. [P, L] arrays are row by row.
struct BaseStockNetwork {
    std::span<const std::int32_t> supplier;   // [L] -1: outside, which never runs short
    std::span<const double> own_mean;         // [P, L] mean of the pipeline with a full supplier
    std::span<const double> share;            // [P, L] of the supplier's backorders
    std::span<const std::int32_t> length;     // [P, L] units outstanding that are kept, plus one
    std::span<const std::int32_t> max_level;  // [P, L] highest base stock looked at
    Resupply resupply;
    Shortage shortage;

    std::size_t locations() const { return supplier.size(); }
    std::size_t parts() const { return own_mean.size() / supplier.size(); }
};

/// Expected values at given base-stock levels; [P, L] each.
struct BaseStockMeasures {
    std::span<double> backorders, on_hand, ready, fill;
};

}  // namespace sparing
