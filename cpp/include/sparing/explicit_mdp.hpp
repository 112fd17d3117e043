#pragma once
#include <omp.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace sparing {

/// Sparse probability rows as scipy stores them (CSR); row r leads to `indices` with `probs`.
template <class Pointer, class Index>
struct SparseRows {
    std::span<const Pointer> indptr;  // [R + 1]
    std::span<const Index> indices;   // [nnz] successor states
    std::span<const double> probs;    // [nnz] each row sums to one

    std::size_t size() const { return indptr.size() - 1; }
};

/// The rows of one policy, gathered: pointers of 8 bytes, states of 4.
using PolicyRows = SparseRows<std::int64_t, std::int32_t>;

/// State s owns the (state, action) pairs state_indptr[s] to state_indptr[s + 1] - 1.
struct Pairs {
    std::span<const std::int64_t> state_indptr;  // [S + 1]
    std::span<const double> cost;                // [K]
    std::span<const std::int32_t> row;           // [K], or empty: pair k leads to row k

    std::size_t num_states() const { return state_indptr.size() - 1; }
    std::size_t row_of(std::size_t k) const {
        return row.empty() ? k : static_cast<std::size_t>(row[k]);
    }
};

/// Least and largest change (T value - value)(s) of one backup.
struct Change {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();

    void add(double change) {
        least = std::min(least, change);
        most = std::max(most, change);
    }
};

/// Run body(begin, end, change) over blocks of [0, count) of about 16 384 units of `work` each.
/// Every item is computed by itself and min and max do not depend on order: the results are
/// bit-identical for any number of threads. With num_threads = 0, one thread does less than 2^22
/// units: on a busy machine the wait for a thread that is not running costs milliseconds.
template <class Body>
Change over_blocks(std::size_t count, std::size_t work, int num_threads, Body body) {
    const auto num_blocks = static_cast<std::int64_t>(
        std::clamp<std::size_t>(work / 16384, 1, std::max<std::size_t>(count, 1)));
    double least = Change{}.least, most = Change{}.most;
    const int most_threads = work < (1u << 22) ? 1 : omp_get_max_threads();
    const int threads = num_threads > 0 ? num_threads : most_threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (num_blocks > 1 && threads > 1) \
    reduction(min : least) reduction(max : most)
    for (std::int64_t b = 0; b < num_blocks; ++b) {
        const auto share = [&](std::int64_t i) {
            return count * static_cast<std::size_t>(i) / static_cast<std::size_t>(num_blocks);
        };
        Change change;
        body(share(b), share(b + 1), change);
        least = std::min(least, change.least);
        most = std::max(most, change.most);
    }
    return {least, most};
}

/// sum_j P(r, j) value(j), in four partial sums: the loads overlap and the order is fixed.
template <class Pointer, class Index>
double expected(const SparseRows<Pointer, Index>& rows, std::size_t r, const double* value) {
    const auto begin = static_cast<std::size_t>(rows.indptr[r]);
    const auto size = static_cast<std::size_t>(rows.indptr[r + 1]) - begin;
    const Index* at = rows.indices.data() + begin;
    const double* prob = rows.probs.data() + begin;
    double a = 0.0, b = 0.0, c = 0.0, d = 0.0;
    std::size_t k = 0;
    for (; k + 4 <= size; k += 4) {
        a += prob[k] * value[at[k]];
        b += prob[k + 1] * value[at[k + 1]];
        c += prob[k + 2] * value[at[k + 2]];
        d += prob[k + 3] * value[at[k + 3]];
    }
    for (; k < size; ++k) a += prob[k] * value[at[k]];
    return (a + b) + (c + d);
}

/// out(r) = sum_j P(r, j) value(j): once a row, however many pairs share it. Rows that are not
/// `used` are passed over; empty `used` means all.
template <class Pointer, class Index>
void row_products(const SparseRows<Pointer, Index>& rows, std::span<const bool> used,
                  std::span<const double> value, std::span<double> out, int num_threads) {
    assert(out.size() >= rows.size());
    const auto body = [&](std::size_t begin, std::size_t end, Change&) {
        for (std::size_t r = begin; r < end; ++r)
            if (used.empty() || used[r]) out[r] = expected(rows, r, value.data());
    };
    const auto work = static_cast<std::size_t>(rows.indptr.back()) + rows.size();
    over_blocks(rows.size(), work, num_threads, body);
}

/// One optimality backup: out(s) = min over the pairs k of s of q(k) = cost(k) + discount *
/// future(k), its pair in policy(s), and the range of out - value (Puterman 2005, sec. 6.3, 8.5).
///
/// gap(k) = q(k) - out(s) is kept for the test of MacQueen (1967; Puterman 2005, sec. 6.7): a pair
/// whose gap of the call before exceeds `threshold` is dropped for good (gap = inf) and not
/// computed. Zero gaps to begin with; a threshold of inf drops nothing. Each state must keep a
/// pair. Ties go to the lowest pair.
template <class Future>
Change best_pairs(const Pairs& pairs, double discount, std::size_t work, Future future,
                  std::span<const double> value, double threshold, std::span<double> gap,
                  std::span<double> out, std::span<std::int64_t> policy, int num_threads) {
    assert(out.size() == pairs.num_states() && gap.size() == pairs.cost.size());
    constexpr double inf = std::numeric_limits<double>::infinity();
    const auto body = [&](std::size_t begin, std::size_t end, Change& change) {
        for (std::size_t s = begin; s < end; ++s) {
            const auto first = static_cast<std::size_t>(pairs.state_indptr[s]);
            const auto last = static_cast<std::size_t>(pairs.state_indptr[s + 1]);
            double best = inf;
            std::size_t choice = first;
            for (std::size_t k = first; k < last; ++k) {
                if (gap[k] > threshold) {
                    gap[k] = inf;
                    continue;
                }
                gap[k] = pairs.cost[k] + discount * future(k);
                if (gap[k] < best) best = gap[k], choice = k;
            }
            for (std::size_t k = first; k < last; ++k) gap[k] -= best;
            out[s] = best;
            policy[s] = static_cast<std::int64_t>(choice);
            change.add(best - value[s]);
        }
    };
    return over_blocks(pairs.num_states(), work + pairs.cost.size(), num_threads, body);
}

/// Copy row source[i] to where indptr says slot i begins, for the i in `slots`. Picking rows here
/// and there costs several sweeps over them once gathered, so do it once a policy, and only for
/// what changed.
template <class Pointer, class Index>
void gather_rows(const SparseRows<Pointer, Index>& rows, std::span<const std::int64_t> source,
                 std::span<const std::int64_t> slots, std::span<const std::int64_t> indptr,
                 std::span<std::int32_t> indices, std::span<double> probs, int num_threads) {
    const auto body = [&](std::size_t begin, std::size_t end, Change&) {
        for (const std::int64_t i : slots.subspan(begin, end - begin)) {
            const auto r = static_cast<std::size_t>(source[i]);
            auto to = static_cast<std::size_t>(indptr[i]);
            for (auto k = rows.indptr[r]; k < rows.indptr[r + 1]; ++k, ++to) {
                indices[to] = static_cast<std::int32_t>(rows.indices[k]);
                probs[to] = rows.probs[k];
            }
        }
    };
    over_blocks(slots.size(), 64 * slots.size(), num_threads, body);
}

/// One backup of a fixed policy: T value(s) = cost(s) + discount * sum_j P(row(s), j) value(j) and
/// out = value + weight * (T value - value); weight 1 is undamped. Returns the range of
/// T value - value. Empty `row`: state s has row s; else `products` has room for one number a row.
/// Jacobi order: it keeps constant vectors an eigenvector, on which span stopping rests;
/// Gauss-Seidel order would lose that.
inline Change policy_backup(const PolicyRows& rows, std::span<const std::int32_t> row,
                            std::span<const double> cost, double discount, double weight,
                            std::span<const double> value, std::span<double> products,
                            std::span<double> out, int num_threads) {
    assert(out.size() == cost.size() && value.size() == cost.size() && out.data() != value.data());
    if (!row.empty()) row_products(rows, {}, value, products, num_threads);
    const auto body = [&](std::size_t begin, std::size_t end, Change& change) {
        for (std::size_t s = begin; s < end; ++s) {
            const double future = row.empty() ? expected(rows, s, value.data()) : products[row[s]];
            const double step = cost[s] + discount * future - value[s];
            out[s] = value[s] + weight * step;
            change.add(step);
        }
    };
    const auto entries = row.empty() ? static_cast<std::size_t>(rows.indptr.back()) : 0;
    return over_blocks(cost.size(), entries + cost.size(), num_threads, body);
}

/// What a look at every row found; the first fault has the lowest row.
struct RowCheck {
    std::int64_t first_fault;  // R when there is none
    double sum_error;          // largest |sum of a row - 1|
};

/// A row is at fault if a state is out of range, a probability is not >= 0 (NaN too), or its sum
/// is not within `tol` of 1. Rows that are not `used` are passed over; empty `used` means all.
/// indptr must rise from 0 to nnz.
template <class Pointer, class Index>
RowCheck check_rows(const SparseRows<Pointer, Index>& rows, std::int64_t num_states,
                    std::span<const bool> used, double tol, int num_threads) {
    const auto body = [&](std::size_t begin, std::size_t end, Change& found) {
        for (std::size_t r = begin; r < end; ++r) {
            if (!used.empty() && !used[r]) continue;
            double part[4] = {0.0, 0.0, 0.0, 0.0};  // to round as `expected` does
            bool fine = true;
            for (auto k = rows.indptr[r]; k < rows.indptr[r + 1]; ++k) {
                fine &=
                    rows.probs[k] >= 0.0 && rows.indices[k] >= 0 && rows.indices[k] < num_states;
                part[k % 4] += rows.probs[k];
            }
            const double sum = (part[0] + part[1]) + (part[2] + part[3]);
            const double error = sum < 1.0 ? 1.0 - sum : sum - 1.0;
            if (!(fine && error <= tol)) found.least = std::min(found.least, double(r));
            found.most = std::max(found.most, error);
        }
    };
    const auto work = rows.probs.size() + rows.size();
    const Change found = over_blocks(rows.size(), work, num_threads, body);
    const double first = std::min(found.least, static_cast<double>(rows.size()));
    return {static_cast<std::int64_t>(first), std::max(found.most, 0.0)};
}

}  // namespace sparing
