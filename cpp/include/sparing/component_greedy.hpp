#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "sparing/component_belief.hpp"

namespace sparing {

/// One component of a system whose value is known at belief points.
struct BeliefAxis {
    HiddenComponent component;
    BeliefPoints points;
    std::int64_t stride;                   // of its points in the value tensor
    std::span<const std::int64_t> indptr;  // [points * options + 1] as in OptionRows
    std::span<const std::int32_t> to;
    std::span<const double> weight;
};

struct BeliefSystem {
    std::vector<BeliefAxis> axes;
    std::span<const unsigned char> works;  // [2^axes] bit i is set where component i works
    double downtime_cost, discount;
};

/// A point with its weight.
struct WeightedPoint {
    std::int32_t point;
    double weight;
};

/// What may follow for one component: an option with the points that stand for its outcomes.
struct Prospect {
    std::int64_t option;
    double cost;
    std::vector<WeightedPoint> points;
};

/// Looks one period ahead from a state of the system, in exact arithmetic of the beliefs: only the
/// value of the next period is interpolated.
class Lookahead {
  public:
    Lookahead(const BeliefSystem& system, const float* next)
        : s_{system},
          next_{next},
          order_(system.axes.size()),
          levels_(system.axes.size() + 1),
          support_(system.axes.size()),
          local_(system.axes.size()),
          chosen_(system.axes.size()) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
            return s_.axes[a].stride > s_.axes[b].stride;
        });
    }

    /// The least cost over all joint options but for downtime; `best` is set to the options.
    double least(std::span<const std::vector<Prospect>> prospects, std::span<std::int32_t> best) {
        std::size_t size = 1;
        for (std::size_t i = 0; i < order_.size(); ++i) {
            collect(prospects[i], i);
            size *= support_[i].size();
        }
        levels_[0].resize(size);
        double* out = levels_[0].data();
        gather(0, 0, out);
        prospects_ = prospects;
        best_ = best;
        found_ = std::numeric_limits<double>::infinity();
        descend(0, size, 0.0);
        return found_;
    }

  private:
    const BeliefSystem& s_;
    const float* next_;
    std::vector<std::size_t> order_;           // of the axes in the tensor
    std::vector<std::vector<double>> levels_;  // expectations over the first axes of that order
    std::vector<std::vector<std::int32_t>> support_;
    std::vector<std::vector<std::vector<WeightedPoint>>> local_;  // points as places in support_
    std::span<const std::vector<Prospect>> prospects_;
    std::vector<std::int32_t> chosen_;
    std::span<std::int32_t> best_;
    double found_ = 0.0;

    void collect(const std::vector<Prospect>& prospects, std::size_t axis) {
        auto& support = support_[axis];
        support.clear();
        local_[axis].resize(prospects.size());
        for (std::size_t k = 0; k < prospects.size(); ++k) {
            auto& row = local_[axis][k];
            row.clear();
            for (const auto& [point, weight] : prospects[k].points) {
                const auto place = std::find(support.begin(), support.end(), point);
                const auto at = static_cast<std::int32_t>(place - support.begin());
                if (place == support.end()) support.push_back(point);
                row.push_back({at, weight});
            }
        }
    }

    void gather(std::size_t depth, std::int64_t offset, double*& out) const {
        const std::size_t axis = order_[depth];
        const std::int64_t stride = s_.axes[axis].stride;
        if (depth + 1 == order_.size()) {
            for (const auto point : support_[axis]) *out++ = next_[offset + point * stride];
            return;
        }
        for (const auto point : support_[axis]) gather(depth + 1, offset + point * stride, out);
    }

    /// Contracts one axis more, once for each of its options.
    void descend(std::size_t depth, std::size_t size, double cost) {
        const double* const in = levels_[depth].data();
        if (depth == order_.size()) {
            const double total = cost + s_.discount * in[0];
            if (total < found_) {
                found_ = total;
                std::copy(chosen_.begin(), chosen_.end(), best_.begin());
            }
            return;
        }
        const std::size_t axis = order_[depth], rest = size / support_[axis].size();
        levels_[depth + 1].resize(rest);
        double* const out = levels_[depth + 1].data();
        for (std::size_t k = 0; k < local_[axis].size(); ++k) {
            std::fill(out, out + rest, 0.0);
            for (const auto& [at, weight] : local_[axis][k]) {
                const double* const from = in + static_cast<std::size_t>(at) * rest;
                for (std::size_t r = 0; r < rest; ++r) out[r] += weight * from[r];
            }
            chosen_[axis] = static_cast<std::int32_t>(prospects_[axis][k].option);
            descend(depth + 1, rest, cost + prospects_[axis][k].cost);
        }
    }
};

/// A belief over all states of one component as points; "failed" is point 0.
inline std::vector<WeightedPoint> as_points(const BeliefAxis& axis,
                                            std::span<const double> belief) {
    const auto m = belief.size() - 1;
    if (belief[m] > 0.5) return {{0, 1.0}};
    std::vector<std::int32_t> to(m);
    std::vector<double> weight(m);
    locate(axis.points, belief.first(m), to, weight);
    std::vector<WeightedPoint> found;
    for (std::size_t k = 0; k < m; ++k)
        if (weight[k] > 0.0) found.push_back({to[k], weight[k]});
    return found;
}

/// The options at an exact belief, with what they lead to. An option that costs no less than
/// another and leads to the same is left out.
inline std::vector<Prospect> prospects_of(const BeliefAxis& axis, std::span<const double> belief) {
    const HiddenComponent& c = axis.component;
    const auto n = static_cast<std::size_t>(c.num_states);
    std::vector<Prospect> found;
    std::vector<double> predicted(n), child(n);
    for (std::int64_t option = 0; option < c.num_options; ++option) {
        Prospect prospect{option, c.cost[static_cast<std::size_t>(option)], {}};
        predict(c, option, belief, predicted);
        for (std::int64_t o = 0; o < c.num_observations; ++o) {
            const double chance = observe(c, option, o, predicted, child);
            if (chance <= 0.0) continue;
            for (const auto& [point, weight] : as_points(axis, child))
                prospect.points.push_back({point, chance * weight});
        }
        const bool useless = std::any_of(found.begin(), found.end(), [&](const Prospect& other) {
            return other.cost <= prospect.cost &&
                   std::equal(other.points.begin(), other.points.end(), prospect.points.begin(),
                              prospect.points.end(), [](auto& a, auto& b) {
                                  return a.point == b.point && a.weight == b.weight;
                              });
        });
        if (!useless) found.push_back(std::move(prospect));
    }
    return found;
}

/// The options at a belief point, from its rows.
inline std::vector<Prospect> prospects_at(const BeliefAxis& axis, std::int64_t point) {
    const HiddenComponent& c = axis.component;
    std::vector<Prospect> found;
    for (std::int64_t option = 0; option < c.num_options; ++option) {
        const auto row = static_cast<std::size_t>(point * c.num_options + option);
        if (axis.indptr[row] == axis.indptr[row + 1]) continue;
        auto& prospect =
            found.emplace_back(Prospect{option, c.cost[static_cast<std::size_t>(option)], {}});
        for (auto e = axis.indptr[row]; e < axis.indptr[row + 1]; ++e) {
            const auto at = static_cast<std::size_t>(e);
            prospect.points.push_back({axis.to[at], axis.weight[at]});
        }
    }
    return found;
}

/// The value interpolated at a product of weighted points.
inline double interpolated(const BeliefSystem& s, const float* value,
                           std::span<const std::vector<WeightedPoint>> points, std::size_t axis = 0,
                           std::int64_t offset = 0) {
    if (axis == s.axes.size()) return value[offset];
    double sum = 0.0;
    for (const auto& [point, weight] : points[axis])
        sum +=
            weight * interpolated(s, value, points, axis + 1, offset + point * s.axes[axis].stride);
    return sum;
}

}  // namespace sparing
