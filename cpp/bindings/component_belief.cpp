#include "sparing/component_belief.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "bindings.hpp"
#include "sparing/component_rollout.hpp"
#include "sparing/component_sweep.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F32 = Array<float>;
using F64 = Array<double>;
using Flags = Array<unsigned char>;

namespace {

sparing::HiddenComponent component_of(const F64& transition, const F64& success, const F64& cost,
                                      const F64& channel) {
    return {transition.shape(0), success.size(), channel.shape(2), in(transition),
            in(success),         in(cost),       in(channel)};
}

/// A system with the arrays that its spans look into.
struct BeliefSystemHandle {
    std::vector<py::object> arrays;
    Flags works;
    sparing::BeliefSystem system;
    int num_threads;

    BeliefSystemHandle(const Flags& given, double downtime_cost, double discount, int threads)
        : works{given}, system{{}, in(works), downtime_cost, discount}, num_threads{threads} {}

    void add_axis(const F64& transition, const F64& success, const F64& cost, const F64& channel,
                  const I32& simplices, const F64& inverse, std::int64_t stride, const I64& indptr,
                  const I32& to, const F64& weight) {
        const auto c = component_of(transition, success, cost, channel);
        system.axes.push_back({c,
                               {c.num_states - 1, in(simplices), in(inverse)},
                               stride,
                               in(indptr),
                               in(to),
                               in(weight)});
        for (const py::object& array :
             {py::object(transition), py::object(success), py::object(cost), py::object(channel),
              py::object(simplices), py::object(inverse), py::object(indptr), py::object(to),
              py::object(weight)})
            arrays.push_back(array);
    }

    void greedy(const F32& now, const F32& next, const F64& beliefs, F64& least, F64& value,
                I32& options) const {
        const auto v = in(now), n = in(next);
        const auto b = in(beliefs);
        const auto l = out(least), u = out(value);
        const auto o = out(options);
        const py::gil_scoped_release release;
        sparing::greedy_beliefs(system, v, n, b, l, u, o, num_threads);
    }

    void rollout(const F32& values, std::int64_t tensor, std::int64_t periods, std::uint64_t seed,
                 std::int64_t first_episode, std::int64_t recorded, F64& estimate, F64& cost,
                 F64& loss, F64& belief) const {
        const sparing::BeliefRollout asked{in(values),    tensor,     periods,       seed,
                                           first_episode, recorded,   out(estimate), out(cost),
                                           out(loss),     out(belief)};
        const py::gil_scoped_release release;
        sparing::roll_beliefs_out(system, asked, num_threads);
    }
};

void bind_sweep(py::module_& m) {
    m.def(
        "belief_sweep",
        [](const std::vector<std::tuple<I64, I32, F64, F64>>& axes, double discount,
           const F64& following, F64& value, F64& work, int num_threads) {
            std::vector<sparing::OptionRows<double>> rows;
            for (const auto& [indptr, to, weight, cost] : axes)
                rows.push_back({(indptr.size() - 1) / cost.size(), cost.size(), indptr.data(),
                                to.data(), weight.data(), cost.data()});
            const auto f = in(following);
            const auto v = out(value), w = out(work);
            const py::gil_scoped_release release;
            sparing::belief_sweep<double>(rows, static_cast<double>(discount), f, v, w,
                                          num_threads);
        },
        "axes"_a, "discount"_a, "following"_a.noconvert(), "value"_a.noconvert(),
        "work"_a.noconvert(), "num_threads"_a);
}

}  // namespace

void bind_component_belief(py::module_& m) {
    m.def(
        "filter_beliefs",
        [](const F64& transition, const F64& success, const F64& cost, const F64& channel,
           const F64& belief, const I32& option, const I32& observation, F64& next, F64& chance,
           int num_threads) {
            const auto c = component_of(transition, success, cost, channel);
            const auto b = in(belief);
            const auto a = in(option), o = in(observation);
            const auto n = out(next), p = out(chance);
            const py::gil_scoped_release release;
            sparing::filter_beliefs(c, b, a, o, n, p, num_threads);
        },
        "transition"_a.noconvert(), "success"_a.noconvert(), "cost"_a.noconvert(),
        "channel"_a.noconvert(), "belief"_a.noconvert(), "option"_a.noconvert(),
        "observation"_a.noconvert(), "next"_a.noconvert(), "chance"_a.noconvert(), "num_threads"_a);
    m.def(
        "locate_beliefs",
        [](const I32& simplices, const F64& inverse, const F64& beliefs, I32& to, F64& weight) {
            const auto corners = static_cast<std::size_t>(simplices.shape(1));
            const sparing::BeliefPoints points{simplices.shape(1), in(simplices), in(inverse)};
            const auto b = in(beliefs);
            const auto t = out(to);
            const auto w = out(weight);
            const py::gil_scoped_release release;
            for (std::size_t r = 0; r < b.size() / corners; ++r)
                sparing::locate(points, b.subspan(r * corners, corners),
                                t.subspan(r * corners, corners), w.subspan(r * corners, corners));
        },
        "simplices"_a.noconvert(), "inverse"_a.noconvert(), "beliefs"_a.noconvert(),
        "to"_a.noconvert(), "weight"_a.noconvert());
    bind_sweep(m);
    m.attr("BELIEF_LANES") = sparing::kBeliefLanes;
    py::class_<BeliefSystemHandle>(m, "BeliefSystem")
        .def(py::init<const Flags&, double, double, int>(), "works"_a.noconvert(),
             "downtime_cost"_a, "discount"_a, "num_threads"_a)
        .def("add_axis", &BeliefSystemHandle::add_axis, "transition"_a.noconvert(),
             "success"_a.noconvert(), "cost"_a.noconvert(), "channel"_a.noconvert(),
             "simplices"_a.noconvert(), "inverse"_a.noconvert(), "stride"_a, "indptr"_a.noconvert(),
             "to"_a.noconvert(), "weight"_a.noconvert())
        .def("greedy", &BeliefSystemHandle::greedy, "now"_a.noconvert(), "next"_a.noconvert(),
             "beliefs"_a.noconvert(), "least"_a.noconvert(), "value"_a.noconvert(),
             "options"_a.noconvert())
        .def("rollout", &BeliefSystemHandle::rollout, "values"_a.noconvert(), "tensor"_a,
             "periods"_a, "seed"_a, "first_episode"_a, "recorded"_a, "estimate"_a.noconvert(),
             "cost"_a.noconvert(), "loss"_a.noconvert(), "belief"_a.noconvert());
}
