#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/parallel.hpp"

namespace sparing {

/// Joint law of a location's own failures and those of all sites in a period, by failures so far.
struct FailureLaw {
    std::span<const double> chance;  // [own, all, beliefs]; 0 where own > all
    std::size_t own, all, beliefs;
};

/// out[r, y, n] = sum over own and all of chance[own, all, n] * (paid[x] + value[r, x, n + all] +
/// emergency * (own - y)^+) with x = max(y - own, 0); failures beyond the last belief count as the
/// last. Rows r are apart, so the result is the same for any number of threads.
inline void expect_failures(const FailureLaw& law, std::span<const double> value,
                            std::span<const double> paid, double emergency, std::span<double> out,
                            int num_threads) {
    const auto stocks = paid.size(), beliefs = law.beliefs;
    const auto rows = value.size() / (stocks * beliefs);
    const auto work = static_cast<std::int64_t>(value.size() * law.own);
    parallel_for(static_cast<std::int64_t>(rows), work, num_threads, [&](std::int64_t row) {
        const auto* from = value.data() + static_cast<std::size_t>(row) * stocks * beliefs;
        auto* to = out.data() + static_cast<std::size_t>(row) * stocks * beliefs;
        std::fill(to, to + stocks * beliefs, 0.0);
        std::vector<double> mixed(stocks * beliefs), weight(beliefs);
        for (std::size_t own = 0; own < law.own; ++own) {
            std::fill(mixed.begin(), mixed.end(), 0.0);
            std::fill(weight.begin(), weight.end(), 0.0);
            for (std::size_t all = own; all < law.all; ++all) {
                const auto* p = law.chance.data() + (own * law.all + all) * beliefs;
                if (std::all_of(p, p + beliefs, [](double chance) { return chance == 0.0; }))
                    continue;
                const auto inner = beliefs > all ? beliefs - all : 0;
                for (std::size_t n = 0; n < beliefs; ++n) weight[n] += p[n];
                for (std::size_t x = 0; x < stocks; ++x) {
                    const auto* v = from + x * beliefs;
                    auto* m = mixed.data() + x * beliefs;
                    for (std::size_t n = 0; n < inner; ++n) m[n] += p[n] * v[n + all];
                    for (std::size_t n = inner; n < beliefs; ++n) m[n] += p[n] * v[beliefs - 1];
                }
            }
            for (std::size_t y = 0; y < stocks; ++y) {
                const auto x = y > own ? y - own : 0;
                const double cost =
                    paid[x] + (own > y ? emergency * static_cast<double>(own - y) : 0.0);
                const auto* m = mixed.data() + x * beliefs;
                auto* o = to + y * beliefs;
                for (std::size_t n = 0; n < beliefs; ++n) o[n] += m[n] + cost * weight[n];
            }
        }
    });
}

}  // namespace sparing
