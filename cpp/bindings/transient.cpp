#include "sparing/transient.hpp"

#include <cstdint>

#include "bindings.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;

void bind_transient(py::module_& m) {
    m.def(
        "count_reachable",
        [](const I64& indptr, const I32& to, const F64& rate, I64& lengths, int num_threads) {
            const sparing::ForwardChain chain{in(indptr), in(to), in(rate)};
            const auto l = out(lengths);
            const py::gil_scoped_release release;
            sparing::count_reachable(chain, l, num_threads);
        },
        "indptr"_a.noconvert(), "to"_a.noconvert(), "rate"_a.noconvert(), "lengths"_a.noconvert(),
        "num_threads"_a);
    m.def(
        "transient_rows",
        [](const I64& indptr, const I32& to, const F64& rate, double time, double mark_rate,
           double tolerance, const I64& row_indptr, I32& row_to, F64& early, F64& marked,
           F64& time_early, F64& time_marked, int num_threads) {
            const sparing::ForwardChain chain{in(indptr), in(to), in(rate)};
            const sparing::TransientRows rows{in(row_indptr), out(row_to),     out(early),
                                              out(marked),    out(time_early), out(time_marked)};
            sparing::TransientError found;
            {
                const py::gil_scoped_release release;
                found =
                    sparing::transient_rows(chain, time, mark_rate, tolerance, rows, num_threads);
            }
            return py::make_tuple(found.num_steps, found.missing_mass, found.missing_time,
                                  found.rounding);
        },
        "indptr"_a.noconvert(), "to"_a.noconvert(), "rate"_a.noconvert(), "time"_a, "mark_rate"_a,
        "tolerance"_a, "row_indptr"_a.noconvert(), "row_to"_a.noconvert(), "early"_a.noconvert(),
        "marked"_a.noconvert(), "time_early"_a.noconvert(), "time_marked"_a.noconvert(),
        "num_threads"_a);
}
