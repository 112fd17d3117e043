#include "sparing/explicit_mdp.hpp"

#include <cstdint>

#include "bindings.hpp"

using namespace py::literals;
using I32 = Array<std::int32_t>;
using I64 = Array<std::int64_t>;
using F64 = Array<double>;

namespace {

py::tuple pair(const sparing::Change& change) { return py::make_tuple(change.least, change.most); }

template <class Index>
sparing::SparseRows<Index, Index> rows_in(const Array<Index>& indptr, const Array<Index>& indices,
                                          const F64& probs) {
    return {in(indptr), in(indices), in(probs)};
}

// The kernels that read the caller's matrix, for its index type.
template <class Index>
void bind_rows(py::module_& m) {
    m.def(
        "check_rows",
        [](const Array<Index>& indptr, const Array<Index>& indices, const F64& probs,
           std::int64_t num_states, const Array<bool>& used, double tol, int num_threads) {
            const auto rows = rows_in(indptr, indices, probs);
            const auto u = in(used);
            sparing::RowCheck found;
            {
                const py::gil_scoped_release release;
                found = sparing::check_rows(rows, num_states, u, tol, num_threads);
            }
            return py::make_tuple(found.first_fault, found.sum_error);
        },
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "probs"_a.noconvert(), "num_states"_a,
        "used"_a.noconvert(), "tol"_a, "num_threads"_a);
    m.def(
        "row_products",
        [](const Array<Index>& indptr, const Array<Index>& indices, const F64& probs,
           const Array<bool>& used, const F64& value, F64& products, int num_threads) {
            const auto rows = rows_in(indptr, indices, probs);
            const auto u = in(used);
            const auto v = in(value);
            const auto w = out(products);
            const py::gil_scoped_release release;
            sparing::row_products(rows, u, v, w, num_threads);
        },
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "probs"_a.noconvert(),
        "used"_a.noconvert(), "value"_a.noconvert(), "products"_a.noconvert(), "num_threads"_a);
    m.def(
        "optimality_backup",
        [](const Array<Index>& indptr, const Array<Index>& indices, const F64& probs,
           const I64& state_indptr, const F64& cost, const I32& row, double discount,
           const F64& value, double threshold, F64& gap, F64& next, I64& policy, int num_threads) {
            const auto rows = rows_in(indptr, indices, probs);
            const sparing::Pairs pairs{in(state_indptr), in(cost), in(row)};
            const auto v = in(value);
            const auto g = out(gap), v_next = out(next);
            const auto pi = out(policy);
            sparing::Change change;
            {
                const py::gil_scoped_release release;
                const auto future = [&](std::size_t k) {
                    return expected(rows, pairs.row_of(k), v.data());
                };
                change = sparing::best_pairs(pairs, discount, rows.probs.size(), future, v,
                                             threshold, g, v_next, pi, num_threads);
            }
            return pair(change);
        },
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "probs"_a.noconvert(),
        "state_indptr"_a.noconvert(), "cost"_a.noconvert(), "row"_a.noconvert(), "discount"_a,
        "value"_a.noconvert(), "threshold"_a, "gap"_a.noconvert(), "next"_a.noconvert(),
        "policy"_a.noconvert(), "num_threads"_a);
    m.def(
        "gather_rows",
        [](const Array<Index>& indptr, const Array<Index>& indices, const F64& probs,
           const I64& source, const I64& slots, const I64& policy_indptr, I32& policy_indices,
           F64& policy_probs, int num_threads) {
            const auto rows = rows_in(indptr, indices, probs);
            const auto from = in(source), which = in(slots), to_indptr = in(policy_indptr);
            const auto to_indices = out(policy_indices);
            const auto to_probs = out(policy_probs);
            const py::gil_scoped_release release;
            sparing::gather_rows(rows, from, which, to_indptr, to_indices, to_probs, num_threads);
        },
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "probs"_a.noconvert(),
        "source"_a.noconvert(), "slots"_a.noconvert(), "policy_indptr"_a.noconvert(),
        "policy_indices"_a.noconvert(), "policy_probs"_a.noconvert(), "num_threads"_a);
}

// The kernels that read arrays of ours.
void bind_pairs(py::module_& m) {
    m.def(
        "best_pairs",
        [](const I64& state_indptr, const F64& cost, const I32& row, const F64& products,
           double discount, const F64& value, double threshold, F64& gap, F64& next, I64& policy,
           int num_threads) {
            const sparing::Pairs pairs{in(state_indptr), in(cost), in(row)};
            const auto w = in(products), v = in(value);
            const auto g = out(gap), v_next = out(next);
            const auto pi = out(policy);
            sparing::Change change;
            {
                const py::gil_scoped_release release;
                const auto future = [&](std::size_t k) {
                    return w.empty() ? 0.0 : w[pairs.row_of(k)];
                };
                change = sparing::best_pairs(pairs, discount, 0, future, v, threshold, g, v_next,
                                             pi, num_threads);
            }
            return pair(change);
        },
        "state_indptr"_a.noconvert(), "cost"_a.noconvert(), "row"_a.noconvert(),
        "products"_a.noconvert(), "discount"_a, "value"_a.noconvert(), "threshold"_a,
        "gap"_a.noconvert(), "next"_a.noconvert(), "policy"_a.noconvert(), "num_threads"_a);
    m.def(
        "policy_backup",
        [](const I64& indptr, const I32& indices, const F64& probs, const I32& row, const F64& cost,
           double discount, double weight, const F64& value, F64& products, F64& next,
           int num_threads) {
            const sparing::PolicyRows rows{in(indptr), in(indices), in(probs)};
            const auto which = in(row);
            const auto c = in(cost), v = in(value);
            const auto w = out(products), v_next = out(next);
            sparing::Change change;
            {
                const py::gil_scoped_release release;
                change = sparing::policy_backup(rows, which, c, discount, weight, v, w, v_next,
                                                num_threads);
            }
            return pair(change);
        },
        "indptr"_a.noconvert(), "indices"_a.noconvert(), "probs"_a.noconvert(), "row"_a.noconvert(),
        "cost"_a.noconvert(), "discount"_a, "weight"_a, "value"_a.noconvert(),
        "products"_a.noconvert(), "next"_a.noconvert(), "num_threads"_a);
}

}  // namespace

void bind_explicit(py::module_& m) {
    bind_rows<std::int32_t>(m);
    bind_rows<std::int64_t>(m);
    bind_pairs(m);
}
