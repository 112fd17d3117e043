#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "forward_program.hpp"
#include "network.hpp"
#include "stage_path.hpp"

namespace sparing {

/// Post-decision state per stage-start state, in one of two widths.
struct StageTable {
    std::span<const std::uint32_t> narrow;
    std::span<const std::int64_t> wide;

    std::int64_t operator[](std::int64_t state) const {
        const auto s = static_cast<std::size_t>(state);
        return narrow.empty() ? wide[s] : std::int64_t{narrow[s]};
    }
};

/// A stage under a table, resolved for each state in advance: one load an epoch.
struct ResolvedStage {
    std::vector<std::int32_t> post;  // [end axes, states] coordinates
    std::vector<double> costs;       // [kinds, states]; NaN where the state has no path
};

enum class PolicyType { table, rows, callback, network };

/// Fills post [lanes, end axes] from states [lanes, start axes] of a stage.
using StageCallback = std::function<void(std::size_t stage, const std::int32_t* states,
                                         std::int32_t* post, std::size_t lanes)>;

/// A program and a policy for it: all that a rollout reads.
struct RolloutPlan {
    const ForwardProgram* program = nullptr;
    WeightedCosts weighted;  // which path is cheapest
    PolicyType policy = PolicyType::table;
    std::vector<Stage> stages;                      // the program's
    std::vector<StageTable> tables;                 // [stages]
    std::vector<ResolvedStage> resolved;            // [stages] or empty
    std::vector<Stage> branches;                    // by node position: the one branch as a stage
    std::vector<std::vector<std::uint32_t>> rules;  // by node id [entries]: thresholds
    StageCallback callback;
    NetworkPolicy network;
};

/// Why a rollout stopped: where, and the states that no path joins.
struct Failure {
    bool failed = false;
    std::int64_t replication = 0, epoch = 0;
    std::size_t first = 0, last = 0;  // nodes
    std::vector<std::int32_t> from, goal;
};

inline std::vector<std::int32_t> coordinates_on(const AxisLayout& layout,
                                                const std::int32_t* coords) {
    std::vector<std::int32_t> picked;
    for (const LiveAxis& axis : layout)
        picked.push_back(coords[static_cast<std::size_t>(axis.slot)]);
    return picked;
}

/// costs [kinds, pairs] of the cheapest paths of a stage from states[p] to goals[p]; NaN where
/// there is no path. Empty `states` stands for all of them in order. Pairs are handled each on its
/// own, so the result does not depend on the number of threads.
inline void pair_costs(const ForwardProgram& program, const Stage& stage,
                       std::span<const std::int64_t> states, const StageTable& goals,
                       const WeightedCosts& weighted, std::span<double> costs, int num_threads) {
    const AxisLayout &start = program.layouts[stage.first], &end = program.layouts[stage.last];
    const auto step = costs.size() / std::max<std::size_t>(1, program.num_kinds);
    const auto size = static_cast<std::int64_t>(step);
    const std::int64_t num_goals = num_states(end);
#pragma omp parallel num_threads(num_threads)
    {
        PathFinder finder(program, weighted);
        std::vector<std::int32_t> x(program.num_slots), y(program.num_slots);
#pragma omp for schedule(static)
        for (std::int64_t s = 0; s < size; ++s) {
            const std::int64_t goal = goals[s];
            unflatten(start, states.empty() ? s : states[static_cast<std::size_t>(s)], x.data());
            bool found = goal >= 0 && goal < num_goals;
            if (found) {
                unflatten(end, goal, y.data());
                found = finder.find(stage, x.data(), y.data());
            }
            double* cost = costs.data() + s;
            for (std::size_t k = 0; k < program.num_kinds; ++k)
                cost[k * step] = found ? 0.0 : std::numeric_limits<double>::quiet_NaN();
            if (found) finder.add_costs(cost, step);
        }
    }
}

/// Resolve a small stage for every state; a state without a path gets NaN costs and stays at 0.
inline ResolvedStage resolve_stage(const ForwardProgram& program, const Stage& stage,
                                   const StageTable& table, const WeightedCosts& weighted,
                                   int num_threads) {
    const AxisLayout& end = program.layouts[stage.last];
    const std::int64_t size = num_states(program.layouts[stage.first]), goals = num_states(end);
    const auto step = static_cast<std::size_t>(size);
    ResolvedStage resolved;
    resolved.costs.resize(program.num_kinds * step);
    resolved.post.resize(end.size() * step);
    pair_costs(program, stage, {}, table, weighted, resolved.costs, num_threads);
    std::vector<std::int32_t> y(program.num_slots);
    for (std::int64_t s = 0; s < size; ++s) {
        const std::int64_t goal = table[s];
        unflatten(end, goal >= 0 && goal < goals ? goal : 0, y.data());
        for (std::size_t a = 0; a < end.size(); ++a)
            resolved.post[a * step + static_cast<std::size_t>(s)] =
                y[static_cast<std::size_t>(end[a].slot)];
    }
    return resolved;
}

}  // namespace sparing
