#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "sparing/ration.hpp"

namespace sparing {

/// Sizes of the network that judges an order; they do not depend on the number of SKUs.
inline constexpr std::size_t kLineFeatures = 7, kOrderFeatures = 3, kHidden = 16;
inline constexpr std::size_t kNumWeights = (kLineFeatures + 1) * kHidden + (kHidden + 1) * kHidden +
                                           (kHidden + kOrderFeatures + 1) * kHidden +
                                           (kHidden + 1) * 2;

/// What is known of demand: counts over earlier orders, to which those of the day are added.
struct DemandCounts {
    std::span<double> units;    // [n] units asked for
    std::span<double> squares;  // [n] sum of squared quantities
    double num_orders = 0.0;    // orders counted
    double num_lines = 0.0;     // lines counted
};

/// What a line of an order brings along but the stock, which depends on earlier decisions.
struct Line {
    float quantity, expected, unit_gain;          // features that stay
    float size, mean_demand, one_over_deviation;  // to scale the stock with
};

/// A day as the network sees it; `lines` and `left` depend on arrivals alone.
struct Outlined {
    Orders orders;
    std::span<const double> gain;       // [N] money
    std::span<const double> mean_gain;  // [N] money an order, as known at its arrival
    std::vector<Line> lines;            // [L]
    std::vector<float> left;            // [N] share of the day's expected orders still to come
};

/// Runs through the arrivals once; `position` orders came before on this day. Behind order i,
/// expected_orders - position - i - 1 are still expected, each of which asks for units / num_orders
/// of a SKU. The counts take up each order when it has been looked at. Where little was counted, a
/// SKU is taken for like the others: to each a line of mean size is added, and to the orders as
/// many as bring one line a SKU.
inline Outlined outlined(const Orders& orders, std::span<const double> gain,
                         std::span<const double> mean_gain, std::span<const double> unit_gain,
                         double expected_orders, double position, DemandCounts counts) {
    Outlined day{orders, gain, mean_gain, {}, {}};
    day.lines.resize(orders.sku.size());
    day.left.resize(orders.size());
    const auto num_skus = static_cast<double>(counts.units.size());
    double units = std::accumulate(counts.units.begin(), counts.units.end(), 0.0);
    double squares = std::accumulate(counts.squares.begin(), counts.squares.end(), 0.0);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        const double lines = std::max(counts.num_lines, 1.0);
        const double mean_line = units / lines, mean_square = squares / lines;
        const double counted = counts.num_orders * (1.0 + num_skus / lines);
        const double left =
            std::max(expected_orders - position - static_cast<double>(i) - 1.0, 0.0);
        const double scale = counted > 0.0 ? left / counted : 0.0;
        day.left[i] = static_cast<float>(left / std::max(expected_orders, 1.0));
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k) {
            const auto j = static_cast<std::size_t>(orders.sku[k]);
            const auto d = static_cast<double>(orders.quantity[k]);
            const double asked = counts.units[j] + mean_line;
            const double asked_squares = counts.squares[j] + mean_square;
            const double size = asked > 0.0 ? asked_squares / asked : d;
            const double mean = scale * asked;
            const double deviation = std::sqrt(scale * asked_squares + size * size);
            day.lines[k] = {
                static_cast<float>(d / size),     static_cast<float>(std::log1p(mean / size)),
                static_cast<float>(unit_gain[j]), static_cast<float>(1.0 / size),
                static_cast<float>(mean),         static_cast<float>(1.0 / deviation)};
        }
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k) {
            const auto j = static_cast<std::size_t>(orders.sku[k]);
            const auto d = static_cast<double>(orders.quantity[k]);
            counts.units[j] += d;
            counts.squares[j] += d * d;
            units += d;
            squares += d * d;
        }
        counts.num_orders += 1.0;
        counts.num_lines += static_cast<double>(orders.end(i) - orders.begin(i));
    }
    return day;
}

/// The features of line k when `stock` units are there.
inline std::array<float, kLineFeatures> line_features(const Outlined& day, std::size_t k,
                                                      std::int64_t stock) {
    const Line& line = day.lines[k];
    const auto q = static_cast<float>(stock);
    const auto after = q - static_cast<float>(day.orders.quantity[k]);
    const auto clipped = [](float z) { return std::clamp(z, -4.0f, 4.0f); };
    return {line.quantity,
            line.expected,
            line.unit_gain,
            std::log1p(q * line.size),
            std::log1p(std::max(after, 0.0f) * line.size),
            clipped((q - line.mean_demand) * line.one_over_deviation),
            clipped((after - line.mean_demand) * line.one_over_deviation)};
}

inline std::array<float, kOrderFeatures> order_features(const Outlined& day, std::size_t i) {
    const auto lines = static_cast<float>(day.orders.end(i) - day.orders.begin(i));
    return {static_cast<float>(day.gain[i] / day.mean_gain[i]), lines / 4.0f, day.left[i]};
}

/// A dense layer: out = b + sum_i x_i w_i, rows of weights first and then the bias.
template <std::size_t In, std::size_t Out>
const float* dense(const float* w, const std::array<float, In>& x, std::array<float, Out>& out,
                   bool rectified) {
    for (std::size_t o = 0; o < Out; ++o) out[o] = w[In * Out + o];
    for (std::size_t i = 0; i < In; ++i)
        for (std::size_t o = 0; o < Out; ++o) out[o] += x[i] * w[i * Out + o];
    if (rectified)
        for (std::size_t o = 0; o < Out; ++o) out[o] = std::max(out[o], 0.0f);
    return w + (In + 1) * Out;
}

/// What serving order i takes from later ones: margin in mean gains, and orders. A sum of a network
/// over the lines, then a network of that sum (Zaheer et al. 2017, Deep Sets).
inline std::array<float, 2> opportunity(const Outlined& day, std::size_t i,
                                        std::span<const std::int64_t> stock, const float* weights) {
    std::array<float, kHidden + kOrderFeatures> joint{};
    const float* behind = weights;
    for (std::size_t k = day.orders.begin(i); k < day.orders.end(i); ++k) {
        std::array<float, kHidden> first, second;
        const auto x = line_features(day, k, stock[day.orders.sku[k]]);
        behind = dense(dense(weights, x, first, true), first, second, true);
        for (std::size_t h = 0; h < kHidden; ++h) joint[h] += second[h];
    }
    behind = weights + (kLineFeatures + 1) * kHidden + (kHidden + 1) * kHidden;
    const auto order = order_features(day, i);
    std::copy(order.begin(), order.end(), joint.begin() + kHidden);
    std::array<float, kHidden> hidden;
    std::array<float, 2> cost;
    dense(dense(behind, joint, hidden, true), hidden, cost, false);
    return cost;
}

/// Serve order i if it fits and what it brings is at least what it takes, with `order_value` mean
/// gains a served order; no weights: whatever fits.
inline bool serves(const Outlined& day, std::size_t i, std::span<const std::int64_t> stock,
                   std::span<const float> weights, double order_value) {
    if (!fits(day.orders, i, stock)) return false;
    if (weights.empty()) return true;
    const auto cost = opportunity(day, i, stock, weights.data());
    return day.gain[i] / day.mean_gain[i] - cost[0] + order_value * (1.0 - cost[1]) >= 0.0;
}

/// One order after the other.
inline void learned(const Outlined& day, std::span<const float> weights, double order_value,
                    std::span<std::int64_t> stock, std::span<bool> own) {
    for (std::size_t i = 0; i < day.orders.size(); ++i) {
        own[i] = serves(day, i, stock, weights, order_value);
        if (own[i]) take(day.orders, i, stock);
    }
}

/// What each order that fits took from later ones: the same day is run on twice under the policy,
/// with the order turned down and with it served, and the results are subtracted. Features are
/// those at the state met. label(i) = (margin in mean gains, orders); NaN where order i does not
/// fit. An order without a SKU whose stock differs between the runs is decided alike in both.
inline void opportunity_labels(const Outlined& day, std::span<const float> weights,
                               double order_value, std::span<std::int64_t> stock,
                               std::span<bool> own, std::span<float> features,
                               std::span<float> orders_features, std::span<float> label) {
    const std::size_t N = day.orders.size();
    std::vector<std::int64_t> now(stock.begin(), stock.end()), base, other;
    learned(day, weights, order_value, stock, own);
    for (std::size_t i = 0; i < N; ++i) {
        label[2 * i] = label[2 * i + 1] = std::numeric_limits<float>::quiet_NaN();
        for (std::size_t k = day.orders.begin(i); k < day.orders.end(i); ++k) {
            const auto x = line_features(day, k, now[day.orders.sku[k]]);
            std::copy(x.begin(), x.end(), features.begin() + k * kLineFeatures);
        }
        const auto x = order_features(day, i);
        std::copy(x.begin(), x.end(), orders_features.begin() + i * kOrderFeatures);
        if (!fits(day.orders, i, now)) continue;
        base = now, other = now;
        take(day.orders, i, own[i] ? base : other);
        double margin = 0.0, orders = 0.0;  // of the other run less the base
        for (std::size_t m = i + 1; m < N; ++m) {
            bool alike = true;
            for (std::size_t k = day.orders.begin(m); k < day.orders.end(m); ++k)
                alike &= base[day.orders.sku[k]] == other[day.orders.sku[k]];
            const bool served = alike ? own[m] : serves(day, m, other, weights, order_value);
            if (own[m]) take(day.orders, m, base);
            if (served) take(day.orders, m, other);
            if (served != own[m]) {
                margin += served ? day.gain[m] : -day.gain[m];
                orders += served ? 1.0 : -1.0;
            }
        }
        const double sign = own[i] ? 1.0 : -1.0;  // turned down less served
        label[2 * i] = static_cast<float>(sign * margin / day.mean_gain[i]);
        label[2 * i + 1] = static_cast<float>(sign * orders);
        if (own[i]) take(day.orders, i, now);
    }
}

}  // namespace sparing
