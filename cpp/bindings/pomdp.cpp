#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "bindings.hpp"
#include "sparing/pomdp_file.hpp"
#include "sparing/pomdp_rollout.hpp"
#include "sparing/pomdp_search.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;
namespace pomdp = sparing::pomdp;

namespace {

/// Hands a vector over to NumPy, without a copy.
template <class T>
py::array_t<T> array(std::vector<T>&& values) {
    auto* const held = new std::vector<T>(std::move(values));
    const py::capsule owner(held, [](void* p) { delete static_cast<std::vector<T>*>(p); });
    return py::array_t<T>(static_cast<py::ssize_t>(held->size()), held->data(), owner);
}

py::dict read_file(const py::buffer& data, double tolerance, std::uint64_t max_entries) {
    const py::buffer_info info = data.request();
    pomdp::File file;
    {
        const py::gil_scoped_release release;
        const std::string_view text(static_cast<const char*>(info.ptr),
                                    static_cast<std::size_t>(info.size * info.itemsize));
        try {
            file = pomdp::read(text, tolerance, max_entries);
        } catch (const pomdp::SyntaxError& error) {
            throw py::value_error(error.what());
        } catch (const pomdp::TooLarge& error) {
            const py::gil_scoped_acquire acquire;
            PyErr_SetString(PyExc_MemoryError, error.what());
            throw py::error_already_set();
        }
    }
    py::dict out;
    out["discount"] = file.discount;
    out["is_reward"] = file.is_reward;
    out["num_states"] = file.states.size();
    out["num_actions"] = file.actions.size();
    out["num_observations"] = file.observations.size();
    out["states"] = file.named[0] ? py::cast(file.states) : py::none();
    out["actions"] = file.named[1] ? py::cast(file.actions) : py::none();
    out["observations"] = file.named[2] ? py::cast(file.observations) : py::none();
    out["start"] = array(std::move(file.start));
    out["value"] = array(std::move(file.value));
    out["row_error"] = file.row_error;
    out["transition"] = py::make_tuple(array(std::move(file.transition.indptr)),
                                       array(std::move(file.transition.column)),
                                       array(std::move(file.transition.probability)));
    out["observation"] = py::make_tuple(array(std::move(file.observation.indptr)),
                                        array(std::move(file.observation.column)),
                                        array(std::move(file.observation.probability)));
    return out;
}

pomdp::Model model_of(const I64& t_indptr, const I32& t_column, const F64& t_prob,
                      const I64& o_indptr, const I32& o_column, const F64& o_prob,
                      const F64& reward, const F64& start, std::int64_t num_actions,
                      std::int64_t num_observations, double discount) {
    return {start.size(),
            num_actions,
            num_observations,
            discount,
            {in(t_indptr), in(t_column), in(t_prob)},
            {in(o_indptr), in(o_column), in(o_prob)},
            in(reward),
            in(start),
            {},
            {}};
}

std::unique_ptr<pomdp::Search> search(const I64& t_indptr, const I32& t_column, const F64& t_prob,
                                      const I64& o_indptr, const I32& o_column, const F64& o_prob,
                                      const F64& reward, const F64& start, const F64& floor,
                                      const F64& ceiling, std::int64_t num_actions,
                                      std::int64_t num_observations, double discount,
                                      bool improve_lower, bool improve_upper,
                                      double initial_tolerance, std::int64_t memory_limit,
                                      int num_threads) {
    pomdp::Model model = model_of(t_indptr, t_column, t_prob, o_indptr, o_column, o_prob, reward,
                                  start, num_actions, num_observations, discount);
    model.floor = in(floor);
    model.ceiling = in(ceiling);
    pomdp::SearchOptions options;
    options.improve_lower = improve_lower;
    options.improve_upper = improve_upper;
    options.initial_tolerance = initial_tolerance;
    options.memory_limit = memory_limit;
    options.num_threads = num_threads;
    const py::gil_scoped_release release;
    return std::make_unique<pomdp::Search>(model, options);
}

py::tuple listed(const pomdp::Domains& domains) {
    py::list out;
    for (std::size_t d = 0; d < domains.size(); ++d)
        out.append(array(std::vector<std::int32_t>(domains[static_cast<std::int32_t>(d)].states)));
    return py::make_tuple(domains.start(), out);
}

/// Vectors [k, states of the domain], one action each.
template <class Holder>
void add_alphas(Holder& holder, std::int32_t domain, const I32& action, const F64& values) {
    const std::size_t n = holder.domains()[domain].states.size();
    const auto v = in(values);
    const auto a = in(action);
    for (std::size_t k = 0; k < a.size(); ++k) {
        const auto row = v.subspan(k * n, n);
        holder.add_alpha(domain, {row.begin(), row.end()}, a[k]);
    }
}

py::tuple alphas(const pomdp::Search& s, std::int32_t domain) {
    const auto& list = s.alphas(domain);
    std::vector<double> values;
    for (const auto& row : list.rows) values.insert(values.end(), row.begin(), row.end());
    return py::make_tuple(array(std::vector<std::int32_t>(list.action)), array(std::move(values)));
}

/// Points of a domain as sparse rows: indptr, place, weight, value.
py::tuple points(const pomdp::Search& s, std::int32_t domain) {
    const auto& list = s.points(domain);
    const auto n = static_cast<std::int64_t>(s.domains()[domain].states.size());
    std::vector<std::int64_t> indptr{0};
    std::vector<std::int32_t> place;
    std::vector<double> weight, value;
    for (std::int64_t i = 0; i < list.inverse.count(); ++i) {
        if (list.node[static_cast<std::size_t>(i)] < 0) continue;
        for (std::int64_t row = 0; row < n; ++row)
            if (list.inverse.at(i, row) < pomdp::kNever) {
                place.push_back(static_cast<std::int32_t>(row));
                weight.push_back(1.0 / list.inverse.at(i, row));
            }
        indptr.push_back(static_cast<std::int64_t>(place.size()));
        value.push_back(list.value[static_cast<std::size_t>(i)]);
    }
    return py::make_tuple(array(std::move(indptr)), array(std::move(place)),
                          array(std::move(weight)), array(std::move(value)));
}

}  // namespace

void bind_pomdp(py::module_& m) {
    m.def("read_pomdp", &read_file, "text"_a, "tolerance"_a, "max_entries"_a);
    using pomdp::Search;
    py::class_<Search>(m, "PomdpSearch")
        .def(py::init(&search), "transition_indptr"_a.noconvert(),
             "transition_column"_a.noconvert(), "transition_probability"_a.noconvert(),
             "observation_indptr"_a.noconvert(), "observation_column"_a.noconvert(),
             "observation_probability"_a.noconvert(), "reward"_a.noconvert(), "start"_a.noconvert(),
             "floor"_a.noconvert(), "ceiling"_a.noconvert(), "num_actions"_a, "num_observations"_a,
             "discount"_a, "improve_lower"_a, "improve_upper"_a, "initial_tolerance"_a,
             "memory_limit"_a, "num_threads"_a)
        .def("run", &Search::run, "seconds"_a, "max_trials"_a, "gap"_a,
             py::call_guard<py::gil_scoped_release>())
        .def("bounds", [](const Search& s) { return py::make_tuple(s.lower(), s.upper()); })
        .def("counts",
             [](const Search& s) {
                 return py::make_tuple(s.num_trials(), s.num_nodes(), s.num_alphas(),
                                       s.num_points(), s.num_bytes());
             })
        .def("is_full", &Search::is_full)
        .def("domains", [](const Search& s) { return listed(s.domains()); })
        .def("alphas", &alphas, "domain"_a)
        .def("points", &points, "domain"_a)
        .def(
            "add_alphas",
            [](Search& s, std::int32_t domain, const I32& action, const F64& values) {
                add_alphas(s, domain, action, values);
                s.refresh_start();
            },
            "domain"_a, "action"_a.noconvert(), "values"_a.noconvert())
        .def(
            "add_points",
            [](Search& s, std::int32_t domain, const I64& indptr, const I32& place,
               const F64& weight, const F64& value) {
                const auto rows = in(indptr);
                const auto p = in(place);
                const auto w = in(weight);
                const auto v = in(value);
                for (std::size_t k = 0; k < v.size(); ++k) {
                    const auto first = static_cast<std::size_t>(rows[k]);
                    const auto size = static_cast<std::size_t>(rows[k + 1]) - first;
                    s.add_point(domain, p.subspan(first, size), w.subspan(first, size), v[k]);
                }
                s.refresh_start();
            },
            "domain"_a, "indptr"_a.noconvert(), "place"_a.noconvert(), "weight"_a.noconvert(),
            "value"_a.noconvert());
    using pomdp::Rollout;
    py::class_<Rollout>(m, "PomdpRollout")
        .def(py::init([](const I64& t_indptr, const I32& t_column, const F64& t_prob,
                         const I64& o_indptr, const I32& o_column, const F64& o_prob,
                         const F64& reward, const F64& start, std::int64_t num_actions,
                         std::int64_t num_observations, double discount) {
                 const pomdp::Model model =
                     model_of(t_indptr, t_column, t_prob, o_indptr, o_column, o_prob, reward, start,
                              num_actions, num_observations, discount);
                 const py::gil_scoped_release release;
                 return std::make_unique<Rollout>(model);
             }),
             // The arrays are read, not copied: they live as long as the rollout.
             py::keep_alive<1, 2>(), py::keep_alive<1, 3>(), py::keep_alive<1, 4>(),
             py::keep_alive<1, 5>(), py::keep_alive<1, 6>(), py::keep_alive<1, 7>(),
             py::keep_alive<1, 8>(), py::keep_alive<1, 9>(), "transition_indptr"_a.noconvert(),
             "transition_column"_a.noconvert(), "transition_probability"_a.noconvert(),
             "observation_indptr"_a.noconvert(), "observation_column"_a.noconvert(),
             "observation_probability"_a.noconvert(), "reward"_a.noconvert(), "start"_a.noconvert(),
             "num_actions"_a, "num_observations"_a, "discount"_a)
        .def("domains", [](const Rollout& r) { return listed(r.domains()); })
        .def("add_alphas", &add_alphas<Rollout>, "domain"_a, "action"_a.noconvert(),
             "values"_a.noconvert())
        .def(
            "run",
            [](const Rollout& r, std::uint64_t seed, std::int64_t first, std::int64_t horizon,
               F64& totals, int num_threads) {
                const auto t = out(totals);
                const py::gil_scoped_release release;
                r.run(seed, first, horizon, t, num_threads);
            },
            "seed"_a, "first"_a, "horizon"_a, "totals"_a.noconvert(), "num_threads"_a);
}
