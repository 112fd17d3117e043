#include "sparing/failure_step.hpp"

#include "bindings.hpp"

using namespace py::literals;
using F64 = Array<double>;

void bind_failure_step(py::module_& m) {
    m.def(
        "expect_failures",
        [](const F64& chance, const F64& value, const F64& paid, double emergency, F64& result,
           int num_threads) {
            const sparing::FailureLaw law{in(chance), static_cast<std::size_t>(chance.shape(0)),
                                          static_cast<std::size_t>(chance.shape(1)),
                                          static_cast<std::size_t>(chance.shape(2))};
            const auto v = in(value), c = in(paid);
            const auto o = out(result);
            const py::gil_scoped_release release;
            sparing::expect_failures(law, v, c, emergency, o, num_threads);
        },
        "chance"_a.noconvert(), "value"_a.noconvert(), "paid"_a.noconvert(), "emergency"_a,
        "result"_a.noconvert(), "num_threads"_a);
}
