#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "sparing/location_tables.hpp"
#include "sparing/network_rollout.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;
namespace net = sparing::network;

namespace {

/// Arrays by name, as Python hands them over; each must have the type that is asked for.
struct Arrays {
    const py::dict& given;

    template <class T>
    std::span<const T> get(const char* name) const {
        const py::object found = given[name];
        if (!py::isinstance<Array<T>>(found))
            throw std::invalid_argument(std::string{name} + ": type");
        return in(py::reinterpret_borrow<Array<T>>(found));
    }
};

net::Network network_of(const Arrays& a, bool weighted) {
    const auto supplier = a.get<std::int32_t>("supplier"), site = a.get<std::int32_t>("site");
    const auto weight = a.get<double>("weight");
    return {static_cast<std::int32_t>(supplier.size()),
            static_cast<std::int32_t>(site.size()),
            static_cast<std::int32_t>(weight.size()),
            supplier.data(),
            a.get<std::int32_t>("top_down").data(),
            site.data(),
            a.get<std::int32_t>("capacity").data(),
            a.get<std::int32_t>("backorders").data(),
            a.get<std::int32_t>("largest_order").data(),
            a.get<std::int32_t>("initial").data(),
            a.get<std::int32_t>("first_quantity").data(),
            a.get<std::int32_t>("first_age").data(),
            a.get<double>("fixed").data(),
            a.get<double>("unit").data(),
            a.get<double>("holding").data(),
            a.get<double>("downtime").data(),
            a.get<double>("emergency").data(),
            weighted ? weight.data() : nullptr};
}

net::Law law_of(const Arrays& a, const net::Network& n, double shape, std::int32_t truncate,
                std::int32_t most_failures) {
    return {shape,
            truncate,
            most_failures,
            n.num_sites,
            n.num_locations,
            n.periods,
            a.get<double>("exposure"),
            a.get<std::int32_t>("bin_start"),
            a.get<std::int32_t>("multiplier"),
            a.get<std::int32_t>("first_bin"),
            a.get<std::int32_t>("num_levels"),
            a.get<std::int64_t>("next_start"),
            a.get<std::int32_t>("level_next"),
            a.get<double>("decay"),
            a.get<double>("share"),
            a.get<std::int64_t>("belief_size"),
            a.get<std::int32_t>("lead_start"),
            a.get<double>("lead_chance"),
            a.get<std::int32_t>("first_age"),
            a.get<double>("rates"),
            a.get<std::int32_t>("given")};
}

net::TablePolicy table_of(const Arrays& a, const net::Network& n,
                          const std::vector<std::span<const std::uint32_t>>& posts) {
    return {posts,
            a.get<std::int64_t>("beliefs"),
            a.get<std::int64_t>("lookup_start"),
            a.get<std::int32_t>("lookup"),
            a.get<std::int32_t>("ages"),
            a.get<std::int32_t>("found_size"),
            a.get<std::int32_t>("decided_size"),
            a.get<std::int64_t>("decided_start"),
            a.get<std::int32_t>("quantity_behind"),
            a.get<std::int32_t>("merges"),
            &n};
}

}  // namespace

void bind_network(py::module_& m) {
    m.def(
        "simulate_network",
        [](const py::dict& arrays, double shape, std::int32_t truncate, std::int32_t most_failures,
           bool weighted, const I32& reorder_at, const I32& order_up_to, const I32& quantity,
           const I32& review, const std::vector<Array<std::uint32_t>>& posts, std::uint64_t seed,
           std::int64_t replications, F64& totals, I32& stock, F64& paid, int num_threads,
           const std::string& kernel) {
            const Arrays a{arrays};
            const auto n = network_of(a, weighted);
            const auto law = law_of(a, n, shape, truncate, most_failures);
            std::vector<std::span<const std::uint32_t>> tables;
            for (const auto& post : posts) tables.push_back(in(post));
            std::optional<net::TablePolicy> table;
            if (!tables.empty()) table = table_of(a, n, tables);
            std::optional<net::LocationTables> own;
            if (arrays.contains("location_orders")) {
                const auto shape = a.get<std::int64_t>("location_orders_shape");
                own = {a.get<std::int32_t>("location_orders"), shape[1], shape[3], &n};
            }
            const net::Table decides = own     ? net::Table{net::LocationTables::decide, &*own}
                                       : table ? net::Table{net::TablePolicy::decide, &*table}
                                               : net::Table{nullptr, nullptr};
            const net::RuleSets sets{in(reorder_at), in(order_up_to), in(quantity), in(review)};
            const auto run = kernel == "baseline" ? net::kernels_baseline() : net::best_kernels();
            const auto t = out(totals);
            const net::Paths paths{out(stock), out(paid)};
            const py::gil_scoped_release release;
            net::simulate(n, law, sets, decides, run, seed, replications, t, paths, num_threads);
        },
        "arrays"_a, "shape"_a, "truncate"_a, "most_failures"_a, "weighted"_a,
        "reorder_at"_a.noconvert(), "order_up_to"_a.noconvert(), "quantity"_a.noconvert(),
        "review"_a.noconvert(), "posts"_a, "seed"_a, "replications"_a, "totals"_a.noconvert(),
        "stock"_a.noconvert(), "paid"_a.noconvert(), "num_threads"_a, "kernel"_a);
}
