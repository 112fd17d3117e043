#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/network_rules.hpp"

namespace sparing::network {

/// Each location looks its own order up by period, failures seen so far and its own stock, and
/// orders it if nothing is outstanding, as far as it fits and its supplier has it. Locations draw
/// on one supplier in file order.
struct LocationTables {
    std::span<const std::int32_t> quantity;  // [periods, failures, locations, stocks]
    std::int64_t failures, stocks;           // counts from the last on are taken as the last
    const Network* network;

    static void decide(const void* self, std::int32_t period, const Stocks& now, const Luck& luck,
                       std::int32_t* wanted) {
        const auto& p = *static_cast<const LocationTables*>(self);
        const auto& n = *p.network;
        std::vector<std::int32_t> left(now.stock,
                                       now.stock + std::int64_t(n.num_locations) * lanes);
        for (std::int32_t k = 0; k < n.num_locations; ++k) {
            const auto i = n.top_down[k], above = n.supplier[i];
            const auto at = std::int64_t(i) * lanes;
            for (int l = 0; l < lanes; ++l) {
                auto q =
                    now.ordered[at + l] > 0 ? 0 : p.order(period, i, now.stock[at + l], luck, l);
                q = std::min(q, n.capacity[i] - std::max(now.stock[at + l], 0));
                if (above >= 0) q = std::min(q, left[std::int64_t(above) * lanes + l]);
                q = std::max(q, 0);
                if (above >= 0) left[std::int64_t(above) * lanes + l] -= q;
                wanted[at + l] = q;
            }
        }
    }

  private:
    std::int32_t order(std::int32_t period, std::int32_t i, std::int32_t stock, const Luck& luck,
                       int l) const {
        const auto seen = luck.belief[std::int64_t(period) * lanes + l];
        const auto row =
            (period * failures + std::min(seen, failures - 1)) * network->num_locations;
        const auto cell = std::min<std::int64_t>(stock + network->backorders[i], stocks - 1);
        return std::min(quantity[std::size_t((row + i) * stocks + cell)],
                        network->largest_order[i]);
    }
};

}  // namespace sparing::network
