#pragma once
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/ration.hpp"

namespace sparing {

/// A dense layer; row i of the weights belongs to input i.
struct DenseLayer {
    std::span<const float> weight, bias;  // [inputs * width], [width]
};

/// Rectified hidden layers and a sigmoid over 2 n + 2 inputs: demand of every SKU, stock of every
/// SKU, margins own and dropshipped. At least one layer is hidden; the last has width one.
///
/// Orders one after the other: the supplier's if the probability of "supplier" is at least the
/// threshold or the order does not fit. What the stock gives to the first layer is kept and changed
/// where the stock changes, so that an order costs its lines and not 2 n + 2 inputs.
inline void classified(const Orders& orders, std::span<const float> margins,
                       const std::vector<DenseLayer>& layers, double stock_scale,
                       double quantity_scale, double threshold, std::span<std::int64_t> stock,
                       std::span<bool> own, std::span<float> probability) {
    const std::size_t n = stock.size();
    const DenseLayer& first = layers.front();
    assert(first.weight.size() == (2 * n + 2) * first.bias.size() && layers.size() > 1);
    assert(margins.size() == 2 * orders.size());
    std::vector<double> base(first.bias.begin(), first.bias.end()), sum;
    std::vector<float> now, next;
    const auto add = [&](std::vector<double>& to, std::size_t input, double x) {
        const float* w = first.weight.data() + input * to.size();
        for (std::size_t h = 0; h < to.size(); ++h) to[h] += x * static_cast<double>(w[h]);
    };
    for (std::size_t j = 0; j < n; ++j)
        add(base, n + j, static_cast<double>(stock[j]) / stock_scale);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        sum = base;
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
            add(sum, static_cast<std::size_t>(orders.sku[k]),
                static_cast<double>(orders.quantity[k]) / quantity_scale);
        for (std::size_t m = 0; m < 2; ++m)
            add(sum, 2 * n + m, static_cast<double>(margins[2 * i + m]));
        now.assign(sum.begin(), sum.end());
        for (std::size_t l = 1; l < layers.size(); ++l) {
            const DenseLayer& layer = layers[l];
            next.assign(layer.bias.begin(), layer.bias.end());
            for (std::size_t g = 0; g < now.size(); ++g) {
                const float x = now[g] > 0.0f ? now[g] : 0.0f;
                const float* w = layer.weight.data() + g * next.size();
                for (std::size_t h = 0; h < next.size(); ++h) next[h] += x * w[h];
            }
            now.swap(next);
        }
        probability[i] = 1.0f / (1.0f + std::exp(-now[0]));
        own[i] = static_cast<double>(probability[i]) < threshold && fits(orders, i, stock);
        if (!own[i]) continue;
        take(orders, i, stock);
        for (std::size_t k = orders.begin(i); k < orders.end(i); ++k)
            add(base, n + static_cast<std::size_t>(orders.sku[k]),
                -static_cast<double>(orders.quantity[k]) / stock_scale);
    }
}

}  // namespace sparing
