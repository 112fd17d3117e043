#include "sparing/ration_learned.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <vector>

#include "bindings.hpp"
#include "sparing/ration_network.hpp"

using namespace py::literals;
using F32 = Array<float>;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;
using Flags = Array<bool>;

namespace {

sparing::Outlined outlined(const I64& indptr, const I32& sku, const I64& quantity, const F64& gain,
                           const F64& mean_gain, const F64& unit_gain, double expected_orders,
                           double position, F64& units, F64& squares, double num_orders,
                           double num_lines) {
    const sparing::Orders orders{in(indptr), in(sku), in(quantity)};
    return sparing::outlined(orders, in(gain), in(mean_gain), in(unit_gain), expected_orders,
                             position, {out(units), out(squares), num_orders, num_lines});
}

void bind_network(py::module_& m) {
    m.def(
        "ration_network",
        [](const I64& indptr, const I32& sku, const I64& quantity, const F32& margins,
           const std::vector<F32>& weights, double stock_scale, double quantity_scale,
           double threshold, I64& stock, Flags& own, F32& probability) {
            const sparing::Orders orders{in(indptr), in(sku), in(quantity)};
            std::vector<sparing::DenseLayer> layers;
            for (std::size_t l = 0; l + 1 < weights.size(); l += 2)
                layers.push_back({in(weights[l]), in(weights[l + 1])});
            const auto extra = in(margins);
            const auto q = out(stock);
            const auto o = out(own);
            const auto p = out(probability);
            const py::gil_scoped_release release;
            sparing::classified(orders, extra, layers, stock_scale, quantity_scale, threshold, q, o,
                                p);
        },
        "indptr"_a.noconvert(), "sku"_a.noconvert(), "quantity"_a.noconvert(),
        "margins"_a.noconvert(), "weights"_a.noconvert(), "stock_scale"_a, "quantity_scale"_a,
        "threshold"_a, "stock"_a.noconvert(), "own"_a.noconvert(), "probability"_a.noconvert());
}

}  // namespace

void bind_ration_learned(py::module_& m) {
    bind_network(m);
    py::class_<sparing::Outlined>(m, "RationOutlined")
        .def(py::init(&outlined), "indptr"_a.noconvert(), "sku"_a.noconvert(),
             "quantity"_a.noconvert(), "gain"_a.noconvert(), "mean_gain"_a.noconvert(),
             "unit_gain"_a.noconvert(), "expected_orders"_a, "position"_a, "units"_a.noconvert(),
             "squares"_a.noconvert(), "num_orders"_a, "num_lines"_a, py::keep_alive<1, 2>(),
             py::keep_alive<1, 3>(), py::keep_alive<1, 4>(), py::keep_alive<1, 5>(),
             py::keep_alive<1, 6>())
        .def(
            "decide",
            [](const sparing::Outlined& day, const F32& weights, double order_value, I64& stock,
               Flags& own) {
                const auto w = in(weights);
                const auto q = out(stock);
                const auto o = out(own);
                const py::gil_scoped_release release;
                sparing::learned(day, w, order_value, q, o);
            },
            "weights"_a.noconvert(), "order_value"_a, "stock"_a.noconvert(), "own"_a.noconvert())
        .def(
            "labels",
            [](const sparing::Outlined& day, const F32& weights, double order_value, I64& stock,
               Flags& own, F32& line_features, F32& order_features, F32& label) {
                const auto w = in(weights);
                const auto q = out(stock);
                const auto o = out(own);
                const auto x = out(line_features), y = out(order_features), l = out(label);
                const py::gil_scoped_release release;
                sparing::opportunity_labels(day, w, order_value, q, o, x, y, l);
            },
            "weights"_a.noconvert(), "order_value"_a, "stock"_a.noconvert(), "own"_a.noconvert(),
            "line_features"_a.noconvert(), "order_features"_a.noconvert(), "label"_a.noconvert());
    m.attr("RATION_LINE_FEATURES") = sparing::kLineFeatures;
    m.attr("RATION_ORDER_FEATURES") = sparing::kOrderFeatures;
    m.attr("RATION_HIDDEN") = sparing::kHidden;
}
