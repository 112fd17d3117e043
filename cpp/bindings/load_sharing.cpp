#include "sparing/load_sharing.hpp"

#include <cstdint>

#include "bindings.hpp"

using namespace py::literals;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;

void bind_load_sharing(py::module_& m) {
    m.def(
        "simulate_load_sharing",
        [](std::int64_t size, std::int64_t conditions, std::int64_t required, const F64& rates,
           const F64& speed, double interval, double delivery_rate, double lead_time,
           bool fixed_grid, double step, std::int64_t clock_steps, std::int64_t lead_steps,
           const I64& keys, const I64& vectors, const I64& hand, const I64& on_order,
           const I64& stock_of, const I64& posts, std::int64_t capacity, std::uint64_t seed,
           double warm_up, double horizon, F64& totals, int num_threads) {
            const sparing::load_sharing::System system{
                size,         conditions,    required,  in(rates),   in(speed),
                interval,     delivery_rate, lead_time, fixed_grid,  step,
                clock_steps,  lead_steps,    in(keys),  in(vectors), in(hand),
                in(on_order), in(stock_of),  in(posts), capacity};
            const auto t = out(totals);
            const py::gil_scoped_release release;
            sparing::load_sharing::simulate(system, seed, warm_up, horizon, t, num_threads);
        },
        "size"_a, "conditions"_a, "required"_a, "rates"_a.noconvert(), "speed"_a.noconvert(),
        "interval"_a, "delivery_rate"_a, "lead_time"_a, "fixed_grid"_a, "step"_a, "clock_steps"_a,
        "lead_steps"_a, "keys"_a.noconvert(), "vectors"_a.noconvert(), "hand"_a.noconvert(),
        "on_order"_a.noconvert(), "stock_of"_a.noconvert(), "posts"_a.noconvert(), "capacity"_a,
        "seed"_a, "warm_up"_a, "horizon"_a, "totals"_a.noconvert(), "num_threads"_a);
}
