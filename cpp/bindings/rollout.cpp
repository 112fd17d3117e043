#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "bindings.hpp"
#include "sparing/crew_system.hpp"
#include "sparing/rollout_small_plan.hpp"

using namespace py::literals;
using sparing::ForwardNode;
using sparing::ForwardProgram;
using sparing::NodeType;

/// A plan, and its small form where there is one; not copied, as kernels point into it.
struct RolloutPlan : sparing::RolloutPlan {
    std::unique_ptr<sparing::SmallPlan> small;
};

namespace {

template <class T>
std::vector<T> copied(const Array<T>& a) {
    return {a.data(), a.data() + a.size()};
}

using Reads = std::vector<std::tuple<std::int32_t, std::int64_t, Array<std::int64_t>>>;
using Costs = std::vector<std::pair<std::int32_t, Array<double>>>;

/// A program under construction: where the next node goes.
struct ProgramBuilder {
    ForwardProgram program;
    std::vector<ForwardNode>* open = nullptr;

    ForwardNode& add(NodeType type, const Reads& reads, const Costs& costs) {
        ForwardNode& node = (open ? *open : program.nodes).emplace_back();
        node.type = type;
        node.id = program.num_nodes++;
        for (const auto& [slot, stride, groups] : reads)
            node.reads.push_back({slot, stride, copied(groups)});
        for (const auto& [kind, values] : costs) node.costs.push_back({kind, copied(values)});
        return node;
    }
    void add_rows(bool decides, const Reads& reads, const Costs& costs,
                  const std::vector<std::int32_t>& writes, const Array<std::int64_t>& indptr,
                  const Array<std::int32_t>& to, const Array<std::uint32_t>& thresholds) {
        ForwardNode& node = add(decides ? NodeType::decision : NodeType::chance, reads, costs);
        node.writes = writes;
        node.indptr = copied(indptr);
        node.to = copied(to);
        node.thresholds = copied(thresholds);
        if (decides) node.draw = program.num_decisions++;
        if (!decides && !node.thresholds.empty()) node.draw = program.num_draws++;
    }
    void add_layout(const std::vector<std::pair<std::int32_t, std::int32_t>>& axes) {
        auto& layout = program.layouts.emplace_back();
        for (const auto& [slot, size] : axes) layout.push_back({slot, size});
    }
    void open_alternative() { open = &program.nodes.back().alternatives.emplace_back(); }
};

sparing::StageTable stage_table(const py::array& table) {
    if (py::isinstance<Array<std::uint32_t>>(table)) {
        return {in(py::reinterpret_borrow<Array<std::uint32_t>>(table)), {}};
    }
    return {{}, in(py::reinterpret_borrow<Array<std::int64_t>>(table))};
}

std::unique_ptr<RolloutPlan> make_plan(const ForwardProgram& program,
                                       const std::vector<double>& weights) {
    auto plan = std::make_unique<RolloutPlan>();
    plan->program = &program;
    plan->weighted = sparing::weigh(program, weights);
    for (const auto& [first, last] : program.stages)
        plan->stages.push_back(sparing::make_stage(program, first, last));
    return plan;
}

void use_tables(RolloutPlan& plan, const std::vector<py::array>& tables, bool resolve,
                int num_threads) {
    for (const auto& table : tables) plan.tables.push_back(stage_table(table));
    if (!resolve) return;
    const py::gil_scoped_release release;
    for (std::size_t s = 0; s < plan.stages.size(); ++s)
        plan.resolved.push_back(sparing::resolve_stage(*plan.program, plan.stages[s],
                                                       plan.tables[s], plan.weighted, num_threads));
    plan.small = std::make_unique<sparing::SmallPlan>();
    if (!sparing::compile_small(plan, *plan.small)) plan.small.reset();
}

void use_rules(RolloutPlan& plan,
               const std::vector<std::pair<std::size_t, Array<std::uint32_t>>>& rules) {
    plan.policy = sparing::PolicyType::rows;
    plan.rules.resize(plan.program->num_nodes);
    for (const auto& [id, thresholds] : rules) plan.rules[id] = copied(thresholds);
    plan.branches.resize(plan.program->nodes.size());
    for (std::size_t n = 0; n < plan.branches.size(); ++n)
        if (plan.program->nodes[n].type == NodeType::branch)
            plan.branches[n] = sparing::make_stage(*plan.program, n, n + 1);
}

/// `function(stage, states [B, axes]) -> post [B, axes]`, both int32; called with the GIL.
void use_callback(RolloutPlan& plan, const py::function& function) {
    plan.policy = sparing::PolicyType::callback;
    const auto* program = plan.program;
    plan.callback = [program, function](std::size_t stage, const std::int32_t* states,
                                        std::int32_t* post, std::size_t lanes) {
        const py::gil_scoped_acquire acquire;
        const auto [first, last] = program->stages[stage];
        const std::size_t from = program->layouts[first].size(), to = program->layouts[last].size();
        Array<std::int32_t> batch({lanes, from});
        std::copy_n(states, lanes * from, batch.mutable_data());
        const auto answer = function(stage, batch).cast<Array<std::int32_t>>();
        std::copy_n(answer.data(), lanes * to, post);
    };
}

/// Every stage is decided by the rule, in the threads of the rollout.
void use_rule(RolloutPlan& plan, const sparing::CrewRule& rule) {
    plan.policy = sparing::PolicyType::callback;
    plan.callback = [&rule](std::size_t, const std::int32_t* states, std::int32_t* post,
                            std::size_t lanes) { rule.decide(states, post, lanes); };
}

std::vector<sparing::Read> strided(const Reads& reads) {
    std::vector<sparing::Read> found;
    for (const auto& [slot, stride, groups] : reads) found.push_back({slot, stride, {}});
    return found;
}

/// Layers as (inputs, width, weight, bias, scale, offset), widths padded.
using Layer =
    std::tuple<std::size_t, std::size_t, Array<float>, Array<float>, Array<float>, Array<float>>;

void use_network(RolloutPlan& plan, bool joint, const Array<float>& rows,
                 const std::vector<Layer>& layers) {
    plan.policy = sparing::PolicyType::network;
    plan.network.joint = joint;
    plan.network.network.rows = copied(rows);
    for (const auto& [inputs, width, weight, bias, scale, offset] : layers)
        plan.network.network.layers.push_back(
            {inputs, width, copied(weight), copied(bias), copied(scale), copied(offset)});
    plan.network.points.resize(joint ? plan.stages.size() : plan.program->num_nodes);
}

using CountedParts = std::tuple<std::size_t, std::vector<std::size_t>, std::vector<std::size_t>>;

/// The network sees counts of components (slot, type, working, survival) of types, and margins of
/// nodes (required, components, nodes); points are (component or -1, sort of choice) by place.
void observe_counts(RolloutPlan& plan, std::size_t num_sorts, std::size_t num_states,
                    std::size_t exact_parts, const std::vector<float>& share,
                    const std::vector<std::tuple<std::int32_t, std::size_t, std::vector<float>,
                                                 std::vector<float>>>& components,
                    const std::vector<CountedParts>& nodes,
                    const std::vector<std::tuple<std::size_t, std::int32_t, std::size_t>>& points) {
    sparing::TypedCounts& counts = plan.network.counts.emplace();
    counts.num_sorts = num_sorts;
    counts.num_states = num_states;
    counts.exact_parts = exact_parts;
    counts.share = share;
    for (const auto& [slot, type, working, survival] : components)
        counts.components.push_back({slot, type, working, survival});
    for (const auto& [required, held, inner] : nodes)
        counts.nodes.push_back({required, held, inner});
    counts.points.resize(plan.network.points.size());
    for (const auto& [place, component, sort] : points) counts.points[place] = {component, sort};
}

using Checks = std::vector<std::vector<std::pair<Reads, Array<std::uint8_t>>>>;

void add_network_point(RolloutPlan& plan, std::size_t place, const Reads& reads,
                       const Array<std::int64_t>& indptr, const Array<std::int32_t>& choice,
                       const Array<std::int64_t>& entry, const Array<float>& base,
                       const std::vector<std::pair<std::int32_t, std::int32_t>>& lookups,
                       const Checks& checks, const Array<std::int32_t>& to,
                       const Array<double>& costs) {
    sparing::NetworkPoint& point = plan.network.points[place];
    point.reads = strided(reads);
    point.indptr = copied(indptr);
    point.choice = copied(choice);
    point.entry = copied(entry);
    point.base = copied(base);
    point.lookups = lookups;
    for (const auto& alternative : checks) {
        auto& needs = point.checks.emplace_back();
        for (const auto& [places, alive] : alternative)
            needs.push_back({strided(places), copied(alive)});
    }
    point.to = copied(to);
    point.costs = copied(costs);
}

sparing::small::Kernel kernel_named(const std::string& name) {
    if (name == "baseline") return sparing::small::roll_baseline;
#ifdef SPARING_HAS_avx2
    if (name == "avx2") return sparing::small::roll_avx2;
#endif
#ifdef SPARING_HAS_avx512
    if (name == "avx512") return sparing::small::roll_avx512;
#endif
    return sparing::small_kernel();
}

using Trouble = std::tuple<std::int64_t, std::int64_t, std::size_t, std::size_t,
                           std::vector<std::int32_t>, std::vector<std::int32_t>>;

std::optional<Trouble> run(const RolloutPlan& plan, Array<std::int32_t>& states,
                           Array<double>& totals, std::uint64_t seed, std::uint32_t first_epoch,
                           std::uint32_t num_epochs, std::uint32_t first_replication,
                           const Array<double>& epoch_weights, bool counted, std::size_t lanes,
                           int num_threads, const std::string& kernel) {
    const sparing::RolloutRange range{
        seed,    first_epoch, num_epochs, first_replication, in(epoch_weights),
        counted, lanes,       num_threads};
    const auto x = out(states);
    const auto sums = out(totals);
    const auto replications = static_cast<std::size_t>(states.shape(0));
    const py::gil_scoped_release release;
    if (plan.small && kernel != "general") {
        sparing::rollout_small(*plan.small, kernel_named(kernel), range, x, sums, replications,
                               plan.program->num_kinds);
        return std::nullopt;
    }
    const auto found = sparing::rollout(plan, range, x, sums, replications);
    if (!found.failed) return std::nullopt;
    return Trouble{found.replication, found.epoch, found.first, found.last, found.from, found.goal};
}

/// Choice per node id of the cheapest path, or None; -1 off the path.
std::optional<std::vector<std::int64_t>> explain(const RolloutPlan& plan, std::size_t stage,
                                                 const std::vector<std::int32_t>& from,
                                                 const std::vector<std::int32_t>& goal) {
    const ForwardProgram& program = *plan.program;
    const auto [first, last] = program.stages[stage];
    std::vector<std::int32_t> x(program.num_slots), y(program.num_slots);
    for (std::size_t a = 0; a < from.size(); ++a)
        x[static_cast<std::size_t>(program.layouts[first][a].slot)] = from[a];
    for (std::size_t a = 0; a < goal.size(); ++a)
        y[static_cast<std::size_t>(program.layouts[last][a].slot)] = goal[a];
    sparing::PathFinder finder(program, plan.weighted);
    if (!finder.find(plan.stages[stage], x.data(), y.data())) return std::nullopt;
    std::vector<std::int64_t> choices(program.num_nodes, -1);
    for (std::size_t n = first; n < last; ++n) {
        const ForwardNode& node = program.nodes[n];
        const std::size_t taken = finder.choices()[node.id];
        choices[node.id] = static_cast<std::int64_t>(taken);
        if (node.type != NodeType::branch) continue;
        for (const ForwardNode& inner : node.alternatives[taken])
            choices[inner.id] = static_cast<std::int64_t>(finder.choices()[inner.id]);
    }
    return choices;
}

void bind_program(py::module_& m) {
    py::class_<ProgramBuilder>(m, "ForwardProgram")
        .def(py::init([](std::size_t num_slots, std::size_t num_kinds) {
                 ProgramBuilder builder;
                 builder.program.num_slots = num_slots;
                 builder.program.num_kinds = num_kinds;
                 return builder;
             }),
             "num_slots"_a, "num_kinds"_a)
        .def("add_layout", &ProgramBuilder::add_layout, "axes"_a)
        .def(
            "add_stage",
            [](ProgramBuilder& b, std::size_t first, std::size_t last) {
                b.program.stages.emplace_back(first, last);
            },
            "first"_a, "last"_a)
        .def(
            "add_cost",
            [](ProgramBuilder& b, const Reads& reads, const Costs& costs) {
                b.add(NodeType::cost, reads, costs);
            },
            "reads"_a, "costs"_a)
        .def("add_rows", &ProgramBuilder::add_rows, "decides"_a, "reads"_a, "costs"_a, "writes"_a,
             "indptr"_a.noconvert(), "to"_a.noconvert(), "thresholds"_a.noconvert())
        .def(
            "add_branch",
            [](ProgramBuilder& b, const Costs& costs) { b.add(NodeType::branch, {}, costs); },
            "costs"_a)
        .def("open_alternative", &ProgramBuilder::open_alternative)
        .def("close_branch", [](ProgramBuilder& b) { b.open = nullptr; });
}

}  // namespace

void bind_rollout(py::module_& m) {
    bind_program(m);
    py::class_<RolloutPlan>(m, "RolloutPlan")
        .def(py::init([](const ProgramBuilder& builder, const std::vector<double>& weights) {
                 return make_plan(builder.program, weights);
             }),
             "program"_a, "weights"_a, py::keep_alive<1, 2>())
        .def("use_tables", &use_tables, "tables"_a, "resolve"_a, "num_threads"_a,
             py::keep_alive<1, 2>())
        .def("use_rules", &use_rules, "rules"_a)
        .def("use_callback", &use_callback, "function"_a)
        .def("use_rule", &use_rule, "rule"_a, py::keep_alive<1, 2>())
        .def("use_network", &use_network, "joint"_a, "rows"_a.noconvert(), "layers"_a)
        .def("observe_counts", &observe_counts, "num_sorts"_a, "num_states"_a, "exact_parts"_a,
             "share"_a, "components"_a, "nodes"_a, "points"_a)
        .def("add_network_point", &add_network_point, "place"_a, "reads"_a, "indptr"_a.noconvert(),
             "choice"_a.noconvert(), "entry"_a.noconvert(), "base"_a.noconvert(), "lookups"_a,
             "checks"_a, "to"_a.noconvert(), "costs"_a.noconvert())
        .def("run", &run, "states"_a.noconvert(), "totals"_a.noconvert(), "seed"_a, "first_epoch"_a,
             "num_epochs"_a, "first_replication"_a, "epoch_weights"_a.noconvert(), "counted"_a,
             "lanes"_a, "num_threads"_a, "kernel"_a)
        .def_property_readonly("is_small",
                               [](const RolloutPlan& plan) { return plan.small != nullptr; })
        .def("explain", &explain, "stage"_a, "from_state"_a, "goal"_a)
        .def(
            "pair_costs",
            [](const RolloutPlan& plan, std::size_t stage, const Array<std::int64_t>& states,
               const py::array& posts, Array<double>& costs, int num_threads) {
                const auto from = in(states);
                const auto goals = stage_table(posts);
                const auto c = out(costs);
                const py::gil_scoped_release release;
                sparing::pair_costs(*plan.program, plan.stages[stage], from, goals, plan.weighted,
                                    c, num_threads);
            },
            "stage"_a, "states"_a.noconvert(), "posts"_a.noconvert(), "costs"_a.noconvert(),
            "num_threads"_a);
    m.def("philox4x32", &sparing::philox4x32, "counter"_a, "key"_a);
}
