#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network_lanes.hpp"
#include "philox.hpp"
#include "rollout_plan.hpp"

namespace sparing {

/// What to roll out: replications [first, first + R) over epochs [first_epoch, + num_epochs).
struct RolloutRange {
    std::uint64_t seed = 0;
    std::uint32_t first_epoch = 0, num_epochs = 0, first_replication = 0;
    std::span<const double> epoch_weights;  // [num_epochs], or empty for all one
    bool counted = true;                    // false: warm up, pay nothing
    std::size_t lanes = 64;
    int num_threads = 1;
};

/// The first entry whose threshold lies above `draw`.
inline std::size_t pick_entry(const std::vector<std::uint32_t>& thresholds, std::size_t begin,
                              std::size_t end, std::uint32_t draw) {
    if (end - begin <= 8) {
        while (begin + 1 < end && draw >= thresholds[begin]) ++begin;
        return begin;
    }
    const auto* base = thresholds.data();
    const auto* at = std::upper_bound(base + begin, base + end, draw);
    return std::min(static_cast<std::size_t>(at - base), end - 1);
}

/// Some replications side by side: slot s of lane l is coords[s * lanes + l].
///
/// Each epoch's costs are summed per kind in the order of time, a stage's path as one term, and
/// then added to the replication's total times the epoch's weight: nothing depends on `lanes`.
class LaneBlock {
  public:
    LaneBlock(const RolloutPlan& plan, const RolloutRange& range, std::size_t first,
              std::size_t count)
        : plan_(plan),
          program_(*plan.program),
          range_(range),
          first_(first),
          lanes_(count),
          coords_(program_.num_slots * count),
          epoch_costs_(program_.num_kinds * count),
          rows_(count),
          nature_(Stream::nature, program_.num_draws, count),
          choices_(Stream::policy, program_.num_decisions, count),
          x_(program_.num_slots),
          y_(program_.num_slots) {
        if (plan.policy == PolicyType::callback || plan.resolved.empty())
            finder_.emplace(program_, plan.weighted);
        if (plan.policy == PolicyType::network)
            network_.emplace(program_, plan.network, coords_.data(), epoch_costs_.data(), lanes_);
    }

    /// Run states [R, start axes] on to the last epoch, adding to totals [R, kinds].
    Failure run(std::span<std::int32_t> states, std::span<double> totals) {
        load(states);
        for (std::uint32_t t = 0; t < range_.num_epochs && !failure_.failed; ++t) {
            epoch_ = range_.first_epoch + t;
            std::fill(nature_.made.begin(), nature_.made.end(), false);
            std::fill(choices_.made.begin(), choices_.made.end(), false);
            std::fill(epoch_costs_.begin(), epoch_costs_.end(), 0.0);
            run_epoch();
            if (range_.counted)
                add_epoch(totals, range_.epoch_weights.empty() ? 1.0 : range_.epoch_weights[t]);
        }
        store(states);
        return failure_;
    }

  private:
    struct Words {
        Words(Stream whose, std::int32_t num_draws, std::size_t lanes)
            : stream(whose), made(static_cast<std::size_t>(num_draws + 3) / 4) {
            words.resize(made.size() * 4 * lanes);
        }
        Stream stream;
        std::vector<std::uint32_t> words;  // [4 * blocks, lanes]
        std::vector<bool> made;            // [blocks] in this epoch
    };

    void load(std::span<const std::int32_t> states) {
        const AxisLayout& axes = program_.layouts.front();
        for (std::size_t l = 0; l < lanes_; ++l)
            for (std::size_t a = 0; a < axes.size(); ++a)
                lane(l)[slot(axes[a]) * lanes_] = states[(first_ + l) * axes.size() + a];
    }

    void store(std::span<std::int32_t> states) {
        const AxisLayout& axes = program_.layouts.back();
        for (std::size_t l = 0; l < lanes_; ++l)
            for (std::size_t a = 0; a < axes.size(); ++a)
                states[(first_ + l) * axes.size() + a] = lane(l)[slot(axes[a]) * lanes_];
    }

    void add_epoch(std::span<double> totals, double weight) {
        const std::size_t kinds = program_.num_kinds;
        for (std::size_t k = 0; k < kinds; ++k)
            for (std::size_t l = 0; l < lanes_; ++l)
                totals[(first_ + l) * kinds + k] += weight * epoch_costs_[k * lanes_ + l];
    }

    void run_epoch() {
        const bool by_node = plan_.policy == PolicyType::rows || (network_ && !plan_.network.joint);
        const bool by_stage = !by_node;
        std::size_t stage = 0;
        for (std::size_t n = 0; n < program_.nodes.size() && !failure_.failed;) {
            if (by_stage && stage < plan_.stages.size() && n == plan_.stages[stage].first) {
                run_stage(stage);
                n = plan_.stages[stage++].last;
            } else {
                run_node(n++);
            }
        }
    }

    void run_node(std::size_t n) {
        const ForwardNode& node = program_.nodes[n];
        if (node.type == NodeType::cost) return pay(node);
        if (network_ && (node.type == NodeType::branch || node.type == NodeType::decision))
            return network_->run_node(node);
        if (node.type == NodeType::branch) return run_branch(n);
        if (node.type == NodeType::decision) return step(n, plan_.rules[node.id], choices_);
        step(n, node.thresholds, nature_);
    }

    void find_rows(const ForwardNode& node) {
        std::fill(rows_.begin(), rows_.end(), std::int64_t{0});
        for (const Read& read : node.reads) {
            const std::int32_t* at = coords_.data() + static_cast<std::size_t>(read.slot) * lanes_;
            if (read.groups.empty())
                for (std::size_t l = 0; l < lanes_; ++l) rows_[l] += read.stride * at[l];
            else
                for (std::size_t l = 0; l < lanes_; ++l) rows_[l] += read.offset(at[l]);
        }
    }

    void pay(const ForwardNode& node) {
        find_rows(node);
        for (const KindCost& cost : node.costs)
            for (std::size_t l = 0; l < lanes_; ++l)
                kind(cost.kind)[l] += cost.values[static_cast<std::size_t>(rows_[l])];
    }

    /// Draw an entry of each lane's row, pay it and go there.
    void step(std::size_t n, const std::vector<std::uint32_t>& thresholds, Words& words) {
        const ForwardNode& node = program_.nodes[n];
        const std::uint32_t* draws = node.draw >= 0 ? word(words, node.draw) : nullptr;
        find_rows(node);
        for (std::size_t l = 0; l < lanes_; ++l) {
            const auto [begin, end] = node.entries(rows_[l]);
            if (begin == end) return fail(l, n, n + 1, nullptr);
            const std::size_t entry =
                draws ? pick_entry(thresholds, begin, end, as_draw(draws[l])) : begin;
            node.write(entry, lane(l), lanes_);
            for (const KindCost& cost : node.costs) kind(cost.kind)[l] += cost.values[entry];
        }
    }

    void run_stage(std::size_t number) {
        if (plan_.policy == PolicyType::callback) return run_callback(number);
        if (network_)
            return network_->run_stage(number, program_.layouts[plan_.stages[number].last]);
        const Stage& stage = plan_.stages[number];
        const AxisLayout &start = program_.layouts[stage.first],
                         &end = program_.layouts[stage.last];
        if (!plan_.resolved.empty()) return run_resolved(number, start, end);
        const std::int64_t num_goals = num_states(end);
        for (std::size_t l = 0; l < lanes_ && !failure_.failed; ++l) {
            const std::int64_t goal = plan_.tables[number][flatten(start, lane(l), lanes_)];
            if (goal < 0 || goal >= num_goals) return fail(l, stage.first, stage.last, nullptr);
            unflatten(end, goal, y_.data());
            take_path(stage, l);
        }
    }

    void run_resolved(std::size_t number, const AxisLayout& start, const AxisLayout& end) {
        const ResolvedStage& stage = plan_.resolved[number];
        const auto size = static_cast<std::size_t>(num_states(start));
        for (std::size_t l = 0; l < lanes_; ++l) rows_[l] = flatten(start, lane(l), lanes_);
        for (std::size_t l = 0; l < lanes_; ++l)
            if (std::isnan(stage.costs[static_cast<std::size_t>(rows_[l])]))
                return fail(l, plan_.stages[number].first, plan_.stages[number].last, nullptr);
        for (std::size_t a = 0; a < end.size(); ++a)
            for (std::size_t l = 0; l < lanes_; ++l)
                lane(l)[slot(end[a]) * lanes_] =
                    stage.post[a * size + static_cast<std::size_t>(rows_[l])];
        for (std::size_t k = 0; k < program_.num_kinds; ++k)
            for (std::size_t l = 0; l < lanes_; ++l)
                epoch_costs_[k * lanes_ + l] +=
                    stage.costs[k * size + static_cast<std::size_t>(rows_[l])];
    }

    void run_callback(std::size_t number) {
        const Stage& stage = plan_.stages[number];
        const AxisLayout &start = program_.layouts[stage.first],
                         &end = program_.layouts[stage.last];
        std::vector<std::int32_t> states(lanes_ * start.size()), post(lanes_ * end.size());
        for (std::size_t l = 0; l < lanes_; ++l)
            for (std::size_t a = 0; a < start.size(); ++a)
                states[l * start.size() + a] = lane(l)[slot(start[a]) * lanes_];
        plan_.callback(number, states.data(), post.data(), lanes_);
        for (std::size_t l = 0; l < lanes_ && !failure_.failed; ++l) {
            for (std::size_t a = 0; a < end.size(); ++a)
                y_[slot(end[a])] = post[l * end.size() + a];
            take_path(stage, l);
        }
    }

    /// Decide inside the one alternative with decisions, then go there by the cheapest path.
    void run_branch(std::size_t n) {
        for (std::size_t l = 0; l < lanes_ && !failure_.failed; ++l) {
            for (std::size_t s = 0; s < program_.num_slots; ++s) y_[s] = lane(l)[s * lanes_];
            const auto& alternatives = program_.nodes[n].alternatives;
            for (const auto& nodes : alternatives)
                if ((alternatives.size() == 1 || decides(nodes)) && !decide(nodes, l))
                    return fail(l, n, n + 1, nullptr);
            take_path(plan_.branches[n], l);
        }
    }

    bool decides(const std::vector<ForwardNode>& nodes) const {
        return std::any_of(nodes.begin(), nodes.end(), [this](const ForwardNode& node) {
            return node.type == NodeType::decision && !plan_.rules[node.id].empty();
        });
    }

    bool decide(const std::vector<ForwardNode>& nodes, std::size_t l) {
        for (const ForwardNode& node : nodes) {
            if (node.type == NodeType::cost) continue;
            const auto [begin, end] = node.entries(node.row(y_.data()));
            if (begin == end) return false;
            std::size_t entry = begin;
            if (node.type == NodeType::decision)
                entry = pick_entry(plan_.rules[node.id], begin, end,
                                   as_draw(word(choices_, node.draw)[l]));
            node.write(entry, y_.data());
        }
        return true;
    }

    /// Pay the cheapest path of lane l to y_ and go there.
    void take_path(const Stage& stage, std::size_t l) {
        for (std::size_t s = 0; s < program_.num_slots; ++s) x_[s] = lane(l)[s * lanes_];
        if (!finder_->find(stage, x_.data(), y_.data()))
            return fail(l, stage.first, stage.last, y_.data());
        path_costs_.assign(program_.num_kinds, 0.0);
        finder_->add_costs(path_costs_.data());
        for (std::size_t k = 0; k < program_.num_kinds; ++k)
            epoch_costs_[k * lanes_ + l] += path_costs_[k];
        for (const LiveAxis& axis : program_.layouts[stage.last])
            lane(l)[slot(axis) * lanes_] = y_[slot(axis)];
    }

    /// Words of draw number `draw` in each lane, made a block of four at a time.
    const std::uint32_t* word(Words& words, std::int32_t draw) {
        const auto j = static_cast<std::size_t>(draw);
        if (!words.made[j / 4]) make_block(words, j / 4);
        return words.words.data() + j * lanes_;
    }

    void make_block(Words& words, std::size_t block) {
        const PhiloxKey key = philox_key(range_.seed);
        std::uint32_t* out = words.words.data() + 4 * block * lanes_;
        for (std::size_t l = 0; l < lanes_; ++l) {
            const auto replication =
                static_cast<std::uint32_t>(range_.first_replication + first_ + l);
            const auto drawn = philox4x32(
                draw_counter(replication, epoch_, static_cast<std::uint32_t>(block), words.stream),
                key);
            for (std::size_t w = 0; w < 4; ++w) out[w * lanes_ + l] = drawn[w];
        }
        words.made[block] = true;
    }

    void fail(std::size_t l, std::size_t first, std::size_t last, const std::int32_t* goal) {
        for (std::size_t s = 0; s < program_.num_slots; ++s) x_[s] = lane(l)[s * lanes_];
        failure_ = {true,   static_cast<std::int64_t>(range_.first_replication + first_ + l),
                    epoch_, first,
                    last,   coordinates_on(program_.layouts[first], x_.data()),
                    {}};
        if (goal) failure_.goal = coordinates_on(program_.layouts[last], goal);
    }

    static std::size_t slot(const LiveAxis& axis) { return static_cast<std::size_t>(axis.slot); }
    std::int32_t* lane(std::size_t l) { return coords_.data() + l; }
    double* kind(std::int32_t k) {
        return epoch_costs_.data() + static_cast<std::size_t>(k) * lanes_;
    }

    const RolloutPlan& plan_;
    const ForwardProgram& program_;
    const RolloutRange& range_;
    std::size_t first_, lanes_;
    std::uint32_t epoch_ = 0;
    std::vector<std::int32_t> coords_;  // [slots, lanes]
    std::vector<double> epoch_costs_;   // [kinds, lanes]
    std::vector<std::int64_t> rows_;    // [lanes]
    Words nature_, choices_;
    std::vector<std::int32_t> x_, y_;  // [slots] of one lane
    std::vector<double> path_costs_;
    std::optional<PathFinder> finder_;
    std::optional<NetworkLanes> network_;
    Failure failure_;
};

}  // namespace sparing
