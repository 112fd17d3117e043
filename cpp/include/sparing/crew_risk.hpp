#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "crew_system.hpp"

namespace sparing {

/// What the chance of being down some inspections ahead is priced at.
struct Outlook {
    double price = 0.0;
    std::vector<double> working;  // [pairs]: chance that a component left in this state works
};

/// The sum over outlooks of price * P(down), and how it changes if one or two components are left
/// in other states. Exact, as the chance is linear in that of each component (Birnbaum 1969), and
/// so bilinear in those of two. Holds the scratch of one thread.
class CrewRisk {
  public:
    CrewRisk(const CrewSystem& system, const std::vector<Outlook>& outlooks)
        : works_(system), outlooks_(&outlooks), pairs_(system.num_pairs()) {}

    /// left [pairs]: how many components are left in each state.
    double operator()(const std::vector<std::int32_t>& left) {
        double sum = 0.0;
        for (const Outlook& outlook : *outlooks_)
            sum += outlook.price * (1.0 - works_(left.data(), outlook.working.data()));
        return sum;
    }

    /// Look at changes of `left`, which must stay as it is while they are asked for.
    void look_around(const std::vector<std::int32_t>& left) {
        left_ = &left;
        up_.assign(outlooks_->size(), 0.0);
        gain_.assign(outlooks_->size() * pairs_, 0.0);
        joint_.assign(outlooks_->size() * pairs_ * pairs_,
                      std::numeric_limits<double>::quiet_NaN());
        for (std::size_t h = 0; h < outlooks_->size(); ++h) {
            const std::vector<double>& p = working(h);
            up_[h] = works_(left.data(), p.data());
            for (std::size_t i = 0; i < pairs_; ++i) {
                if (left[i] == 0) continue;
                const double other = far(p[i]);
                const double changed = works_.with(left.data(), p.data(), {i, other});
                gain_[h * pairs_ + i] = (changed - up_[h]) / (other - p[i]);
            }
        }
    }

    /// The change if one component left in pair `from` is left in `to`.
    double change(std::size_t from, std::size_t to) const {
        double sum = 0.0;
        for (std::size_t h = 0; h < outlooks_->size(); ++h)
            sum -= price(h) * gain_[h * pairs_ + from] * (working(h)[to] - working(h)[from]);
        return sum;
    }

    /// A lower bound of `together`. The gain of one is the mean of its gains where the other works
    /// and where it fails, none of which is negative; that bounds their difference.
    double least_together(std::size_t a, std::size_t to_a, std::size_t b, std::size_t to_b) const {
        double sum = 0.0;
        for (std::size_t h = 0; h < outlooks_->size(); ++h) {
            const std::vector<double>& p = working(h);
            const double product = (p[to_a] - p[a]) * (p[to_b] - p[b]);
            if (product == 0.0) continue;
            const double by_a = product > 0.0 ? p[a] : 1.0 - p[a];
            const double by_b = product > 0.0 ? p[b] : 1.0 - p[b];
            const double gain_a = gain_[h * pairs_ + a], gain_b = gain_[h * pairs_ + b];
            const double most =
                std::min({1.0, by_b > 0.0 ? gain_a / by_b : 1.0, by_a > 0.0 ? gain_b / by_a : 1.0});
            sum -= price(h) * std::abs(product) * most;
        }
        return sum;
    }

    /// What two changes at once add to the sum of both.
    double together(std::size_t a, std::size_t to_a, std::size_t b, std::size_t to_b) {
        double sum = 0.0;
        for (std::size_t h = 0; h < outlooks_->size(); ++h) {
            const std::vector<double>& p = working(h);
            sum -= price(h) * joint(h, a, b) * (p[to_a] - p[a]) * (p[to_b] - p[b]);
        }
        return sum;
    }

  private:
    const std::vector<double>& working(std::size_t h) const { return (*outlooks_)[h].working; }
    double price(std::size_t h) const { return (*outlooks_)[h].price; }

    /// A chance that is far from `p`, so that differences are not lost in rounding.
    static double far(double p) { return p > 0.5 ? 0.0 : 1.0; }

    /// P(up) differentiated by the chances of a component in `a` and another in `b`.
    double joint(std::size_t h, std::size_t a, std::size_t b) {
        double& known = joint_[(h * pairs_ + std::min(a, b)) * pairs_ + std::max(a, b)];
        if (!std::isnan(known)) return known;
        const std::vector<double>& p = working(h);
        const double to_a = far(p[a]), to_b = far(p[b]);
        const double changed = works_.with(left_->data(), p.data(), {a, to_a}, {b, to_b});
        const double apart =
            gain_[h * pairs_ + a] * (to_a - p[a]) + gain_[h * pairs_ + b] * (to_b - p[b]);
        return known = (changed - up_[h] - apart) / ((to_a - p[a]) * (to_b - p[b]));
    }

    WorkingChance works_;
    const std::vector<Outlook>* outlooks_;
    std::size_t pairs_;
    const std::vector<std::int32_t>* left_ = nullptr;
    std::vector<double> up_;     // [outlooks]
    std::vector<double> gain_;   // [outlooks, pairs]: P(up) differentiated by one's chance
    std::vector<double> joint_;  // [outlooks, pairs, pairs], upper triangle; NaN: not known yet
};

}  // namespace sparing
