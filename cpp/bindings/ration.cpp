#include "sparing/ration.hpp"

#include <cstdint>

#include "bindings.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;
using Flags = Array<bool>;

void bind_ration(py::module_& m) {
    m.def(
        "ration_first_come",
        [](const I64& indptr, const I32& sku, const I64& quantity, bool strict, I64& stock,
           Flags& own) {
            const sparing::Orders orders{in(indptr), in(sku), in(quantity)};
            const auto q = out(stock);
            const auto o = out(own);
            const py::gil_scoped_release release;
            sparing::first_come(orders, strict, q, o);
        },
        "indptr"_a.noconvert(), "sku"_a.noconvert(), "quantity"_a.noconvert(), "strict"_a,
        "stock"_a.noconvert(), "own"_a.noconvert());
    m.def(
        "ration_priced",
        [](const I64& indptr, const I32& sku, const I64& quantity, const F64& gain,
           const F64& price, std::size_t first, std::size_t last, I64& stock, Flags& own) {
            const sparing::Orders orders{in(indptr), in(sku), in(quantity)};
            const auto g = in(gain), p = in(price);
            const auto q = out(stock);
            const auto o = out(own);
            const py::gil_scoped_release release;
            sparing::priced(orders, g, p, first, last, q, o);
        },
        "indptr"_a.noconvert(), "sku"_a.noconvert(), "quantity"_a.noconvert(), "gain"_a.noconvert(),
        "price"_a.noconvert(), "first"_a, "last"_a, "stock"_a.noconvert(), "own"_a.noconvert());
    m.def(
        "ration_criticality",
        [](const I64& indptr, const I32& sku, const I64& quantity, const I64& sku_indptr,
           const I32& sku_order, const F64& margin, I64& stock, Flags& own, I32& sequence) {
            const sparing::Orders orders{in(indptr), in(sku), in(quantity)};
            const sparing::Askers askers{in(sku_indptr), in(sku_order)};
            const auto p = in(margin);
            const auto q = out(stock);
            const auto o = out(own);
            const auto s = out(sequence);
            const py::gil_scoped_release release;
            sparing::criticality(orders, askers, p, q, o, s);
        },
        "indptr"_a.noconvert(), "sku"_a.noconvert(), "quantity"_a.noconvert(),
        "sku_indptr"_a.noconvert(), "sku_order"_a.noconvert(), "margin"_a.noconvert(),
        "stock"_a.noconvert(), "own"_a.noconvert(), "sequence"_a.noconvert());
}
