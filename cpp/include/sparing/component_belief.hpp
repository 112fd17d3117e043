#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/parallel.hpp"

namespace sparing {

/// How one component degrades and what is seen of it. The last of its states is failed, the last
/// observation says so, and nothing else does.
struct HiddenComponent {
    std::int64_t num_states, num_options, num_observations;
    std::span<const double> transition;  // [states * states]
    std::span<const double> success;     // [options] chance that an option makes it new
    std::span<const double> cost;        // [options]
    std::span<const double> channel;     // [options * states * observations]
};

/// out = belief * transition after the repair of an option: the state before it is observed.
inline void predict(const HiddenComponent& c, std::int64_t option, std::span<const double> belief,
                    std::span<double> out) {
    const auto n = static_cast<std::size_t>(c.num_states);
    const double success = c.success[static_cast<std::size_t>(option)];
    for (std::size_t j = 0; j < n; ++j) out[j] = success * c.transition[j];
    for (std::size_t i = 0; i < n; ++i) {
        const double weight = (1.0 - success) * belief[i];
        if (weight == 0.0) continue;
        for (std::size_t j = 0; j < n; ++j) out[j] += weight * c.transition[i * n + j];
    }
}

/// Bayes' rule: out = the belief after an observation of the predicted state; returns the chance of
/// the observation (where it is 0, so is out).
inline double observe(const HiddenComponent& c, std::int64_t option, std::int64_t observation,
                      std::span<const double> predicted, std::span<double> out) {
    const auto n = static_cast<std::size_t>(c.num_states);
    const auto k = static_cast<std::size_t>(c.num_observations);
    const auto channel = c.channel.subspan(static_cast<std::size_t>(option) * n * k, n * k);
    double chance = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
        out[j] = predicted[j] * channel[j * k + static_cast<std::size_t>(observation)];
        chance += out[j];
    }
    if (chance > 0.0)
        for (std::size_t j = 0; j < n; ++j) out[j] /= chance;
    return chance;
}

/// One Bayes update of a batch: row b of `next` and `chance` from row b of the others.
inline void filter_beliefs(const HiddenComponent& c, std::span<const double> belief,
                           std::span<const std::int32_t> option,
                           std::span<const std::int32_t> observation, std::span<double> next,
                           std::span<double> chance, int num_threads) {
    constexpr std::size_t kBlock = 1024;
    const auto n = static_cast<std::size_t>(c.num_states);
    assert(next.size() == belief.size() && belief.size() == option.size() * n);
    const auto tasks = static_cast<std::int64_t>((option.size() + kBlock - 1) / kBlock);
    parallel_for(tasks, static_cast<std::int64_t>(belief.size()), num_threads, [&](auto task) {
        std::vector<double> predicted(n);
        const std::size_t first = static_cast<std::size_t>(task) * kBlock;
        for (std::size_t b = first; b < std::min(first + kBlock, option.size()); ++b) {
            predict(c, option[b], belief.subspan(b * n, n), predicted);
            chance[b] = observe(c, option[b], observation[b], predicted, next.subspan(b * n, n));
        }
    });
}

/// Belief points of one component: point 0 is "failed", the others lie on the simplex of the
/// states that work, which simplices with points as corners fill.
struct BeliefPoints {
    std::int64_t num_corners;                 // of a simplex: working states
    std::span<const std::int32_t> simplices;  // [simplices * corners] points
    std::span<const double> inverse;          // [simplices * corners * corners] see locate
};

/// Writes a belief over working states as the mean of the corners of the first simplex it lies in:
/// weight = belief * inverse, the inverse of the matrix of its corners. Weights that are 0 but for
/// rounding become 0.
inline void locate(const BeliefPoints& points, std::span<const double> belief,
                   std::span<std::int32_t> to, std::span<double> weight) {
    constexpr double kInside = -1e-13, kNothing = 1e-14;
    const auto m = static_cast<std::size_t>(points.num_corners);
    const std::size_t count = points.simplices.size() / m;
    double best = -1e300;
    std::size_t found = 0;
    for (std::size_t s = 0; s < count && best < kInside; ++s) {
        const double* const inverse = points.inverse.data() + s * m * m;
        double least = 1e300;
        for (std::size_t k = 0; k < m && least > best; ++k) {
            double share = 0.0;
            for (std::size_t j = 0; j < m; ++j) share += belief[j] * inverse[j * m + k];
            least = std::min(least, share);
        }
        if (least <= best) continue;
        best = least;
        found = s;
    }
    const double* const inverse = points.inverse.data() + found * m * m;
    double sum = 0.0;
    for (std::size_t k = 0; k < m; ++k) {
        to[k] = points.simplices[found * m + k];
        weight[k] = 0.0;
        for (std::size_t j = 0; j < m; ++j) weight[k] += belief[j] * inverse[j * m + k];
        if (weight[k] < kNothing) weight[k] = 0.0;
        sum += weight[k];
    }
    for (std::size_t k = 0; k < m; ++k) weight[k] /= sum;
}

}  // namespace sparing
