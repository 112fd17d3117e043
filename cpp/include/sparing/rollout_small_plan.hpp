#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "philox.hpp"
#include "rollout.hpp"
#include "rollout_small.hpp"

namespace sparing {

/// A plan small and plain enough for the 16-lane kernels, with the tables they read.
struct SmallPlan {
    small::Program program{};
    std::vector<std::uint32_t> rows, rest;
    std::vector<std::uint32_t> thresholds[small::max_axes];
    std::vector<std::vector<double>> values;  // by term
    std::vector<std::size_t> kinds;           // of each kind paid
    AxisLayout layout;
};

namespace detail {

inline bool same_layout(const AxisLayout& a, const AxisLayout& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](auto x, auto y) { return x.slot == y.slot && x.size == y.size; });
}

/// Whether a node draws one axis in place, at no cost, its rows leading upward in order.
inline bool draws_one_axis(const ForwardNode& node) {
    if (node.type != NodeType::chance || node.draw < 0 || !node.costs.empty()) return false;
    if (node.reads.size() != 1 || node.writes != std::vector{node.reads[0].slot}) return false;
    for (std::size_t r = 0; r + 1 < node.indptr.size(); ++r) {
        const auto [begin, end] = node.entries(static_cast<std::int64_t>(r));
        if (std::adjacent_find(node.to.begin() + static_cast<std::ptrdiff_t>(begin),
                               node.to.begin() + static_cast<std::ptrdiff_t>(end),
                               std::greater_equal<>()) !=
            node.to.begin() + static_cast<std::ptrdiff_t>(end))
            return false;
    }
    return true;
}

inline bool is_small(const RolloutPlan& plan) {
    const ForwardProgram& program = *plan.program;
    if (plan.policy != PolicyType::table || plan.resolved.size() != 1) return false;
    const Stage& stage = plan.stages[0];
    const AxisLayout& layout = program.layouts[0];
    if (stage.first != 0 || num_states(layout) > (1 << 16)) return false;
    if (program.num_draws < 1 || program.num_draws > small::max_axes) return false;
    std::vector<bool> drawn(program.num_slots);
    bool behind = false;
    for (std::size_t n = stage.last; n < program.nodes.size(); ++n) {
        const ForwardNode& node = program.nodes[n];
        behind = behind || node.type == NodeType::cost;
        if (node.type == NodeType::cost) continue;
        if (behind || !draws_one_axis(node)) return false;
        const auto slot = static_cast<std::size_t>(node.writes[0]);
        if (drawn[slot]) return false;
        drawn[slot] = true;
    }
    for (std::size_t n = stage.last; n < program.layouts.size(); ++n)
        if (!same_layout(program.layouts[n], layout)) return false;
    for (const LiveAxis& axis : layout)
        if (drawn[static_cast<std::size_t>(axis.slot)] && axis.size > small::max_states)
            return false;
    const auto& costs = plan.resolved[0].costs;
    return std::none_of(costs.begin(), costs.end(), [](double c) { return std::isnan(c); });
}

/// thresholds[j * 16 + a]: that of the last entry of row a that leads to state j or before.
inline std::vector<std::uint32_t> columns(const ForwardNode& node, std::int32_t size) {
    std::vector<std::uint32_t> columns(static_cast<std::size_t>(16 * (size - 1)), never);
    for (std::size_t a = 0; a < static_cast<std::size_t>(size); ++a) {
        auto [entry, end] = node.entries(static_cast<std::int64_t>(a));
        std::uint32_t reached = 0;
        for (std::int32_t j = 0; j + 1 < size; ++j) {
            while (entry < end && node.to[entry] <= j) reached = node.thresholds[entry++];
            columns[static_cast<std::size_t>(16 * j) + a] = reached;
        }
    }
    return columns;
}

inline void add_axis(SmallPlan& small, const ResolvedStage& stage, const ForwardNode& node) {
    const auto size = small.rows.size();
    std::uint32_t stride = 1;
    std::size_t at = small.layout.size() - 1;
    while (small.layout[at].slot != node.writes[0])
        stride *= static_cast<std::uint32_t>(small.layout[at--].size);
    const std::int32_t i = small.program.num_axes++;
    small.thresholds[i] = columns(node, small.layout[at].size);
    small.program.axes[i] = {small.thresholds[i].data(), small.layout[at].size - 1, stride,
                             static_cast<std::uint32_t>(8 * i)};
    for (std::size_t s = 0; s < size; ++s) {
        const auto row = static_cast<std::uint32_t>(stage.post[at * size + s]);
        small.rows[s] |= row << (8 * i);
        small.rest[s] -= row * stride;
    }
}

/// Costs [states] of a node behind the draws.
inline std::vector<double> values_of(const ForwardProgram& program, const ForwardNode& node) {
    std::vector<double> values(static_cast<std::size_t>(num_states(program.layouts[0])));
    std::vector<std::int32_t> coords(program.num_slots);
    for (std::size_t s = 0; s < values.size(); ++s) {
        unflatten(program.layouts[0], static_cast<std::int64_t>(s), coords.data());
        values[s] = node.costs[0].values[static_cast<std::size_t>(node.row(coords.data()))];
    }
    return values;
}

/// Add the terms of a kind: its stage costs, then each node behind. False if they are too many.
inline bool add_terms(SmallPlan& small, const RolloutPlan& plan, std::size_t kind) {
    const ForwardProgram& program = *plan.program;
    const auto size = static_cast<std::ptrdiff_t>(small.rows.size());
    const auto begin = plan.resolved[0].costs.begin() + static_cast<std::ptrdiff_t>(kind) * size;
    std::vector<std::pair<std::vector<double>, bool>> terms;
    if (std::any_of(begin, begin + size, [](double c) { return c != 0.0; }))
        terms.emplace_back(std::vector<double>(begin, begin + size), false);
    for (std::size_t n = plan.stages[0].last; n < program.nodes.size(); ++n) {
        const ForwardNode& node = program.nodes[n];
        if (node.type == NodeType::cost && node.costs[0].kind == static_cast<std::int32_t>(kind))
            terms.emplace_back(values_of(program, node), true);
    }
    if (small.values.size() + terms.size() > small::max_terms) return false;
    for (auto& [values, behind] : terms) {
        small.values.push_back(std::move(values));
        small.program.terms[small.program.num_terms++] = {small.values.back().data(), behind,
                                                          false};
    }
    if (terms.empty()) return true;
    small.program.terms[small.program.num_terms - 1].ends_kind = true;
    small.kinds.push_back(kind);
    return true;
}

}  // namespace detail

/// Compile `plan` for the 16-lane kernels; false where only the general path will do.
inline bool compile_small(const RolloutPlan& plan, SmallPlan& small) {
    if (!detail::is_small(plan)) return false;
    const ForwardProgram& program = *plan.program;
    const ResolvedStage& stage = plan.resolved[0];
    small.layout = program.layouts[0];
    const auto size = static_cast<std::size_t>(num_states(small.layout));
    small.rows.assign(size, 0);
    small.rest.assign(size, 0);
    std::vector<std::int32_t> coords(program.num_slots);
    for (std::size_t s = 0; s < size; ++s) {
        for (std::size_t a = 0; a < small.layout.size(); ++a)
            coords[static_cast<std::size_t>(small.layout[a].slot)] = stage.post[a * size + s];
        small.rest[s] = static_cast<std::uint32_t>(flatten(small.layout, coords.data()));
    }
    for (std::size_t n = plan.stages[0].last; n < program.nodes.size(); ++n)
        if (program.nodes[n].type == NodeType::chance)
            detail::add_axis(small, stage, program.nodes[n]);
    for (std::size_t k = 0; k < program.num_kinds; ++k)
        if (!detail::add_terms(small, plan, k)) return false;
    small.program.rows = small.rows.data();
    const bool rests = std::any_of(small.rest.begin(), small.rest.end(), [](auto r) { return r; });
    small.program.rest = rests ? small.rest.data() : nullptr;
    return true;
}

/// The widest kernel this processor runs.
small::Kernel small_kernel();

/// As `rollout`, 16 replications at a time; a SmallPlan cannot fail.
void rollout_small(const SmallPlan& small, small::Kernel kernel, const RolloutRange& range,
                   std::span<std::int32_t> states, std::span<double> totals,
                   std::size_t num_replications, std::size_t num_kinds);

}  // namespace sparing
