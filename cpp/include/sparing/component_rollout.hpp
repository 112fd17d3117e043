#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "sparing/component_greedy.hpp"
#include "sparing/parallel.hpp"
#include "sparing/philox.hpp"

namespace sparing {

/// Uniform draws in [0, 1): a function of (seed, episode, period, number) alone.
inline double belief_draw(std::uint64_t seed, std::int64_t episode, std::int64_t period,
                          std::size_t number, Stream stream) {
    const auto words = philox4x32(
        draw_counter(static_cast<std::uint32_t>(episode), static_cast<std::uint32_t>(period),
                     static_cast<std::uint32_t>(number), stream),
        philox_key(seed));
    return ((words[0] >> 5) * 67108864.0 + (words[1] >> 6)) * 0x1p-53;
}

/// The greedy policy for values at belief points, applied to exact beliefs.
class GreedyBeliefs {
  public:
    /// `now` and `next` are the values of a period and of the one after.
    GreedyBeliefs(const BeliefSystem& system, const float* now, const float* next)
        : s_{system}, now_{now}, ahead_{system, next} {}

    /// Where a system of components with such beliefs stands; `beliefs` has one row a component.
    struct Step {
        double least;  // cost of the best options and what follows, downtime included
        double value;  // interpolated value of the period
        double cost;   // of this period alone
    };

    Step act(const std::vector<std::span<const double>>& beliefs, std::span<std::int32_t> best) {
        const std::size_t n = s_.axes.size();
        prospects_.resize(n);
        points_.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            prospects_[i] = prospects_of(s_.axes[i], beliefs[i]);
            points_[i] = as_points(s_.axes[i], beliefs[i]);
        }
        const double downtime = down(points_);
        const double least = ahead_.least(prospects_, best) + downtime;
        double cost = downtime;
        for (std::size_t i = 0; i < n; ++i)
            cost += s_.axes[i].component.cost[static_cast<std::size_t>(best[i])];
        return {least, interpolated(s_, now_, points_), cost};
    }

    /// Of the last step: by how much a lookahead at the exact belief of one component is above its
    /// interpolated value, while the others stand at points drawn by their weights.
    double axis_loss(std::size_t axis, std::span<const double> draws) {
        const std::size_t n = s_.axes.size();
        auto prospects = prospects_;
        auto points = points_;
        for (std::size_t i = 0; i < n; ++i) {
            if (i == axis || points_[i].size() == 1) continue;
            double left = draws[i];
            std::size_t k = 0;
            while (k + 1 < points_[i].size() && left >= points_[i][k].weight)
                left -= points_[i][k++].weight;
            prospects[i] = prospects_at(s_.axes[i], points_[i][k].point);
            points[i] = {{points_[i][k].point, 1.0}};
        }
        std::vector<std::int32_t> ignored(n);
        return ahead_.least(prospects, ignored) + down(points) - interpolated(s_, now_, points);
    }

    bool at_point(std::size_t axis) const { return points_[axis].size() == 1; }

  private:
    const BeliefSystem& s_;
    const float* now_;
    Lookahead ahead_;
    std::vector<std::vector<Prospect>> prospects_;
    std::vector<std::vector<WeightedPoint>> points_;

    double down(const std::vector<std::vector<WeightedPoint>>& points) const {
        std::size_t pattern = 0;
        for (std::size_t i = 0; i < points.size(); ++i)
            if (points[i][0].point != 0) pattern |= std::size_t{1} << i;
        return s_.works[pattern] ? 0.0 : s_.downtime_cost;
    }
};

/// Where row `b` of a batch of beliefs holds each component.
inline std::vector<std::span<const double>> split_beliefs(const BeliefSystem& s,
                                                          std::span<const double> row) {
    std::vector<std::span<const double>> parts;
    std::size_t offset = 0;
    for (const auto& axis : s.axes) {
        const auto n = static_cast<std::size_t>(axis.component.num_states);
        parts.push_back(row.subspan(offset, n));
        offset += n;
    }
    return parts;
}

inline std::size_t belief_width(const BeliefSystem& s) {
    std::size_t width = 0;
    for (const auto& axis : s.axes) width += static_cast<std::size_t>(axis.component.num_states);
    return width;
}

/// The greedy options at a batch of beliefs [batch, width], with lookahead and interpolated values.
inline void greedy_beliefs(const BeliefSystem& s, std::span<const float> now,
                           std::span<const float> next, std::span<const double> beliefs,
                           std::span<double> least, std::span<double> value,
                           std::span<std::int32_t> options, int num_threads) {
    const std::size_t width = belief_width(s), n = s.axes.size();
    parallel_for(static_cast<std::int64_t>(least.size()),
                 static_cast<std::int64_t>(least.size()) * kParallelFrom, num_threads,
                 [&](std::int64_t task) {
                     const auto b = static_cast<std::size_t>(task);
                     GreedyBeliefs greedy{s, now.data(), next.data()};
                     const auto parts = split_beliefs(s, beliefs.subspan(b * width, width));
                     const auto step = greedy.act(parts, options.subspan(b * n, n));
                     least[b] = step.least;
                     value[b] = step.value;
                 });
}

/// What is asked of and recorded in rollouts; episodes are rows.
struct BeliefRollout {
    std::span<const float> values;  // [periods + 1, tensor], or [tensor] without a last period
    std::int64_t tensor;            // elements of one period
    std::int64_t periods;           // 0: none is the last; an episode ends by chance 1 - discount
    std::uint64_t seed;
    std::int64_t first_episode;
    std::int64_t recorded;       // periods of an episode whose losses are recorded
    std::span<double> estimate;  // [episodes] sum of lookahead - value, discounted
    std::span<double> cost;      // [episodes] sum of costs, discounted
    std::span<double> loss;      // [episodes, recorded, axes] of the interpolation along each axis
    std::span<double> belief;    // [episodes, recorded, width]
};

/// Measures the loss along one axis, drawn from those whose belief is no point, and counts it for
/// all of them; `loss` [axes] is set. The last of `draws` [axes + 1] draws the axis.
inline void record_loss(GreedyBeliefs& greedy, std::span<const double> draws, double weight,
                        std::span<double> loss) {
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < loss.size(); ++i)
        if (!greedy.at_point(i)) open.push_back(i);
    std::fill(loss.begin(), loss.end(), 0.0);
    if (open.empty()) return;
    const auto count = static_cast<double>(open.size());
    const std::size_t axis = open[static_cast<std::size_t>(draws.back() * count)];
    loss[axis] = weight * count * greedy.axis_loss(axis, draws);
}

/// One episode of the greedy policy from all components new. By telescoping, V0(b0) + the expected
/// estimate is the cost of the policy, whatever V is.
inline void roll_beliefs_out(const BeliefSystem& s, const BeliefRollout& r, std::int64_t row) {
    const std::size_t width = belief_width(s), n = s.axes.size();
    const auto e = static_cast<std::size_t>(row), recorded = static_cast<std::size_t>(r.recorded);
    const std::int64_t episode = r.first_episode + row;
    std::vector<double> state(width, 0.0), predicted, child;
    std::vector<double> draws(n + 1);
    std::vector<std::int32_t> best(n);
    std::size_t offset = 0;
    for (const auto& axis : s.axes) {
        state[offset] = 1.0;
        offset += static_cast<std::size_t>(axis.component.num_states);
    }
    double weight = 1.0, estimate = 0.0, cost = 0.0;
    for (std::int64_t t = 0; r.periods == 0 || t < r.periods; ++t) {
        const float* const now = r.values.data() + (r.periods == 0 ? 0 : t * r.tensor);
        const float* const next = now + (r.periods == 0 ? 0 : r.tensor);
        GreedyBeliefs greedy{s, now, next};
        const auto parts = split_beliefs(s, state);
        const auto step = greedy.act(parts, best);
        estimate += weight * (step.least - step.value);
        cost += weight * step.cost;
        if (static_cast<std::size_t>(t) < recorded) {
            const std::size_t at = e * recorded + static_cast<std::size_t>(t);
            for (std::size_t i = 0; i <= n; ++i)
                draws[i] = belief_draw(r.seed, episode, t, i, Stream::policy);
            record_loss(greedy, draws, weight, r.loss.subspan(at * n, n));
            std::copy(state.begin(), state.end(),
                      r.belief.begin() + static_cast<std::ptrdiff_t>(at * width));
        }
        if (r.periods == 0) {
            if (belief_draw(r.seed, episode, t, n, Stream::nature) >= s.discount) break;
        } else {
            weight *= s.discount;
        }
        offset = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const HiddenComponent& c = s.axes[i].component;
            const auto states = static_cast<std::size_t>(c.num_states);
            predicted.resize(states);
            child.resize(states);
            const std::span<double> belief{state.data() + offset, states};
            predict(c, best[i], belief, predicted);
            double left = belief_draw(r.seed, episode, t, i, Stream::nature);
            std::vector<double> last;
            for (std::int64_t o = 0; o < c.num_observations; ++o) {
                const double chance = observe(c, best[i], o, predicted, child);
                if (chance <= 0.0) continue;
                last = child;
                if (left < chance) break;
                left -= chance;
            }
            std::copy(last.begin(), last.end(), belief.begin());
            offset += states;
        }
    }
    r.estimate[e] = estimate;
    r.cost[e] = cost;
}

inline void roll_beliefs_out(const BeliefSystem& s, const BeliefRollout& r, int num_threads) {
    assert(r.estimate.size() == r.cost.size());
    const auto count = static_cast<std::int64_t>(r.estimate.size());
    parallel_for(count, count * kParallelFrom, num_threads,
                 [&](std::int64_t row) { roll_beliefs_out(s, r, row); });
}

}  // namespace sparing
