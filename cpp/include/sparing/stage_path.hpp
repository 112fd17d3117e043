#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "forward_program.hpp"

namespace sparing {

/// A run of nodes without draws, and where a path through it can be refused: a coordinate is
/// settled behind the last node that may write it, and must then be that of the goal.
struct Stage {
    std::size_t first = 0, last = 0;
    std::vector<std::vector<std::int32_t>> settled;               // by node id: behind the node
    std::vector<std::vector<std::vector<std::int32_t>>> entered;  // by branch id, by alternative
    std::vector<std::int32_t> untouched;                          // by the whole stage
};

namespace detail {

using SlotSet = std::vector<bool>;

inline void add_writes(const ForwardNode& node, SlotSet& slots) {
    for (const auto slot : node.writes) slots[static_cast<std::size_t>(slot)] = true;
    for (const auto& alternative : node.alternatives)
        for (const ForwardNode& inner : alternative) add_writes(inner, slots);
}

/// Settle, from the back, `nodes` behind which `later` is still written; adds their writes to it.
inline void settle(std::span<const ForwardNode> nodes, const SlotSet& wanted, SlotSet& later,
                   Stage& stage) {
    for (std::size_t n = nodes.size(); n-- > 0;) {
        const ForwardNode& node = nodes[n];
        for (const auto slot : node.writes) {
            const auto s = static_cast<std::size_t>(slot);
            if (wanted[s] && !later[s]) stage.settled[node.id].push_back(slot);
        }
        SlotSet all = later;
        add_writes(node, all);
        for (const auto& alternative : node.alternatives) {
            SlotSet inside = later;
            settle(alternative, wanted, inside, stage);
            auto& entered = stage.entered[node.id].emplace_back();
            for (std::size_t s = 0; s < all.size(); ++s)
                if (wanted[s] && all[s] && !inside[s])
                    entered.push_back(static_cast<std::int32_t>(s));
        }
        later = all;
    }
}

}  // namespace detail

inline Stage make_stage(const ForwardProgram& program, std::size_t first, std::size_t last) {
    Stage stage{first, last, {}, {}, {}};
    stage.settled.resize(program.num_nodes);
    stage.entered.resize(program.num_nodes);
    detail::SlotSet wanted(program.num_slots), written(program.num_slots);
    for (const LiveAxis& axis : program.layouts[last])
        wanted[static_cast<std::size_t>(axis.slot)] = true;
    detail::settle(std::span(program.nodes).subspan(first, last - first), wanted, written, stage);
    for (const LiveAxis& axis : program.layouts[last])
        if (!written[static_cast<std::size_t>(axis.slot)]) stage.untouched.push_back(axis.slot);
    return stage;
}

/// Per node id and entry (or row, or alternative) the sum over kinds of weight times cost; +inf,
/// not allowed, whatever its weight. Empty where nothing is paid.
using WeightedCosts = std::vector<std::vector<double>>;

namespace detail {

inline void add_weighted(const ForwardNode& node, std::span<const double> weights,
                         WeightedCosts& weighted) {
    constexpr double inf = std::numeric_limits<double>::infinity();
    auto& sums = weighted[node.id];
    for (const KindCost& cost : node.costs) {
        const double weight = weights[static_cast<std::size_t>(cost.kind)];
        sums.resize(cost.values.size());
        for (std::size_t e = 0; e < sums.size(); ++e) {
            if (cost.values[e] == inf) sums[e] = inf;
            if (weight != 0.0 && sums[e] != inf) sums[e] += weight * cost.values[e];
        }
    }
    for (const auto& alternative : node.alternatives)
        for (const ForwardNode& inner : alternative) add_weighted(inner, weights, weighted);
}

}  // namespace detail

inline WeightedCosts weigh(const ForwardProgram& program, std::span<const double> weights) {
    assert(weights.size() == program.num_kinds);
    WeightedCosts weighted(program.num_nodes);
    for (const ForwardNode& node : program.nodes) detail::add_weighted(node, weights, weighted);
    return weighted;
}

/// Finds the cheapest path through a stage; holds the scratch of one thread.
///
/// Depth first over alternatives and entries in their order, pruned by settled coordinates; a
/// later path must be cheaper, so ties go to the lowest alternative, then the lowest entry. A
/// path's cost is added up node after node.
class PathFinder {
  public:
    PathFinder(const ForwardProgram& program, const WeightedCosts& weighted)
        : program_(&program),
          weighted_(&weighted),
          coords_(program.num_slots),
          taken_(program.num_nodes),
          best_(program.num_nodes) {}

    /// Find a path from coordinates x to y, both by slot; false if there is none.
    bool find(const Stage& stage, const std::int32_t* x, const std::int32_t* y) {
        stage_ = &stage;
        goal_ = y;
        cheapest_ = std::numeric_limits<double>::infinity();
        coords_.assign(x, x + program_->num_slots);
        if (matches(stage.untouched)) walk(stage.first, nullptr, 0, 0.0);
        return cheapest_ < std::numeric_limits<double>::infinity();
    }

    /// By node id: the entry, row or alternative of the path found; else what it was before.
    const std::vector<std::size_t>& choices() const { return best_; }

    /// Add the found path's costs per kind to costs[kind * step].
    void add_costs(double* costs, std::size_t step = 1) const {
        for (std::size_t n = stage_->first; n < stage_->last; ++n)
            add_node(program_->nodes[n], costs, step);
    }

  private:
    using Nodes = std::vector<ForwardNode>;

    void add_node(const ForwardNode& node, double* costs, std::size_t step) const {
        for (const KindCost& cost : node.costs)
            costs[static_cast<std::size_t>(cost.kind) * step] += cost.values[best_[node.id]];
        if (node.type == NodeType::branch)
            for (const ForwardNode& inner : node.alternatives[best_[node.id]])
                add_node(inner, costs, step);
    }

    bool matches(const std::vector<std::int32_t>& slots) const {
        for (const auto slot : slots)
            if (coords_[static_cast<std::size_t>(slot)] != goal_[slot]) return false;
        return true;
    }

    double weighted(const ForwardNode& node, std::size_t entry) const {
        const auto& sums = (*weighted_)[node.id];
        return sums.empty() ? 0.0 : sums[entry];
    }

    /// Walk on at node `at` of `inner`, or behind its end at node `top` of the program.
    void walk(std::size_t top, const Nodes* inner, std::size_t at, double total) {
        if (!(total < std::numeric_limits<double>::infinity())) return;
        if (inner && at < inner->size()) return pass((*inner)[at], top, inner, at + 1, total);
        if (top < stage_->last) return pass(program_->nodes[top], top + 1, nullptr, 0, total);
        if (total < cheapest_) cheapest_ = total, best_ = taken_;
    }

    void pass(const ForwardNode& node, std::size_t top, const Nodes* inner, std::size_t at,
              double total) {
        if (node.type == NodeType::branch) return pass_branch(node, top, total);
        if (node.type == NodeType::cost) {
            taken_[node.id] = static_cast<std::size_t>(node.row(coords_.data()));
            return walk(top, inner, at, total + weighted(node, taken_[node.id]));
        }
        const auto [begin, end] = node.entries(node.row(coords_.data()));
        const std::size_t depth = saved_.size();
        for (const auto slot : node.writes)
            saved_.push_back(coords_[static_cast<std::size_t>(slot)]);
        for (std::size_t entry = begin; entry < end; ++entry) {
            node.write(entry, coords_.data());
            taken_[node.id] = entry;
            if (matches(stage_->settled[node.id]))
                walk(top, inner, at, total + weighted(node, entry));
        }
        for (std::size_t w = 0; w < node.writes.size(); ++w)
            coords_[static_cast<std::size_t>(node.writes[w])] = saved_[depth + w];
        saved_.resize(depth);
    }

    void pass_branch(const ForwardNode& node, std::size_t top, double total) {
        for (std::size_t a = 0; a < node.alternatives.size(); ++a) {
            taken_[node.id] = a;
            if (matches(stage_->entered[node.id][a]))
                walk(top, &node.alternatives[a], 0, total + weighted(node, a));
        }
    }

    const ForwardProgram* program_;
    const WeightedCosts* weighted_;
    const Stage* stage_ = nullptr;
    const std::int32_t* goal_ = nullptr;
    double cheapest_ = 0.0;
    std::vector<std::int32_t> coords_, saved_;
    std::vector<std::size_t> taken_, best_;
};

}  // namespace sparing
