// Compiled once per instruction set: the loops over lanes are left to the compiler.
#include "sparing/network_rules.hpp"

#define SPARING_JOIN(a, b) a##b
#define SPARING_NAMED(a, b) SPARING_JOIN(a, b)

namespace sparing::network {
namespace {

inline std::int32_t least(std::int32_t a, std::int32_t b) { return b < a ? b : a; }
inline std::int32_t most(std::int32_t a, std::int32_t b) { return a < b ? b : a; }

/// The state of a block of replications, [locations, lanes] each.
struct Block {
    const Network& n;
    const Luck& luck;
    const Sums& sums;
    std::int32_t *stock, *ordered, *due, *placed, *wanted, *beyond, *table_wanted, *plenty;

    Block(const Network& network, const Luck& l, const Sums& s, std::int32_t* scratch)
        : n{network}, luck{l}, sums{s} {
        const auto size = std::int64_t{n.num_locations} * lanes;
        stock = scratch, ordered = stock + size, due = ordered + size, placed = due + size;
        wanted = placed + size, beyond = wanted + size, table_wanted = beyond + size;
        plenty = table_wanted + size;
        for (std::int32_t i = 0; i < n.num_locations; ++i)
            for (int l = 0; l < lanes; ++l) {
                const auto at = std::int64_t{i} * lanes + l;
                stock[at] = n.initial[i], ordered[at] = n.first_quantity[i];
                due[at] = luck.first_lead[at], placed[at] = -n.first_age[i];
                beyond[at] = 0;
            }
    }
    std::int32_t* counts(std::int32_t i, Count count) const {
        return sums.counts + (std::int64_t{i} * kNumCounts + count) * lanes;
    }

    /// What rules want of each location, given what its supplier has left, goes to `want`.
    void want_by_rule(std::int32_t i, const Rules& rules, const std::int32_t* left,
                      std::int32_t* want) const {
        const auto *x = stock + std::int64_t{i} * lanes, *q = ordered + std::int64_t{i} * lanes;
        const auto low = rules.reorder_at[i], top = rules.order_up_to[i];
        const auto largest = least(rules.quantity[i], n.largest_order[i]), room = n.capacity[i];
        for (int l = 0; l < lanes; ++l) {
            auto w = least(least(top - x[l], largest), room - most(x[l], 0));
            w = most(least(w, left[l]), 0);
            want[l] = q[l] == 0 && x[l] <= low ? w : 0;
        }
    }

    /// Ships `want` from the supplier's stock at once.
    void order(std::int32_t i, std::int32_t period, const std::int32_t* want) {
        const auto at = std::int64_t{i} * lanes;
        const auto* lead = luck.lead + (std::int64_t{period} * n.num_locations + i) * lanes;
        auto* from = n.supplier[i] < 0 ? plenty : stock + std::int64_t{n.supplier[i]} * lanes;
        auto *placed_count = counts(i, kOrders), *units = counts(i, kUnits);
        for (int l = 0; l < lanes; ++l) {
            const auto w = want[l];
            wanted[at + l] = w;
            from[l] -= w;
            ordered[at + l] += w;
            due[at + l] = w > 0 ? period + lead[l] : due[at + l];
            placed[at + l] = w > 0 ? period : placed[at + l];
            placed_count[l] += w > 0;
            units[l] += w;
        }
    }

    void arrive(std::int32_t i, std::int32_t period) {
        const auto at = std::int64_t{i} * lanes;
        for (int l = 0; l < lanes; ++l) {
            const bool here = due[at + l] == period;
            stock[at + l] += here ? ordered[at + l] : 0;
            ordered[at + l] = here ? 0 : ordered[at + l];
        }
    }

    void fail(std::int32_t s, std::int32_t period) {
        const auto i = n.site[s];
        const auto at = std::int64_t{i} * lanes;
        const auto* d = luck.failures + (std::int64_t{period} * n.num_sites + s) * lanes;
        const auto low = -n.backorders[i];
        auto *emergencies = counts(i, kEmergencies), *failures = counts(i, kFailures);
        for (int l = 0; l < lanes; ++l) {
            const auto left = stock[at + l] - d[l];
            const auto more = most(low - left, 0);
            beyond[at + l] = more;
            stock[at + l] = left + more;
            emergencies[l] += more;
            failures[l] += d[l];
        }
    }

    void count(std::int32_t i) {
        const auto* x = stock + std::int64_t{i} * lanes;
        auto *held = counts(i, kHeld), *missing = counts(i, kShort), *down = counts(i, kDown);
        for (int l = 0; l < lanes; ++l) {
            held[l] += most(x[l], 0);
            missing[l] += most(-x[l], 0);
            down[l] += x[l] < 0;
        }
    }

    /// Costs of a period, location by location; only where somebody asks for them by period.
    void pay(std::int32_t period) {
        double cost[lanes] = {};
        for (std::int32_t i = 0; i < n.num_locations; ++i) {
            const auto at = std::int64_t{i} * lanes;
            const auto fixed = n.fixed[i], unit = n.unit[i], emergency = n.emergency[i];
            const auto holding = n.holding[i], downtime = n.downtime[i];
            for (int l = 0; l < lanes; ++l) {
                const auto x = stock[at + l], w = wanted[at + l];
                cost[l] += (w > 0 ? fixed : 0.0) + unit * w + emergency * beyond[at + l] +
                           holding * most(x, 0) + downtime * most(-x, 0);
            }
        }
        const auto weight = n.weight ? n.weight[period] : 1.0;
        for (int l = 0; l < lanes; ++l) sums.objective[l] += weight * cost[l];
        if (sums.paid)
            for (int l = 0; l < lanes; ++l) sums.paid[std::int64_t{period} * lanes + l] = cost[l];
    }
};

void run(const Network& n, const Luck& luck, const Rules& rules, const Table& table,
         const Sums& sums, std::int32_t* scratch) {
    Block b{n, luck, sums, scratch};
    std::int32_t want[lanes];
    for (std::int32_t t = 0; t < n.periods; ++t) {
        for (int l = 0; l < lanes; ++l) b.plenty[l] = 1 << 30;
        if (table.self)
            table.decide(table.self, t, {b.stock, b.ordered, b.placed}, luck, b.table_wanted);
        for (std::int32_t k = 0; k < n.num_locations; ++k) {
            const auto i = n.top_down[k];
            const auto* left =
                n.supplier[i] < 0 ? b.plenty : b.stock + std::int64_t{n.supplier[i]} * lanes;
            if (table.self)
                for (int l = 0; l < lanes; ++l)
                    want[l] = b.table_wanted[std::int64_t{i} * lanes + l];
            else if (t % rules.review == 0)
                b.want_by_rule(i, rules, left, want);
            else
                for (int l = 0; l < lanes; ++l) want[l] = 0;
            b.order(i, t, want);
        }
        for (std::int32_t i = 0; i < n.num_locations; ++i) b.arrive(i, t);
        for (std::int32_t s = 0; s < n.num_sites; ++s) b.fail(s, t);
        for (std::int32_t i = 0; i < n.num_locations; ++i) b.count(i);
        if (n.weight || sums.paid) b.pay(t);
        if (sums.stock)
            for (std::int64_t at = 0; at < std::int64_t{n.num_locations} * lanes; ++at)
                sums.stock[std::int64_t{t} * n.num_locations * lanes + at] = b.stock[at];
    }
}

void words(std::uint32_t key0, std::uint32_t key1, std::uint32_t period, std::uint32_t first,
           std::uint32_t num_blocks, std::uint32_t* words) {
    constexpr std::uint32_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u, w0 = 0x9E3779B9u, w1 = 0xBB67AE85u;
    for (std::uint32_t block = 0; block < num_blocks; ++block, words += 4 * lanes) {
        std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
        for (int l = 0; l < lanes; ++l)
            c0[l] = period, c1[l] = first + static_cast<std::uint32_t>(l), c2[l] = block, c3[l] = 0;
        std::uint32_t k0 = key0, k1 = key1;
        for (int round = 0; round < 10; ++round, k0 += w0, k1 += w1)
            for (int l = 0; l < lanes; ++l) {
                const auto p0 = std::uint64_t{m0} * c0[l], p1 = std::uint64_t{m1} * c2[l];
                c0[l] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[l] ^ k0;
                c1[l] = static_cast<std::uint32_t>(p1);
                c2[l] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[l] ^ k1;
                c3[l] = static_cast<std::uint32_t>(p0);
            }
        for (int l = 0; l < lanes; ++l) {
            words[l] = c0[l], words[lanes + l] = c1[l];
            words[2 * lanes + l] = c2[l], words[3 * lanes + l] = c3[l];
        }
    }
}

void leads(const std::uint32_t* words, const std::uint32_t* thresholds, std::int32_t count,
           std::uint16_t* lead) {
    std::uint32_t reached[lanes] = {};
    for (std::int32_t j = 0; j < count; ++j) {
        const auto threshold = thresholds[j];
        for (int l = 0; l < lanes; ++l) reached[l] += words[l] >= threshold;
    }
    for (int l = 0; l < lanes; ++l) lead[l] = static_cast<std::uint16_t>(reached[l]);
}

}  // namespace

Kernels SPARING_NAMED(kernels_, SPARING_ISA)() { return {run, words, leads}; }

}  // namespace sparing::network
