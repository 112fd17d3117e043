#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
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
        : s_{system}, next_{next}, levels_(system.axes.size() + 1) {}

    /// The least cost over all joint options but for downtime; `best` is set to the options.
    double least(std::span<const std::vector<Prospect>> prospects, std::span<std::int32_t> best) {
        const std::size_t n = s_.axes.size();
        local_.assign(n, {});
        support_.assign(n, {});
        for (std::size_t i = 0; i < n; ++i) collect(prospects[i], support_[i], local_[i]);
        std::size_t size = 1;
        for (const auto& points : support_) size *= points.size();
        levels_[n].resize(size);
        double* out = levels_[n].data();
        gather(0, 0, out);
        prospects_ = prospects;
        chosen_.assign(n, 0);
        best_ = best;
        found_ = std::numeric_limits<double>::infinity();
        descend(n, size, 0.0);
        return found_;
    }

  private:
    const BeliefSystem& s_;
    const float* next_;
    std::vector<std::vector<double>> levels_;  // partial expectations, by axes left
    std::vector<std::vector<std::int32_t>> support_;
    std::vector<std::vector<std::vector<WeightedPoint>>> local_;  // points as places in support_
    std::span<const std::vector<Prospect>> prospects_;
    std::vector<std::int32_t> chosen_;
    std::span<std::int32_t> best_;
    double found_ = 0.0;

    static void collect(const std::vector<Prospect>& prospects, std::vector<std::int32_t>& support,
                        std::vector<std::vector<WeightedPoint>>& local) {
        for (const auto& prospect : prospects) {
            auto& row = local.emplace_back();
            for (const auto& [point, weight] : prospect.points) {
                auto place = std::find(support.begin(), support.end(), point);
                const auto at = static_cast<std::int32_t>(place - support.begin());
                if (place == support.end()) support.push_back(point);
                row.push_back({at, weight});
            }
        }
    }

    void gather(std::size_t axis, std::int64_t offset, double*& out) const {
        const std::int64_t stride = s_.axes[axis].stride;
        if (axis + 1 == s_.axes.size()) {
            for (const auto point : support_[axis]) *out++ = next_[offset + point * stride];
            return;
        }
        for (const auto point : support_[axis]) gather(axis + 1, offset + point * stride, out);
    }

    /// Contracts the last axis that is left, once for each of its options.
    void descend(std::size_t left, std::size_t size, double cost) {
        const double* const in = levels_[left].data();
        if (left == 0) {
            const double total = cost + s_.discount * in[0];
            if (total < found_) {
                found_ = total;
                std::copy(chosen_.begin(), chosen_.end(), best_.begin());
            }
            return;
        }
        const std::size_t axis = left - 1, width = support_[axis].size(), rest = size / width;
        levels_[axis].resize(rest);
        for (std::size_t k = 0; k < local_[axis].size(); ++k) {
            const auto& row = local_[axis][k];
            double* const out = levels_[axis].data();
            for (std::size_t r = 0; r < rest; ++r) {
                double sum = 0.0;
                for (const auto& [at, weight] : row)
                    sum += weight * in[r * width + static_cast<std::size_t>(at)];
                out[r] = sum;
            }
            chosen_[axis] = static_cast<std::int32_t>(prospects_[axis][k].option);
            descend(axis, rest, cost + prospects_[axis][k].cost);
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
