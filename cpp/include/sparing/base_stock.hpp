#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "sparing/base_stock_part.hpp"
#include "sparing/parallel.hpp"

namespace sparing {

/// curve[p, u]: least weighted shortage of part p with u units in all. Convex: made so, and its
/// vertices can be had. Not convex: exact at each u, where one location supplies all others.
/// Rows longer than the part's own curve are left as they are.
inline void base_stock_curves(const BaseStockNetwork& net, std::span<const double> weight,
                              bool convex, std::span<double> curve, int num_threads) {
    const auto parts = net.parts(), width = curve.size() / parts;
    parallel_for(static_cast<std::int64_t>(parts), 1 << 30, num_threads, [&](std::int64_t part) {
        const auto p = static_cast<std::size_t>(part);
        detail::PartNetwork(net, p).curve(weight, convex, curve.subspan(p * width, width));
    });
}

/// level [P, L] and cost [P] of the cheapest base stocks under prices per unit of stock, holding
/// costs per unit on hand and weights of the shortage. Ties go to the lowest level.
inline void cheapest_base_stocks(const BaseStockNetwork& net, std::span<const double> price,
                                 std::span<const double> holding, std::span<const double> weight,
                                 std::span<std::int32_t> level, std::span<double> cost,
                                 int num_threads) {
    const auto locations = net.locations();
    parallel_for(static_cast<std::int64_t>(net.parts()), 1 << 30, num_threads,
                 [&](std::int64_t part) {
                     const auto p = static_cast<std::size_t>(part);
                     cost[p] = detail::PartNetwork(net, p).cheapest(
                         price, holding, weight, level.subspan(p * locations, locations));
                 });
}

/// Measures of given levels [P, L].
inline void measure_base_stocks(const BaseStockNetwork& net, std::span<const std::int32_t> level,
                                const BaseStockMeasures& out, int num_threads) {
    const auto locations = net.locations();
    parallel_for(
        static_cast<std::int64_t>(net.parts()), 1 << 30, num_threads, [&](std::int64_t part) {
            const auto p = static_cast<std::size_t>(part);
            detail::PartNetwork(net, p).measure(level.subspan(p * locations, locations), out);
        });
}

}  // namespace sparing
