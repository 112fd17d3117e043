#pragma once
#include "simd.hpp"
#include "sparing/separable_kernels.hpp"

namespace {

using sparing::CommitArgs;
using sparing::CompareArgs;
using sparing::FinishArgs;
using sparing::TableRows;

/// An integer as wide as a value.
template <class T>
using IndexOf = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Eight rows at least, so that a narrow vector does not make the transposed tile a thin one.
template <class E>
constexpr std::size_t kLanes = kWidth<E> > 8 ? kWidth<E> : 8;

/// Rows become lanes, in memory as M and in registers as E.
template <class E, class M = E>
void to_lanes(const M* src, std::size_t pitch, std::size_t rows, std::size_t cols, M* dst) {
    constexpr std::size_t W = kWidth<E>, L = kLanes<E>;
    for (std::size_t first = 0; first < L; first += W) {
        const M* line[W];
        for (std::size_t i = 0; i < W; ++i) {
            const std::size_t l = first + i;
            line[i] = src + (l < rows ? l : rows - 1) * pitch;
        }
        if (cols < W) {
            for (std::size_t c = 0; c < cols; ++c)
                for (std::size_t i = 0; i < W; ++i) dst[c * L + first + i] = line[i][c];
            continue;
        }
        for (std::size_t next = 0; next < cols; next += W) {
            const std::size_t c = next + W <= cols ? next : cols - W;  // overlap at the end
            Vec<E> block[W];
            load_transposed<E, M>([&](std::size_t i) { return line[i] + c; }, block);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < W; ++i) store_as<E, M>(dst + (c + i) * L + first, block[i]);
        }
    }
}

template <class E, bool Lines, class M = E>
void lines_from_lanes(const M* src, M* dst, std::size_t pitch, std::size_t rows, std::size_t cols) {
    constexpr std::size_t W = kWidth<E>, L = kLanes<E>;
    for (std::size_t first = 0; first < rows; first += W) {
        const std::size_t count = rows - first < W ? rows - first : W;
        M* const line = dst + first * pitch;
        if (cols < W) {
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t c = 0; c < cols; ++c) line[i * pitch + c] = src[c * L + first + i];
            continue;
        }
        for (std::size_t next = 0; next < cols; next += W) {
            const std::size_t c = next + W <= cols ? next : cols - W;
            Vec<E> block[W];
            load_transposed<E, M>([&](std::size_t i) { return src + (c + i) * L + first; }, block);
            if (count == W) {
#pragma GCC unroll 16
                for (std::size_t i = 0; i < W; ++i)
                    if constexpr (Lines)
                        store_line(line + i * pitch + c, block[i]);
                    else
                        store_as<E, M>(line + i * pitch + c, block[i]);
            } else {
                for (std::size_t i = 0; i < count; ++i)
                    store_as<E, M>(line + i * pitch + c, block[i]);
            }
        }
    }
}

template <class E, class M = E>
void from_lanes(const M* src, M* dst, std::size_t pitch, std::size_t rows, std::size_t cols) {
    lines_from_lanes<E, false, M>(src, dst, pitch, rows, cols);
}
template <class E>
void stream_from_lanes(const E* src, E* dst, std::size_t pitch, std::size_t rows,
                       std::size_t cols) {
    if (on_lines(dst, pitch) && cols % kWidth<E> == 0)
        lines_from_lanes<E, true>(src, dst, pitch, rows, cols);
    else
        lines_from_lanes<E, false>(src, dst, pitch, rows, cols);
}
template <class E>
void stream(const E* src, E* dst, std::size_t cols) {
    std::size_t c = 0;
    if (on_lines(dst, 0))
        for (; c + kWidth<E> <= cols; c += kWidth<E>) store_line(dst + c, load(src + c));
    else
        for (; c + kWidth<E> <= cols; c += kWidth<E>) store(dst + c, load(src + c));
    for (; c < cols; ++c) dst[c] = src[c];
}
template <class E>
void prefetch(const E* src, std::size_t pitch, std::size_t rows, std::size_t cols) {
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < cols; c += 64 / sizeof(E))
            __builtin_prefetch(src + r * pitch + c, 0, 2);
}

/// Rows of the tables of a sum at one row of a tile; one table is the common case.
template <class T>
struct SumRow {
    T number;
    const TableRows<T>* tables;
    std::size_t count, row;
    const T* first;

    SumRow(T constant, const TableRows<T>* t, std::size_t n, std::size_t r)
        : number(constant),
          tables(t),
          count(n),
          row(r),
          first(n ? t->values + t->row_class[r] * t->pitch : nullptr) {}

    template <std::size_t Tables>
    [[gnu::always_inline]] Vec<T> at(std::size_t c) const {
        Vec<T> sum = splat(number);
        if constexpr (Tables == 1) sum += load(first + c);
        if constexpr (Tables > 1)
            for (std::size_t k = 0; k < count; ++k)
                sum += load(tables[k].values + tables[k].row_class[row] * tables[k].pitch + c);
        return sum;
    }
};

template <class T, bool Branch, std::size_t Keep, std::size_t Add>
void finish_rows(const FinishArgs<T>& a) {
    const std::size_t rest = a.cols % kWidth<T>, whole = a.cols - rest;
    const Vec<T> scale = splat(a.scale);
    for (std::size_t r = 0; r < a.rows; ++r) {
        const SumRow<T> keep(a.costs[r].keep, a.keep_tables, Keep ? a.num_keep : 0, r);
        const SumRow<T> add(a.costs[r].add, a.add_tables, Add ? a.num_add : 0, r);
        T* const x = a.x + r * a.x_pitch;
        const T* const w = Branch ? a.w + r * a.w_pitch : nullptr;
        for (std::size_t c = 0; c < whole; c += kWidth<T>) {
            Vec<T> y = load(x + c);
            if constexpr (Branch) y = smaller<Vec<T>>(load(w + c) + keep.template at<Keep>(c), y);
            store(x + c, Vec<T>(scale * y + add.template at<Add>(c)));
        }
        if (rest == 0) continue;
        Vec<T> y = load(x + whole);
        if constexpr (Branch)
            y = smaller<Vec<T>>(load_part(w + whole, rest) + keep.template at<Keep>(whole), y);
        store(x + whole, Vec<T>(scale * y + add.template at<Add>(whole)));
    }
}

template <class T>
void finish(const FinishArgs<T>& a) {
    if (!a.w) return finish_rows<T, false, 0, 2>(a);
    if (a.num_keep > 0) return finish_rows<T, true, 2, 2>(a);
    if (a.num_add > 1) return finish_rows<T, true, 0, 2>(a);
    if (a.num_add == 1) return finish_rows<T, true, 0, 1>(a);
    finish_rows<T, true, 0, 0>(a);
}

template <class T>
[[gnu::noinline]] void commit_scalar(CommitArgs<T>& a, std::size_t begin) {
    for (std::size_t r = 0; r < a.rows; ++r)
        for (std::size_t c = begin; c < a.cols; ++c) {
            const T v = a.x[r * a.x_pitch + c], d = v - a.old[r * a.old_pitch + c];
            a.lower = d < a.lower ? d : a.lower;
            a.upper = d > a.upper ? d : a.upper;
            a.dst[r * a.dst_pitch + c] = v + a.extra * d;
        }
}

/// The bounds of `a` take in those of four chains.
template <class T>
[[gnu::always_inline]] inline void widen(const Vec<T>* low, const Vec<T>* high, CommitArgs<T>& a) {
    const Vec<T> lowest =
        smaller<Vec<T>>(smaller<Vec<T>>(low[0], low[1]), smaller<Vec<T>>(low[2], low[3]));
    const Vec<T> highest =
        larger<Vec<T>>(larger<Vec<T>>(high[0], high[1]), larger<Vec<T>>(high[2], high[3]));
    for (std::size_t k = 0; k < kWidth<T>; ++k) {
        a.lower = lowest[k] < a.lower ? lowest[k] : a.lower;
        a.upper = highest[k] > a.upper ? highest[k] : a.upper;
    }
}

template <class T>
void commit(CommitArgs<T>& a) {
    constexpr std::size_t W = kWidth<T>;
    const std::size_t whole = a.cols - a.cols % W;
    // Four chains of minima and maxima, as each operation waits for the one before in its chain.
    Vec<T> low[4], high[4];
    for (std::size_t k = 0; k < 4; ++k) low[k] = splat(a.lower), high[k] = splat(a.upper);
    for (std::size_t r = 0; r < a.rows; ++r) {
        const T *const x = a.x + r * a.x_pitch, *const old = a.old + r * a.old_pitch;
        T* const dst = a.dst + r * a.dst_pitch;
        const auto take = [&](std::size_t c, std::size_t k) {
            const Vec<T> v = load(x + c), d = v - load(old + c);
            low[k] = smaller<Vec<T>>(d, low[k]);
            high[k] = larger<Vec<T>>(d, high[k]);
            store(dst + c, Vec<T>(v + a.extra * d));
        };
        std::size_t c = 0;
        for (; c + 4 * W <= whole; c += 4 * W) {
#pragma GCC unroll 4
            for (std::size_t k = 0; k < 4; ++k) take(c + k * W, k);
        }
        for (; c < whole; c += W) take(c, 0);
    }
    widen<T>(low, high, a);
    if (whole < a.cols) commit_scalar(a, whole);
}

}  // namespace
