#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/network_luck.hpp"
#include "sparing/network_rules.hpp"
#include "sparing/parallel.hpp"

namespace sparing::network {

/// The columns of the totals: costs by the weights of their periods, costs by kind, counts.
enum Total {
    kObjective,
    kOrderCost,
    kHoldingCost,
    kDowntimeCost,
    kEmergencyCost,
    kTotalOrders,
    kTotalEmergencies,
    kUnitsShort,
    kSitesShort,
    kUnitsOrdered,
    kUnitsHeld,
    kTotalFailures,
    kNumTotals
};

/// A policy table per period: from a state at a review to the state behind the decisions.
struct TablePolicy {
    std::span<const std::span<const std::uint32_t>> posts;   // [periods]
    std::span<const std::int64_t> belief_size;               // [periods] belief states
    std::span<const std::int64_t> lookup_start;              // [locations] into `lookup`
    std::span<const std::int32_t> lookup;                    // [stock, ordered, age] -> tuple
    std::span<const std::int32_t> ages;                      // [locations] size of the age axis
    std::span<const std::int32_t> found_size, decided_size;  // [locations] tuples
    std::span<const std::int64_t> decided_start;             // [locations] into `quantity`
    std::span<const std::int32_t> quantity;  // ordered behind the decision, or stock if it merges
    std::span<const std::int32_t> merges;    // [locations] orders go into the stock at once
    const Network* network;

    static void decide(const void* self, std::int32_t period, const Stocks& now, const Luck& luck,
                       std::int32_t* wanted) {
        const auto& p = *static_cast<const TablePolicy*>(self);
        for (int l = 0; l < lanes; ++l) p.decide_lane(period, now, luck, l, wanted);
    }

  private:
    void decide_lane(std::int32_t period, const Stocks& now, const Luck& luck, int l,
                     std::int32_t* wanted) const {
        const auto count = static_cast<std::size_t>(network->num_locations);
        std::int64_t state = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto at = std::int64_t(i) * lanes + l;
            const auto q = now.ordered[at], age = q > 0 ? period - now.placed[at] : 0;
            const auto row = now.stock[at] + network->backorders[i];
            const auto cell = (row * (network->largest_order[i] + 1) + q) * ages[i] + age;
            state = state * found_size[i] + lookup[lookup_start[i] + cell];
        }
        const auto beliefs = belief_size[period];
        const auto belief = luck.belief[std::int64_t(period) * lanes + l];
        std::int64_t post = posts[period][state * beliefs + belief] / beliefs;
        for (std::size_t i = count; i-- > 0; post /= decided_size[i]) {
            const auto at = std::int64_t(i) * lanes + l;
            const auto behind = quantity[decided_start[i] + post % decided_size[i]];
            wanted[at] = behind - (merges[i] ? now.stock[at] : now.ordered[at]);
        }
    }
};

/// Sets of rules that meet the same luck; [policies, locations] each, review [policies].
struct RuleSets {
    std::span<const std::int32_t> reorder_at, order_up_to, quantity, review;
};

/// Where the paths of the first policy go: [replications, periods, locations] and
/// [replications, periods], or empty.
struct Paths {
    std::span<std::int32_t> stock;
    std::span<double> paid;
};

/// One thread's room for a block of replications.
struct Workspace {
    LuckBlock luck;
    std::vector<std::int32_t> scratch, counts, stock;
    std::vector<double> paid;

    Workspace(const Network& n, const Law& law, const QuietTable& quiet, bool with_belief,
              const Paths& paths)
        : luck{law, quiet, with_belief},
          scratch(scratch_size(n.num_locations)),
          counts(std::size_t(n.num_locations) * kNumCounts * lanes),
          stock(paths.stock.empty() ? 0 : std::size_t(n.periods) * n.num_locations * lanes),
          paid(paths.paid.empty() ? 0 : std::size_t(n.periods) * lanes) {}
};

/// Adds up what lane l counted, location by location, into one row of totals.
inline void add_totals(const Network& n, const std::vector<std::int32_t>& counts, double objective,
                       int l, std::span<double> row) {
    for (std::int32_t i = 0; i < n.num_locations; ++i) {
        const auto count = [&](Count c) {
            return double(counts[(std::size_t(i) * kNumCounts + c) * lanes + l]);
        };
        row[kOrderCost] += n.fixed[i] * count(kOrders) + n.unit[i] * count(kUnits);
        row[kHoldingCost] += n.holding[i] * count(kHeld);
        row[kDowntimeCost] += n.downtime[i] * count(kShort);
        row[kEmergencyCost] += n.emergency[i] * count(kEmergencies);
        row[kTotalOrders] += count(kOrders);
        row[kTotalEmergencies] += count(kEmergencies);
        row[kUnitsShort] += count(kShort);
        row[kSitesShort] += count(kDown);
        row[kUnitsOrdered] += count(kUnits);
        row[kUnitsHeld] += count(kHeld);
        row[kTotalFailures] += count(kFailures);
    }
    row[kObjective] =
        n.weight ? objective
                 : row[kOrderCost] + row[kHoldingCost] + row[kDowntimeCost] + row[kEmergencyCost];
}

inline void copy_paths(const Network& n, const Workspace& room, const Paths& paths,
                       std::int64_t first, std::int64_t width) {
    for (std::int64_t l = 0; l < width; ++l)
        for (std::int64_t t = 0; t < n.periods; ++t) {
            const auto cell = (first + l) * n.periods + t;
            if (!paths.paid.empty()) paths.paid[cell] = room.paid[t * lanes + l];
            for (std::int64_t i = 0; i < n.num_locations && !paths.stock.empty(); ++i)
                paths.stock[cell * n.num_locations + i] =
                    room.stock[(t * n.num_locations + i) * lanes + l];
        }
}

/// Simulates every set of rules (or the table) on the same luck: totals [policies, replications,
/// kNumTotals], which are 0 before. The same bits for any number of threads.
inline void simulate(const Network& n, const Law& law, const RuleSets& sets, const Table& table,
                     const Kernels& kernels, std::uint64_t seed, std::int64_t replications,
                     std::span<double> totals, const Paths& paths, int num_threads) {
    const auto policies = std::int64_t(sets.review.size());
    const QuietTable quiet{law};
    const auto blocks = (replications + lanes - 1) / lanes;
    parallel_for(
        blocks, blocks * lanes * n.periods * n.num_locations * policies, num_threads,
        [&](std::int64_t block) {
            Workspace room{n, law, quiet, table.self != nullptr, paths};
            const auto first = block * lanes,
                       width = std::min<std::int64_t>(lanes, replications - first);
            room.luck.draw(seed, first, kernels);
            for (std::int64_t p = 0; p < policies; ++p) {
                const auto at = p * n.num_locations;
                const Rules rules{sets.reorder_at.data() + at, sets.order_up_to.data() + at,
                                  sets.quantity.data() + at, sets.review[p]};
                double objective[lanes] = {};
                std::fill(room.counts.begin(), room.counts.end(), 0);
                const bool kept = p == 0;
                kernels.run(n, room.luck.luck(), rules, table,
                            {room.counts.data(), objective,
                             kept && !room.stock.empty() ? room.stock.data() : nullptr,
                             kept && !room.paid.empty() ? room.paid.data() : nullptr},
                            room.scratch.data());
                for (std::int64_t l = 0; l < width; ++l)
                    add_totals(
                        n, room.counts, objective[l], int(l),
                        totals.subspan((p * replications + first + l) * kNumTotals, kNumTotals));
            }
            copy_paths(n, room, paths, first, width);
        });
}

/// The kernel for the widest instruction set that this processor has.
Kernels best_kernels();

}  // namespace sparing::network
