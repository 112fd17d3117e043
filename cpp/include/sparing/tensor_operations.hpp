#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "sparing/mode_product.hpp"
#include "sparing/parallel.hpp"

namespace sparing {

inline constexpr std::int64_t kBlock = 1 << 14;

/// Calls body(first, last) on blocks of [0, size).
template <class Body>
void for_blocks(std::int64_t size, int num_threads, const Body& body) {
    parallel_for((size + kBlock - 1) / kBlock, size, num_threads, [&](std::int64_t block) {
        body(block * kBlock, std::min(size, (block + 1) * kBlock));
    });
}

/// A cost on grouped axis states as additive scores: state (o, i) pays values[outer[o] + inner[i]].
struct ScoredCost {
    std::vector<std::int64_t> outer, inner;
    std::vector<double> values;
};

/// out = in + cost. in and out may be the same.
template <class T>
void add_cost(const ScoredCost& cost, const T* in, T* out, int num_threads) {
    const auto width = static_cast<std::int64_t>(cost.inner.size());
    const auto size = static_cast<std::int64_t>(cost.outer.size()) * width;
    const auto rows = std::max<std::int64_t>(1, kBlock / width);
    const auto num_rows = static_cast<std::int64_t>(cost.outer.size());
    parallel_for((num_rows + rows - 1) / rows, size, num_threads, [&](std::int64_t task) {
        for (auto o = task * rows; o < std::min(num_rows, (task + 1) * rows); ++o) {
            const double* values = cost.values.data() + cost.outer[o];
            for (std::int64_t i = 0; i < width; ++i)
                out[o * width + i] = in[o * width + i] + static_cast<T>(values[cost.inner[i]]);
        }
    });
}

/// out = factor x in. in and out may be the same.
template <class T>
void scale(double factor, const T* in, T* out, std::int64_t size, int num_threads) {
    for_blocks(size, num_threads, [&](std::int64_t first, std::int64_t last) {
        for (auto i = first; i < last; ++i) out[i] = static_cast<T>(factor) * in[i];
    });
}

/// out = min(out, in + cost), or in + cost if `first`. Ties keep `out`, the earlier alternative.
template <class T>
void take_cheaper(double cost, bool first, Tensor<T> in, Tensor<T> out, std::int64_t size,
                  int num_threads) {
    for_blocks(size, num_threads, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = begin; i < end; ++i) {
            const T value = in.value[i] + static_cast<T>(cost);
            if (first || value < out.value[i]) {
                out.value[i] = value;
                if (out.post) out.post[i] = in.post ? in.post[i] : static_cast<std::uint32_t>(i);
            }
        }
    });
}

/// Minimum and maximum of a - b. NaN anywhere gives NaN, so that it cannot pass unseen.
template <class T>
std::pair<double, double> range_of_difference(const T* a, const T* b, std::int64_t size,
                                              int num_threads) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::vector<std::pair<double, double>> parts((size + kBlock - 1) / kBlock, {inf, -inf});
    for_blocks(size, num_threads, [&](std::int64_t first, std::int64_t last) {
        T low = std::numeric_limits<T>::infinity(), high = -low, bad = 0;
        for (auto i = first; i < last; ++i) {
            const T difference = a[i] - b[i];
            low = difference < low ? difference : low;
            high = difference > high ? difference : high;
            bad += difference - difference;  // NaN for NaN and infinities
        }
        parts[first / kBlock] = {static_cast<double>(low + bad), static_cast<double>(high + bad)};
    });
    std::pair<double, double> range{inf, -inf};
    for (const auto& [low, high] : parts) {
        if (low != low) return {low, high};
        range = {std::min(range.first, low), std::max(range.second, high)};
    }
    return range;
}

/// value <- value - shift.
template <class T>
void subtract(double shift, T* value, std::int64_t size, int num_threads) {
    for_blocks(size, num_threads, [&](std::int64_t first, std::int64_t last) {
        for (auto i = first; i < last; ++i) value[i] -= static_cast<T>(shift);
    });
}

}  // namespace sparing
