#include <pybind11/stl.h>

#include <algorithm>

#include "bindings.hpp"
#include "sparing/crew_limits.hpp"
#include "sparing/crew_lookahead.hpp"

using namespace py::literals;
using sparing::CrewRule;
using sparing::CrewSystem;

namespace {

template <class T>
std::vector<T> copied(const Array<T>& a) {
    return {a.data(), a.data() + a.size()};
}

using Type = std::pair<Array<std::int32_t>, Array<double>>;  // members, cost [S, S]
using Group = std::tuple<std::size_t, std::vector<std::size_t>, std::vector<std::size_t>>;

CrewSystem make_system(const std::vector<Type>& types, const std::vector<Group>& groups,
                       double setup_cost, bool restore_when_down) {
    CrewSystem system;
    system.offsets.push_back(0);
    for (const auto& [members, cost] : types) {
        const auto size = static_cast<std::size_t>(cost.shape(0));
        system.types.push_back({size, copied(members), copied(cost)});
        system.offsets.push_back(system.offsets.back() + size);
    }
    for (const auto& [required, parts, inner] : groups)
        system.groups.push_back({required, parts, inner});
    system.setup_cost = setup_cost;
    system.restore_when_down = restore_when_down;
    return system;
}

/// Call work(first, count) for parts of [0, lanes); each lane is by itself.
template <class Work>
void in_parts(std::size_t lanes, int num_threads, const Work& work) {
    constexpr std::size_t part = 16;
    const auto parts = static_cast<std::int64_t>((lanes + part - 1) / part);
#pragma omp parallel for num_threads(num_threads) schedule(dynamic)
    for (std::int64_t p = 0; p < parts; ++p) {
        const std::size_t first = static_cast<std::size_t>(p) * part;
        work(first, std::min(part, lanes - first));
    }
}

}  // namespace

void bind_crew_rules(py::module_& m) {
    py::class_<CrewSystem>(m, "CrewSystem")
        .def(py::init(&make_system), "types"_a, "groups"_a, "setup_cost"_a, "restore_when_down"_a);
    py::class_<CrewRule>(m, "CrewRule")
        .def(
            "decide",
            [](const CrewRule& rule, const Array<std::int32_t>& states, Array<std::int32_t>& post,
               int num_threads) {
                const auto from = in(states);
                const auto to = out(post);
                const std::size_t width = rule.num_components();
                const py::gil_scoped_release release;
                in_parts(from.size() / width, num_threads, [&](std::size_t l, std::size_t count) {
                    rule.decide(from.data() + l * width, to.data() + l * width, count);
                });
            },
            "states"_a.noconvert(), "post"_a.noconvert(), "num_threads"_a);
    py::class_<sparing::LimitRule, CrewRule>(m, "LimitRule")
        .def(py::init([](const CrewSystem& system, const std::vector<std::int32_t>& renew,
                         const std::vector<std::int32_t>& call, std::int64_t callers) {
                 return new sparing::LimitRule(system, {renew, call, callers});
             }),
             "system"_a, "renew"_a, "call"_a, "callers"_a);
    using Outlooks = std::vector<std::pair<double, Array<double>>>;
    py::class_<sparing::LookaheadRule, CrewRule>(m, "LookaheadRule")
        .def(py::init([](const CrewSystem& system, const Array<double>& value,
                         const Outlooks& outlooks) {
                 std::vector<sparing::Outlook> given;
                 for (const auto& [price, working] : outlooks)
                     given.push_back({price, copied(working)});
                 return new sparing::LookaheadRule(system, copied(value), std::move(given));
             }),
             "system"_a, "value"_a.noconvert(), "outlooks"_a)
        .def(
            "chance_down",
            [](const sparing::LookaheadRule& rule, const Array<std::int32_t>& post,
               Array<double>& down, int num_threads) {
                const auto from = in(post);
                const auto to = out(down);
                const std::size_t width = rule.num_components();
                const py::gil_scoped_release release;
                in_parts(to.size(), num_threads, [&](std::size_t l, std::size_t count) {
                    rule.chance_down(from.data() + l * width, to.data() + l, count);
                });
            },
            "post"_a.noconvert(), "down"_a.noconvert(), "num_threads"_a);
}
