#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "crew_risk.hpp"
#include "crew_system.hpp"

namespace sparing {

/// One-step lookahead: of the states x that maintenance can reach, one with a low
///   set-up (if anything is done) + maintenance + sum of value[type, left]
///     + sum over outlooks of price * P(down | x).
///
/// Raising components one after another in the order of what a gain of the chance to work costs
/// traces the best choices for every price of that chance; the cheapest point of this path, by the
/// exact chances, is then improved by single changes, and where none helps by two at once, such
/// as restoring one component in place of another, as long as one helps.
class LookaheadRule : public CrewRule {
  public:
    LookaheadRule(CrewSystem system, std::vector<double> value, std::vector<Outlook> outlooks)
        : CrewRule(std::move(system)), value_(std::move(value)), outlooks_(std::move(outlooks)) {
        std::size_t entries = 0;
        for (const ComponentType& type : system_.types) {
            entries_.push_back(entries);
            entries += type.num_states * type.num_states;
            works_.insert(works_.end(), type.num_states, 1.0);
            works_.back() = 0.0;
        }
        entries_.push_back(entries);
        for (const Outlook& outlook : outlooks_) price_ += outlook.price;
        for (const bool restoring : {false, true}) paths_[restoring] = path(restoring);
    }

    void decide(const std::int32_t* states, std::int32_t* post, std::size_t lanes) const override {
        Scratch s(*this);
        const std::size_t width = num_components();
        for (std::size_t l = 0; l < lanes; ++l, states += width, post += width) {
            choose(states, s);
            hand_out(states, post, s);
        }
    }

    /// P(down) at the next inspection, of the first outlook: down [lanes] from post states.
    void chance_down(const std::int32_t* post, double* down, std::size_t lanes) const {
        WorkingChance works(system_);
        std::vector<std::int32_t> counts(system_.num_pairs());
        const std::size_t width = num_components();
        for (std::size_t l = 0; l < lanes; ++l) {
            system_.count(post + l * width, counts.data());
            down[l] = 1.0 - works(counts.data(), outlooks_[0].working.data());
        }
    }

  private:
    /// Leave one more component of a type, found in `state`, in `to` instead of `from`.
    struct Step {
        double slope;
        std::size_t type, state, from, to;
    };
    struct Path {
        std::vector<std::size_t> first;  // [pairs]: where each is left at a price of 0
        std::vector<Step> steps;         // by rising slope
    };
    /// Leave a component of a type, found in `state`, in `to` instead of `from`.
    struct Change {
        double cost;
        std::size_t type, state, from, to;
    };
    struct Scratch {
        explicit Scratch(const LookaheadRule& rule)
            : works(rule.system_),
              risk(rule.system_, rule.outlooks_),
              counts(rule.system_.num_pairs()),
              left(rule.system_.num_pairs()),
              plan(rule.entries_.back()) {}
        WorkingChance works;
        CrewRisk risk;
        std::vector<std::int32_t> counts;  // [pairs] found
        std::vector<std::int32_t> left;    // [pairs] behind the decision
        std::vector<std::int32_t> plan;    // [type, found, left]
        std::vector<Change> changes;       // of one component, from the plan on
    };

    std::size_t entry(std::size_t t, std::size_t s, std::size_t j) const {
        return entries_[t] + s * system_.types[t].num_states + j;
    }

    /// What it costs to leave a component found in s in j, the future but for the chances included.
    double cost(std::size_t t, std::size_t s, std::size_t j, bool restoring) const {
        if (j > s || (restoring && s == system_.failed(t) && j == s))
            return std::numeric_limits<double>::infinity();
        return system_.types[t].cost[s * system_.types[t].num_states + j] +
               value_[system_.offsets[t] + j];
    }

    double working(std::size_t t, std::size_t j) const {
        double sum = 0.0;
        for (const Outlook& outlook : outlooks_)
            sum += outlook.price * outlook.working[system_.offsets[t] + j];
        return price_ > 0.0 ? sum / price_ : 0.0;
    }

    Path path(bool restoring) const {
        Path found;
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (std::size_t s = 0; s < system_.types[t].num_states; ++s) {
                std::size_t at = 0;
                for (std::size_t j = 1; j <= s; ++j)
                    if (cost(t, s, j, restoring) < cost(t, s, at, restoring)) at = j;
                found.first.push_back(at);
                for (;;) {
                    Step next{price_, t, s, at, at};  // beyond that price nothing pays
                    for (std::size_t j = 0; j <= s; ++j) {
                        const double gained = working(t, j) - working(t, at);
                        if (!(gained > 0.0)) continue;
                        const double slope =
                            (cost(t, s, j, restoring) - cost(t, s, at, restoring)) / gained;
                        if (slope < next.slope) next = {slope, t, s, at, j};
                    }
                    if (next.to == at) break;
                    found.steps.push_back(next);
                    at = next.to;
                }
            }
        std::stable_sort(found.steps.begin(), found.steps.end(),
                         [](const Step& a, const Step& b) { return a.slope < b.slope; });
        return found;
    }

    /// The plan [type, found, left] of least cost.
    void choose(const std::int32_t* state, Scratch& s) const {
        system_.count(state, s.counts.data());
        bool must = false;
        if (system_.restore_when_down && s.works(s.counts.data(), works_.data()) < 0.5)
            for (std::size_t t = 0; t < system_.types.size(); ++t)
                must = must || s.counts[system_.offsets[t] + system_.failed(t)] > 0;
        const double sent = system_.setup_cost + along_path(s, must);
        const double improved = sent + improve(s, must);
        if (cost_of_nothing(s, must) <= improved) {
            std::fill(s.plan.begin(), s.plan.end(), 0);
            for (std::size_t t = 0; t < system_.types.size(); ++t)
                for (std::size_t i = 0; i < system_.types[t].num_states; ++i)
                    s.plan[entry(t, i, i)] = s.counts[system_.offsets[t] + i];
        }
    }

    double cost_of_nothing(Scratch& s, bool restoring) const {
        double sum = 0.0;
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (std::size_t i = 0; i < system_.types[t].num_states; ++i)
                if (const auto count = s.counts[system_.offsets[t] + i]; count > 0)
                    sum += count * cost(t, i, i, restoring);
        return sum + s.risk(s.counts);
    }

    /// Sets plan and left to the cheapest point of the path and returns its cost, set-up left out.
    double along_path(Scratch& s, bool restoring) const {
        const Path& path = paths_[restoring];
        double paid = begin_path(s, restoring), best = paid + s.risk(s.left);
        std::size_t best_step = 0, best_count = 0;  // whole steps, then components of the next
        for (std::size_t n = 0; n < path.steps.size(); ++n) {
            const Step& step = path.steps[n];
            const std::size_t at = system_.offsets[step.type];
            const double more = cost(step.type, step.state, step.to, restoring) -
                                cost(step.type, step.state, step.from, restoring);
            const auto count = static_cast<std::size_t>(s.counts[at + step.state]);
            for (std::size_t k = 1; k <= count; ++k) {
                --s.left[at + step.from], ++s.left[at + step.to];
                paid += more;
                const double now = paid + s.risk(s.left);
                if (now < best) best = now, best_step = n, best_count = k;
            }
        }
        begin_path(s, restoring);
        if (best_count == 0) return best;
        for (std::size_t n = 0; n <= best_step; ++n) {
            const Step& step = path.steps[n];
            const std::int32_t count = n < best_step
                                           ? s.counts[system_.offsets[step.type] + step.state]
                                           : static_cast<std::int32_t>(best_count);
            move(s, step.type, step.state, step.from, step.to, count);
        }
        return best;
    }

    double begin_path(Scratch& s, bool restoring) const {
        std::fill(s.plan.begin(), s.plan.end(), 0);
        std::fill(s.left.begin(), s.left.end(), 0);
        double paid = 0.0;
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (std::size_t i = 0; i < system_.types[t].num_states; ++i) {
                const std::size_t pair = system_.offsets[t] + i, to = paths_[restoring].first[pair];
                const std::int32_t count = s.counts[pair];
                s.plan[entry(t, i, to)] = count;
                s.left[system_.offsets[t] + to] += count;
                if (count > 0) paid += count * cost(t, i, to, restoring);
            }
        return paid;
    }

    void move(Scratch& s, std::size_t t, std::size_t state, std::size_t from, std::size_t to,
              std::int32_t count) const {
        s.plan[entry(t, state, from)] -= count;
        s.plan[entry(t, state, to)] += count;
        s.left[system_.offsets[t] + from] -= count;
        s.left[system_.offsets[t] + to] += count;
    }

    /// Makes the best change of one component, or else of two, as long as one helps; returns the
    /// (negative) change of cost.
    double improve(Scratch& s, bool restoring) const {
        constexpr int most = 64;  // rounding cannot make it go round in circles
        double total = 0.0;
        for (int round = 0; round < most; ++round) {
            s.risk.look_around(s.left);
            find_changes(s, restoring);
            const double least = -1e-9 * (1.0 + price_);
            double change = change_one(s, least);
            if (change == 0.0) change = change_two(s, least);
            if (change == 0.0) break;
            total += change;
        }
        return total;
    }

    void find_changes(Scratch& s, bool restoring) const {
        s.changes.clear();
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (std::size_t i = 0; i < system_.types[t].num_states; ++i)
                for (std::size_t j = 0; j <= i; ++j) {
                    if (s.plan[entry(t, i, j)] == 0) continue;
                    for (std::size_t k = 0; k <= i; ++k) {
                        if (k == j) continue;
                        const double change = cost(t, i, k, restoring) - cost(t, i, j, restoring) +
                                              s.risk.change(left(t, j), left(t, k));
                        if (std::isfinite(change)) s.changes.push_back({change, t, i, j, k});
                    }
                }
    }

    double change_one(Scratch& s, double least) const {
        const Change* best = nullptr;
        for (const Change& change : s.changes)
            if (change.cost < least) best = &change, least = change.cost;
        if (best) move(s, *best);
        return best ? least : 0.0;
    }

    double change_two(Scratch& s, double least) const {
        const Change *best = nullptr, *other = nullptr;
        for (std::size_t m = 0; m < s.changes.size(); ++m)
            for (std::size_t n = m; n < s.changes.size(); ++n) {
                const Change &a = s.changes[m], &b = s.changes[n];
                if (!are_two(a, b, s)) continue;
                const std::size_t from_a = left(a.type, a.from), to_a = left(a.type, a.to),
                                  from_b = left(b.type, b.from), to_b = left(b.type, b.to);
                const double apart = a.cost + b.cost;
                if (apart + s.risk.least_together(from_a, to_a, from_b, to_b) >= least) continue;
                const double both = apart + s.risk.together(from_a, to_a, from_b, to_b);
                if (both < least) best = &a, other = &b, least = both;
            }
        if (best) move(s, *best), move(s, *other);
        return best ? least : 0.0;
    }

    /// Whether there are two components for both changes.
    bool are_two(const Change& a, const Change& b, const Scratch& s) const {
        const bool same = a.type == b.type && a.state == b.state && a.from == b.from;
        return !same || s.plan[entry(a.type, a.state, a.from)] > 1;
    }

    void move(Scratch& s, const Change& change) const {
        move(s, change.type, change.state, change.from, change.to, 1);
    }

    std::size_t left(std::size_t t, std::size_t state) const { return system_.offsets[t] + state; }

    void hand_out(const std::int32_t* state, std::int32_t* post, Scratch& s) const {
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (const std::int32_t member : system_.types[t].members) {
                const auto found = static_cast<std::size_t>(state[member]);
                std::size_t j = 0;
                while (s.plan[entry(t, found, j)] == 0) ++j;
                --s.plan[entry(t, found, j)];
                post[member] = static_cast<std::int32_t>(j);
            }
    }

    std::vector<double> value_;  // [pairs]
    std::vector<Outlook> outlooks_;
    std::vector<std::size_t> entries_;  // [types + 1] of (type, found, left) in flat arrays
    std::vector<double> works_;         // [pairs]: 1 but for the failed states
    double price_ = 0.0;                // of all outlooks
    Path paths_[2];                     // [whether failed components must be restored]
};

}  // namespace sparing
