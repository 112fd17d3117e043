#include "sparing/separable.hpp"

#include <pybind11/stl.h>

#include <cstring>
#include <string>
#include <tuple>

#include "bindings.hpp"

using namespace pybind11::literals;

namespace {

using Table = std::optional<Array<double>>;
using Term = std::tuple<std::vector<std::size_t>, std::vector<std::optional<Array<std::int32_t>>>,
                        Array<double>>;

template <class T>
std::vector<T> copy(const std::optional<Array<T>>& a) {
    return a ? std::vector<T>(a->data(), a->data() + a->size()) : std::vector<T>{};
}
std::vector<std::vector<double>> tables(const std::vector<Table>& from) {
    std::vector<std::vector<double>> out;
    for (const Table& table : from) out.push_back(copy(table));
    return out;
}
std::vector<sparing::CostTerm> terms(const std::vector<Term>& from) {
    std::vector<sparing::CostTerm> out;
    for (const auto& [axes, groups, values] : from) {
        sparing::CostTerm term{axes, {}, {}, copy(std::optional(values))};
        for (const auto& group : groups) term.groups.push_back(copy(group));
        for (py::ssize_t k = 0; k < values.ndim(); ++k)
            term.counts.push_back(static_cast<std::size_t>(values.shape(k)));
        out.push_back(std::move(term));
    }
    return out;
}

template <class T>
auto make(std::vector<std::size_t> sizes, const std::vector<Table>& chance,
          const std::vector<Table>& decision, double discount, std::optional<double> branch_cost,
          const std::vector<Term>& start, const std::vector<Term>& post,
          const std::vector<Term>& next, const std::vector<Term>& keep) {
    const sparing::SeparableProblem problem{std::move(sizes), tables(chance), tables(decision),
                                            discount,         branch_cost,    terms(start),
                                            terms(post),      terms(next),    terms(keep)};
    const py::gil_scoped_release release;
    return std::make_unique<sparing::SeparableSweep<T>>(problem);
}

template <class T>
void bind_sweep(py::module_& m, const char* name) {
    using Sweep = sparing::SeparableSweep<T>;
    // A plain metaclass, as stubs cannot name that of pybind11.
    const py::metaclass plain(reinterpret_cast<PyObject*>(&PyType_Type));
    py::class_<Sweep>(m, name, plain, R"(Value iteration on a separable epoch (see separable.hpp).

One sweep on a value tensor V over square single-axis tables:
    W  = post + E_1 ... E_N (discount V + next)
    TV = start + min(W + keep, branch_cost + D_1 ... D_N W), or start + D_1 ... D_N W.

Restrictions: 1 <= axes; 1 <= size of an axis <= 64 (fast up to 10); fewer than 2**32 states;
tables square and C-ordered, rows of `chance` finite, `decision` finite or +inf; only `keep` may
hold +inf; TV finite in every state. A cost term is (axes, groups, values): per axis the group of
each state or None, and one value per combination of groups, values.ndim == len(axes).)")
        .def(py::init(&make<T>), "sizes"_a, "chance"_a, "decision"_a, "discount"_a, "branch_cost"_a,
             "start"_a, "post"_a, "next"_a, "keep"_a)
        .def_property_readonly("state",
                               [](py::object self) {
                                   auto& sweep = self.cast<Sweep&>();
                                   const auto state = sweep.state();
                                   return py::array_t<T>(sweep.sizes(), state.data(), self);
                               })
        .def_readwrite("num_threads", &Sweep::num_threads)
        .def(
            "load",
            [](Sweep& self, const std::optional<Array<T>>& value) {
                const T* const v = value ? value->data() : nullptr;
                const py::gil_scoped_release release;
                self.load(v);
            },
            "value"_a.noconvert())
        .def(
            "advance",
            [](Sweep& self, std::size_t max_sweeps, double span_tol, double shift, bool relative,
               double extra) {
                sparing::Progress found;
                {
                    const py::gil_scoped_release release;
                    found = self.advance(max_sweeps, span_tol, shift, relative, extra);
                }
                return py::make_tuple(
                    py::array_t<double>(static_cast<py::ssize_t>(found.lower.size()),
                                        found.lower.data()),
                    py::array_t<double>(static_cast<py::ssize_t>(found.upper.size()),
                                        found.upper.data()),
                    found.shift);
            },
            "max_sweeps"_a, "span_tol"_a, "shift"_a, "relative"_a, "extra"_a = 0.0)
        .def(
            "certify",
            [](Sweep& self, std::optional<Array<std::uint32_t>> policy,
               std::optional<Array<T>> value, std::size_t probe, double shift) {
                std::uint32_t* const p = policy ? policy->mutable_data() : nullptr;
                T* const v = value ? value->mutable_data() : nullptr;
                sparing::Certificate found;
                {
                    const py::gil_scoped_release release;
                    found = self.certify(p, v, probe, shift);
                }
                return py::make_tuple(found.lower, found.upper, found.probe_value, found.rounding);
            },
            "policy"_a.noconvert(), "value"_a.noconvert(), "probe"_a = 0, "shift"_a = 0.0)
        .def(
            "finish",
            [](Sweep& self, Array<T>& result, double shift) {
                T* const r = result.mutable_data();
                const py::gil_scoped_release release;
                self.finish(r, shift);
            },
            "out"_a.noconvert(), "shift"_a)
        .def(
            "backup",
            [](Sweep& self, const Array<T>& value, Array<T>& result) {
                const T* const v = value.data();
                T* const r = result.mutable_data();
                const py::gil_scoped_release release;
                self.backup(v, r);
            },
            "value"_a.noconvert(), "out"_a.noconvert())
        .def_static(
            "bytes_needed",
            [](const std::vector<std::size_t>& sizes, std::size_t itemsize) {
                return sparing::separable_bytes(sizes, itemsize);
            },
            "sizes"_a, "itemsize"_a);
}

}  // namespace

void bind_separable(py::module_& m) {
    bind_sweep<float>(m, "SeparableSweep32");
    bind_sweep<double>(m, "SeparableSweep64");
    m.def("separable_instruction_set",
          [] { return std::string(sparing::separable_kernels<double>().name); });
    m.def(
        "parallel_copy",
        [](const Array<double>& source, Array<double>& target, int num_threads) {
            const auto from = in(source);
            const auto to = out(target);
            const py::gil_scoped_release release;
            const auto n = static_cast<std::ptrdiff_t>(from.size());
#pragma omp parallel for num_threads(num_threads) schedule(static)
            for (int k = 0; k < num_threads; ++k) {
                const std::ptrdiff_t begin = n * k / num_threads, end = n * (k + 1) / num_threads;
                std::memcpy(to.data() + begin, from.data() + begin,
                            static_cast<std::size_t>(end - begin) * sizeof(double));
            }
        },
        "source"_a.noconvert(), "target"_a.noconvert(), "num_threads"_a);
}
