#pragma once
// What is done with a block of N1 x N2 vectors while it is in registers.
#include "rows.hpp"

namespace {

using sparing::RowCost;
using sparing::Rule;
using sparing::Shape;

template <Rule R, class V>
[[gnu::always_inline]] inline V first_term(const V& entry, const V& x) {
    return R == Rule::kExpect ? entry * x : entry + x;
}
template <Rule R, class V>
[[gnu::always_inline]] inline V next_term(const V& sum, const V& entry, const V& x) {
    if constexpr (R == Rule::kExpect) return sum + entry * x;
    return smaller<V>(entry + x, sum);
}

/// Whether entry (s, j) of a table of this shape takes part in the sums, and the diagonal entry is
/// the semiring's one (0 for costs), so that the state itself begins the sum.
constexpr bool taken(Shape shape, std::size_t s, std::size_t j) {
    return shape == Shape::kUpper ? j >= s : shape == Shape::kLower ? j <= s : true;
}

/// `Count` fibres of N vectors in registers: fibre f has its vectors at x[f * Apart + j * Stride].
/// Each entry of the table is read once for all of them.
template <Rule R, Shape S, bool Idle, std::size_t N, std::size_t Stride, std::size_t Count,
          std::size_t Apart, class T>
[[gnu::always_inline]] inline void fibres(const T* table, Vec<T>* x) {
    Vec<T> y[N][Count];
    // Forget that the entries were read before: to keep them all would take too many registers.
    asm volatile("" : "+r"(table));
#pragma GCC unroll 16
    for (std::size_t s = 0; s < N; ++s) {
        bool begun = Idle;
        if constexpr (Idle) {
#pragma GCC unroll 4
            for (std::size_t f = 0; f < Count; ++f) y[s][f] = x[f * Apart + s * Stride];
        }
#pragma GCC unroll 16
        for (std::size_t j = 0; j < N; ++j) {
            if (!taken(S, s, j) || (Idle && j == s)) continue;
            const Vec<T> entry = splat(table[s * N + j]);
#pragma GCC unroll 4
            for (std::size_t f = 0; f < Count; ++f) {
                const Vec<T>& from = x[f * Apart + j * Stride];
                y[s][f] = begun ? next_term<R>(y[s][f], entry, from) : first_term<R>(entry, from);
            }
            begun = true;
        }
    }
#pragma GCC unroll 16
    for (std::size_t s = 0; s < N; ++s)
#pragma GCC unroll 4
        for (std::size_t f = 0; f < Count; ++f) x[f * Apart + s * Stride] = y[s][f];
}

/// `Total` fibres, two at a time where the registers hold them.
template <Rule R, Shape S, bool Idle, std::size_t N, std::size_t Stride, std::size_t Total,
          std::size_t Apart, class T>
[[gnu::always_inline]] inline void all_fibres(const T* table, Vec<T>* x) {
    constexpr std::size_t pairs = N <= 4 ? Total / 2 : 0;
#pragma GCC unroll 16
    for (std::size_t f = 0; f < pairs; ++f)
        fibres<R, S, Idle, N, Stride, 2, Apart>(table, x + 2 * f * Apart);
#pragma GCC unroll 16
    for (std::size_t f = 2 * pairs; f < Total; ++f)
        fibres<R, S, Idle, N, Stride, 1, Apart>(table, x + f * Apart);
}

/// Both tables on N1 x N2 vectors.
template <Rule R, Shape S, bool Idle, std::size_t N1, std::size_t N2, class T>
[[gnu::always_inline]] inline void both(const T* first, const T* second, Vec<T>* x) {
    if constexpr (N1 > 1) all_fibres<R, S, Idle, N1, N2, N2, 1>(first, x);
    all_fibres<R, S, Idle, N2, 1, N1, N2>(second, x);
}

/// Adjacent rows of a block, finished. One pointer for all costs of the rows, as addresses are
/// scarce here.
template <std::size_t N, class T>
[[gnu::always_inline]] inline void finish_block(const FinishArgs<T>& a, std::size_t row,
                                                std::size_t col, Vec<T>* x) {
    const T *w = a.w + row * a.w_pitch + col, *const values = a.add_tables->values + col;
    const RowCost<T>* const cost = a.costs + row;
    const Vec<T> scale = splat(a.scale);
#pragma GCC unroll 16
    for (std::size_t k = 0; k < N; ++k, w += a.w_pitch) {
        const Vec<T> y = smaller<Vec<T>>(load(w) + splat(cost[k].keep), x[k]);
        x[k] = scale * y + (splat(cost[k].add) + load(values + cost[k].at));
    }
}

/// (low, high) take in how far the rows of a block are from those at `to`, in four chains, as
/// each minimum waits for the one before in its chain.
template <std::size_t N1, std::size_t N2, class T>
[[gnu::always_inline]] inline void compare_block(T extra, Vec<T>* x, T* const* to, std::size_t step,
                                                 Vec<T>* low, Vec<T>* high) {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < N1 * N2; ++k) {
        const Vec<T> change = x[k] - load(to[k / N2] + k % N2 * step);
        low[k % 4] = smaller<Vec<T>>(change, low[k % 4]);
        high[k % 4] = larger<Vec<T>>(change, high[k % 4]);
        x[k] += extra * change;
    }
}

/// N columns of as many rows as a vector has entries, a column a vector; and back.
template <std::size_t N, class T>
[[gnu::always_inline]] inline void load_columns(const T* src, std::size_t pitch, Vec<T>* x) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < N; k += kWidth<T>) {
        load_block<T>([&](std::size_t i) { return src + i * pitch + k; }, x + k);
        transpose<T, kWidth<T> / 4>(x + k);
    }
}
template <std::size_t N, class T>
[[gnu::always_inline]] inline void store_columns(Vec<T>* x, T* dst, std::size_t pitch,
                                                 bool stream) {
#pragma GCC unroll 4
    for (std::size_t k = 0; k < N; k += kWidth<T>) {
        transpose<T>(x + k);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kWidth<T>; ++i)
            if (stream)
                store_line(dst + i * pitch + k, x[k + i]);
            else
                store(dst + i * pitch + k, x[k + i]);
    }
}

}  // namespace
