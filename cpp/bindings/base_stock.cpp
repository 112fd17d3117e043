#include "sparing/base_stock.hpp"

#include <cstdint>

#include "bindings.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using F64 = Array<double>;

namespace {

sparing::BaseStockNetwork network(const I32& supplier, const F64& own_mean, const F64& share,
                                  const I32& length, const I32& max_level, int resupply,
                                  int shortage) {
    return {in(supplier),
            in(own_mean),
            in(share),
            in(length),
            in(max_level),
            static_cast<sparing::Resupply>(resupply),
            static_cast<sparing::Shortage>(shortage)};
}

}  // namespace

void bind_base_stock(py::module_& m) {
    m.def(
        "base_stock_curves",
        [](const I32& supplier, const F64& own_mean, const F64& share, const I32& length,
           const I32& max_level, int resupply, int shortage, const F64& weight, bool convex,
           F64& curve, int num_threads) {
            const auto net =
                network(supplier, own_mean, share, length, max_level, resupply, shortage);
            const auto w = in(weight);
            const auto c = out(curve);
            const py::gil_scoped_release release;
            sparing::base_stock_curves(net, w, convex, c, num_threads);
        },
        "supplier"_a.noconvert(), "own_mean"_a.noconvert(), "share"_a.noconvert(),
        "length"_a.noconvert(), "max_level"_a.noconvert(), "resupply"_a, "shortage"_a,
        "weight"_a.noconvert(), "convex"_a, "curve"_a.noconvert(), "num_threads"_a);
    m.def(
        "cheapest_base_stocks",
        [](const I32& supplier, const F64& own_mean, const F64& share, const I32& length,
           const I32& max_level, int resupply, int shortage, const F64& price, const F64& holding,
           const F64& weight, I32& level, F64& cost, int num_threads) {
            const auto net =
                network(supplier, own_mean, share, length, max_level, resupply, shortage);
            const auto c = in(price), h = in(holding), w = in(weight);
            const auto s = out(level);
            const auto total = out(cost);
            const py::gil_scoped_release release;
            sparing::cheapest_base_stocks(net, c, h, w, s, total, num_threads);
        },
        "supplier"_a.noconvert(), "own_mean"_a.noconvert(), "share"_a.noconvert(),
        "length"_a.noconvert(), "max_level"_a.noconvert(), "resupply"_a, "shortage"_a,
        "price"_a.noconvert(), "holding"_a.noconvert(), "weight"_a.noconvert(),
        "level"_a.noconvert(), "cost"_a.noconvert(), "num_threads"_a);
    m.def(
        "measure_base_stocks",
        [](const I32& supplier, const F64& own_mean, const F64& share, const I32& length,
           const I32& max_level, int resupply, int shortage, const I32& level, F64& backorders,
           F64& on_hand, F64& ready, F64& fill, int num_threads) {
            const auto net =
                network(supplier, own_mean, share, length, max_level, resupply, shortage);
            const auto s = in(level);
            const sparing::BaseStockMeasures measures{out(backorders), out(on_hand), out(ready),
                                                      out(fill)};
            const py::gil_scoped_release release;
            sparing::measure_base_stocks(net, s, measures, num_threads);
        },
        "supplier"_a.noconvert(), "own_mean"_a.noconvert(), "share"_a.noconvert(),
        "length"_a.noconvert(), "max_level"_a.noconvert(), "resupply"_a, "shortage"_a,
        "level"_a.noconvert(), "backorders"_a.noconvert(), "on_hand"_a.noconvert(),
        "ready"_a.noconvert(), "fill"_a.noconvert(), "num_threads"_a);
}
