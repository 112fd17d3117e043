#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "sparing/base_stock_network.hpp"

namespace sparing::detail {

/// Poisson probabilities of `out.size()` values; the mean may be 0.
inline void poisson(double mean, std::span<double> out) {
    for (std::size_t k = 0; k < out.size(); ++k) {
        const auto count = static_cast<double>(k);
        out[k] = mean > 0.0 ? std::exp(count * std::log(mean) - mean - std::lgamma(count + 1.0))
                            : static_cast<double>(k == 0);
    }
}

/// Negative binomial with the mean and variance given; Poisson where that is not overdispersed.
inline void fitted(double mean, double variance, std::span<double> out) {
    if (!(variance > mean * (1.0 + 1e-12)) || mean <= 0.0) return poisson(mean, out);
    const double failures = mean * mean / (variance - mean), p = mean / variance;
    double value = std::exp(failures * std::log(p));
    for (std::size_t k = 0; k < out.size(); ++k) {
        out[k] = value;
        value *= (failures + static_cast<double>(k)) / static_cast<double>(k + 1) * (1.0 - p);
    }
}

/// The lower convex hull of `value` at 0, 1, ..., written back with straight lines between.
inline void lower_hull(std::span<double> value, std::vector<std::size_t>& kept) {
    kept.clear();
    const auto slope = [&](std::size_t a, std::size_t b) {
        return (value[b] - value[a]) / static_cast<double>(b - a);
    };
    for (std::size_t u = 0; u < value.size(); ++u) {
        while (kept.size() > 1 &&
               slope(kept[kept.size() - 2], kept.back()) >= slope(kept.back(), u))
            kept.pop_back();
        kept.push_back(u);
    }
    for (std::size_t i = 0; i + 1 < kept.size(); ++i) {
        const auto a = kept[i], b = kept[i + 1];
        const double step = slope(a, b), start = value[a];
        for (auto u = a + 1; u < b; ++u) value[u] = start + step * static_cast<double>(u - a);
    }
}

/// The recursion from suppliers to sites for one part; buffers belong to one location each.
class PartNetwork {
  public:
    PartNetwork(const BaseStockNetwork& network, std::size_t part)
        : net_(network), first_(part * network.locations()), nodes_(network.locations()) {
        for (std::size_t l = 0; l < nodes_.size(); ++l) {
            Node& node = nodes_[l];
            const auto above = net_.supplier[l];
            if (above >= 0) nodes_[static_cast<std::size_t>(above)].supplied.push_back(l);
            node.outstanding.assign(size_of(net_.length, l), 0.0);
            node.backorders.assign(node.outstanding.size(), 0.0);
            node.short_of.assign(size_of(net_.max_level, l) + 1, 0.0);
            node.not_met.assign(node.short_of.size(), 0.0);
            if (above >= 0 && net_.resupply == Resupply::thinning) thinning_rows(l, above);
        }
    }

    /// Least shortage with 0, 1, ... units in all; convex: the lower hull of what can be had.
    void curve(std::span<const double> weight, bool convex, std::span<double> out) {
        std::vector<double> gains;
        double start = 0.0;
        for (std::size_t l = 0; l < nodes_.size(); ++l) {
            if (net_.supplier[l] >= 0) continue;
            const auto& found = curve_of(l, weight, convex);
            if (!convex) return std::copy(found.begin(), found.end(), out.begin()), void();
            start += found[0];
            for (std::size_t u = 1; u < found.size(); ++u) gains.push_back(found[u - 1] - found[u]);
        }
        sum_up(start, gains, out);
    }

    /// Least price * level + holding * on hand + weight * shortage, and the levels that reach it.
    double cheapest(std::span<const double> price, std::span<const double> holding,
                    std::span<const double> weight, std::span<std::int32_t> level) {
        double total = 0.0;
        for (std::size_t l = 0; l < nodes_.size(); ++l) {  // suppliers stand first
            if (net_.supplier[l] >= 0) {
                const auto above = static_cast<std::size_t>(net_.supplier[l]);
                supply(above, static_cast<std::size_t>(level[above]));
            }
            follow(l);
            shortages(l);
            const auto [best, cost] = best_level(l, price, holding, weight);
            level[l] = best;
            if (net_.supplier[l] < 0) total += cost;
        }
        return total;
    }

    void measure(std::span<const std::int32_t> level, const BaseStockMeasures& out) {
        for (std::size_t l = 0; l < nodes_.size(); ++l) {
            follow(l);
            const auto s = static_cast<std::size_t>(level[l]);
            double mean = 0.0, tail = 0.0, at = 0.0;  // tail: P(N > s), at: P(N = s)
            const auto& p = nodes_[l].outstanding;
            supply(l, s);
            for (std::size_t k = 1; k < p.size(); ++k) mean += static_cast<double>(k) * p[k];
            for (std::size_t k = s + 1; k < p.size(); ++k) tail += p[k];
            if (s < p.size()) at = p[s];
            const double waiting = mean_of(nodes_[l].backorders);
            out.backorders[first_ + l] = waiting;
            out.on_hand[first_ + l] = static_cast<double>(s) - mean + waiting;
            out.ready[first_ + l] = 1.0 - tail;
            out.fill[first_ + l] = 1.0 - tail - at;
        }
    }

  private:
    struct Node {
        std::vector<std::size_t> supplied;
        std::vector<double> rows;  // [length above, length] thinning: P(outstanding | B above)
        std::vector<double> outstanding;  // [length]
        std::vector<double> backorders;   // [length] of the level last supplied from
        std::vector<double> short_of;     // [max_level + 1] shortage by level
        std::vector<double> not_met;      // [max_level + 1] expected backorders by level
        std::vector<double> curve, best, gains;
        std::vector<std::size_t> kept;
    };

    std::size_t size_of(std::span<const std::int32_t> values, std::size_t l) const {
        return static_cast<std::size_t>(values[first_ + l]);
    }

    static double mean_of(std::span<const double> p) {
        double mean = 0.0;
        for (std::size_t k = 1; k < p.size(); ++k) mean += static_cast<double>(k) * p[k];
        return mean;
    }

    /// Row n: Binomial(n, share) + Poisson(own mean), from row n - 1 by one more trial.
    void thinning_rows(std::size_t l, std::int32_t above) {
        Node& node = nodes_[l];
        const auto width = node.outstanding.size();
        const auto height = size_of(net_.length, static_cast<std::size_t>(above));
        const double share = net_.share[first_ + l];
        node.rows.assign(height * width, 0.0);
        const std::span rows(node.rows);
        poisson(net_.own_mean[first_ + l], rows.first(width));
        for (std::size_t n = 1; n < height; ++n) {
            const double* before = &node.rows[(n - 1) * width];
            double* row = &node.rows[n * width];
            row[0] = (1.0 - share) * before[0];
            for (std::size_t k = 1; k < width; ++k)
                row[k] = (1.0 - share) * before[k] + share * before[k - 1];
        }
    }

    /// Distribution of the units outstanding at l, from its supplier's backorders.
    void follow(std::size_t l) {
        Node& node = nodes_[l];
        const double own = net_.own_mean[first_ + l], share = net_.share[first_ + l];
        if (net_.supplier[l] < 0) return poisson(own, node.outstanding);
        const auto& waiting = nodes_[static_cast<std::size_t>(net_.supplier[l])].backorders;
        if (net_.resupply == Resupply::thinning) {
            const auto width = node.outstanding.size();
            std::fill(node.outstanding.begin(), node.outstanding.end(), 0.0);
            for (std::size_t n = 0; n < waiting.size(); ++n) {
                if (waiting[n] == 0.0) continue;
                const double* row = &node.rows[n * width];
                for (std::size_t k = 0; k < width; ++k) node.outstanding[k] += waiting[n] * row[k];
            }
            return;
        }
        const double mean = mean_of(waiting);
        if (net_.resupply == Resupply::mean) return poisson(own + share * mean, node.outstanding);
        double variance = 0.0;
        for (std::size_t k = 0; k < waiting.size(); ++k) {
            const double off = static_cast<double>(k) - mean;
            variance += off * off * waiting[k];
        }
        fitted(own + share * mean, own + share * (1.0 - share) * mean + share * share * variance,
               node.outstanding);
    }

    /// Backorders of l, (outstanding - level)^+, for those that it supplies.
    void supply(std::size_t l, std::size_t level) {
        Node& node = nodes_[l];
        const auto& p = node.outstanding;
        double none = 0.0;
        for (std::size_t k = 0; k < p.size() && k <= level; ++k) none += p[k];
        std::fill(node.backorders.begin(), node.backorders.end(), 0.0);
        node.backorders[0] = none;
        for (std::size_t k = level + 1; k < p.size(); ++k) node.backorders[k - level] = p[k];
    }

    /// Expected backorders and the shortage of l by level, summed from the tail.
    void shortages(std::size_t l) {
        Node& node = nodes_[l];
        const auto& p = node.outstanding;
        const auto levels = node.short_of.size();
        double tail = 0.0, waiting = 0.0;  // P(N > s), E (N - s)^+
        for (std::size_t s = p.size(); s-- > 0;) {
            waiting += tail;
            if (s < levels) {
                node.not_met[s] = waiting;
                node.short_of[s] = net_.shortage == Shortage::backorders
                                       ? waiting
                                       : -std::log1p(-std::min(tail, 1.0 - 1e-300));
            }
            tail += p[s];
        }
        for (auto s = p.size(); s < levels; ++s) node.not_met[s] = node.short_of[s] = 0.0;
    }

    static void sum_up(double start, std::vector<double>& gains, std::span<double> out) {
        std::sort(gains.begin(), gains.end(), std::greater<>());
        out[0] = start;
        for (std::size_t u = 0; u < gains.size(); ++u) out[u + 1] = out[u] - gains[u];
    }

    const std::vector<double>& curve_of(std::size_t l, std::span<const double> weight,
                                        bool convex = true) {
        Node& node = nodes_[l];
        follow(l);
        if (node.supplied.empty()) {
            shortages(l);
            node.curve = node.short_of;
            for (double& value : node.curve) value *= weight[first_ + l];
            if (convex) lower_hull(node.curve, node.kept);
            return node.curve;
        }
        std::size_t units = 0;  // below l
        for (std::size_t s = 0; s < node.short_of.size(); ++s) {
            supply(l, s);
            double start = 0.0;
            node.gains.clear();
            for (const auto below : node.supplied) {
                const auto& found = curve_of(below, weight);
                start += found[0];
                for (std::size_t u = 1; u < found.size(); ++u)
                    node.gains.push_back(found[u - 1] - found[u]);
            }
            if (s == 0) {
                units = node.gains.size();
                node.best.assign(units + 1, 0.0);
                node.curve.assign(units + node.short_of.size(),
                                  std::numeric_limits<double>::infinity());
            }
            sum_up(start, node.gains, node.best);
            for (std::size_t u = 0; u <= units; ++u)
                node.curve[u + s] = std::min(node.curve[u + s], node.best[u]);
        }
        if (convex) lower_hull(node.curve, node.kept);
        return node.curve;
    }

    /// The level of l with the least cost of l and all below it; its backorders are set.
    std::pair<std::int32_t, double> best_level(std::size_t l, std::span<const double> price,
                                               std::span<const double> holding,
                                               std::span<const double> weight) {
        Node& node = nodes_[l];
        const double mean = mean_of(node.outstanding);
        std::pair<std::int32_t, double> best{0, std::numeric_limits<double>::infinity()};
        for (std::size_t s = 0; s < node.short_of.size(); ++s) {
            const auto units = static_cast<double>(s);
            double cost =
                price[first_ + l] * units + holding[first_ + l] * (units - mean + node.not_met[s]);
            if (cost >= best.second)
                break;  // it rises with s, and below l nothing costs less than 0
            if (node.supplied.empty()) {
                cost += weight[first_ + l] * node.short_of[s];
            } else {
                supply(l, s);
                for (const auto below : node.supplied)
                    cost += cheapest_of(below, price, holding, weight);
            }
            if (cost < best.second) best = {static_cast<std::int32_t>(s), cost};
        }
        return best;
    }

    double cheapest_of(std::size_t l, std::span<const double> price,
                       std::span<const double> holding, std::span<const double> weight) {
        follow(l);
        shortages(l);
        return best_level(l, price, holding, weight).second;
    }

    const BaseStockNetwork& net_;
    std::size_t first_;  // of this part's values in [P, L] arrays
    std::vector<Node> nodes_;
};

}  // namespace sparing::detail
