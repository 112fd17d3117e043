#pragma once
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sparing {

/// The orders of a day in order of arrival; order i asks for the lines indptr[i] to indptr[i + 1]
/// - 1.
struct Orders {
    std::span<const std::int64_t> indptr;    // [N + 1]
    std::span<const std::int32_t> sku;       // [L] each at most once an order
    std::span<const std::int64_t> quantity;  // [L] at least one

    std::size_t size() const { return indptr.size() - 1; }
    std::size_t begin(std::size_t i) const { return static_cast<std::size_t>(indptr[i]); }
    std::size_t end(std::size_t i) const { return static_cast<std::size_t>(indptr[i + 1]); }
};

/// Whether the stock covers every line of order i.
inline bool fits(const Orders& orders, std::size_t i, std::span<const std::int64_t> stock) {
    for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
        if (orders.quantity[k] > stock[orders.sku[k]]) return false;
    return true;
}

/// Take the lines of order i from the stock.
inline void take(const Orders& orders, std::size_t i, std::span<std::int64_t> stock) {
    for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
        stock[orders.sku[k]] -= orders.quantity[k];
}

/// First come, first served: own(i) = order i fits when it arrives; `strict` ends at the first
/// order that does not fit.
inline void first_come(const Orders& orders, bool strict, std::span<std::int64_t> stock,
                       std::span<bool> own) {
    assert(own.size() == orders.size());
    bool open = true;
    for (std::size_t i = 0; i < orders.size(); ++i) {
        own[i] = open && fits(orders, i, stock);
        if (own[i]) take(orders, i, stock);
        if (strict) open = own[i];
    }
}

/// Bid prices: own(i) = order i fits and gain(i) is at least the sum of price x quantity, for the
/// orders first <= i < last. Rounding does not turn an order down whose gain equals its value.
inline void priced(const Orders& orders, std::span<const double> gain,
                   std::span<const double> price, std::size_t first, std::size_t last,
                   std::span<std::int64_t> stock, std::span<bool> own) {
    for (std::size_t i = first; i < last; ++i) {
        double value = 0.0;
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
            value += price[orders.sku[k]] * static_cast<double>(orders.quantity[k]);
        const double slack = 1e-9 * (std::abs(gain[i]) + std::abs(value));
        own[i] = gain[i] + slack >= value && fits(orders, i, stock);
        if (own[i]) take(orders, i, stock);
    }
}

/// The least of the keys of those still in the race, in a tree of winners; ties go to the lowest.
class Tournament {
  public:
    explicit Tournament(std::span<const double> key) : key_(key) {
        while (leaves_ < key.size()) leaves_ *= 2;
        winner_.assign(2 * leaves_, -1);
        for (std::size_t i = 0; i < key.size(); ++i)
            winner_[leaves_ + i] = static_cast<std::int32_t>(i);
        for (std::size_t node = leaves_ - 1; node > 0; --node) play(node);
    }
    std::int32_t least() const { return winner_[1]; }
    void changed(std::size_t i) {
        for (std::size_t node = (leaves_ + i) / 2; node > 0; node /= 2) play(node);
    }
    void remove(std::size_t i) {
        winner_[leaves_ + i] = -1;
        if (leaves_ > 1) changed(i);
    }

  private:
    void play(std::size_t node) {
        const std::int32_t left = winner_[2 * node], right = winner_[2 * node + 1];
        const bool later = left < 0 || (right >= 0 && key_[right] < key_[left]);
        winner_[node] = later ? right : left;
    }
    std::span<const double> key_;
    std::size_t leaves_ = 1;
    std::vector<std::int32_t> winner_;
};

/// The orders that ask for a SKU: by_sku[indptr[j]] to by_sku[indptr[j + 1] - 1].
struct Askers {
    std::span<const std::int64_t> indptr;  // [n + 1]
    std::span<const std::int32_t> order;   // [L]
};

/// Dynamic criticality (Jimenez Gonzalez 2021, eq. 1-3): of the orders left, the one of least
/// C_i = (sum_j e_j d_ij) / p_i with e_j = (demand for j of the orders left) / q_j comes next; own
/// if it fits. e_j is infinite where q_j = 0, C_i where p_i <= 0; ties go to the earliest arrival.
///
/// Only orders that share a SKU with the one decided change, and each is summed up anew from whole
/// numbers, so C is to the last bit what a fresh start would give.
inline void criticality(const Orders& orders, const Askers& askers, std::span<const double> margin,
                        std::span<std::int64_t> stock, std::span<bool> own,
                        std::span<std::int32_t> sequence) {
    assert(own.size() == orders.size() && sequence.size() == orders.size());
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::vector<double> demand(stock.size(), 0.0), key(orders.size());
    for (std::size_t k = 0; k < orders.sku.size(); ++k)
        demand[orders.sku[k]] += static_cast<double>(orders.quantity[k]);
    const auto commitment = [&](std::size_t i) {
        double sum = 0.0;
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k) {
            const auto j = static_cast<std::size_t>(orders.sku[k]);
            const double e = stock[j] > 0 ? demand[j] / static_cast<double>(stock[j]) : inf;
            sum += e * static_cast<double>(orders.quantity[k]);
        }
        return margin[i] > 0.0 ? sum / margin[i] : inf;
    };
    for (std::size_t i = 0; i < orders.size(); ++i) key[i] = commitment(i);
    Tournament race(key);
    std::vector<std::int32_t> seen(orders.size(), -1);
    for (std::size_t step = 0; step < orders.size(); ++step) {
        const std::int32_t chosen = race.least();
        const auto i = static_cast<std::size_t>(chosen);
        sequence[step] = chosen;
        seen[i] = std::numeric_limits<std::int32_t>::max();  // decided
        race.remove(i);
        own[i] = fits(orders, i, stock);
        if (own[i]) take(orders, i, stock);
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
            demand[orders.sku[k]] -= static_cast<double>(orders.quantity[k]);
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k) {
            const auto j = static_cast<std::size_t>(orders.sku[k]);
            for (std::int64_t a = askers.indptr[j]; a < askers.indptr[j + 1]; ++a) {
                const auto other = static_cast<std::size_t>(askers.order[a]);
                if (seen[other] >= static_cast<std::int32_t>(step)) continue;
                seen[other] = static_cast<std::int32_t>(step);
                key[other] = commitment(other);
                race.changed(other);
            }
        }
    }
}

}  // namespace sparing
