#pragma once
#include "simd.hpp"
#include "sparing/separable_kernels.hpp"

namespace {

using sparing::CommitArgs;
using sparing::CompareArgs;
using sparing::FinishArgs;

template <class T>
using IndexOf = typename sparing::SeparableKernels<T>::Index;

/// Eight rows at least, so that a narrow vector does not make the transposed tile a thin one.
template <class E>
constexpr std::size_t kLanes = kWidth<E> > 8 ? kWidth<E> : 8;

template <class E>
void to_lanes(const E* src, std::size_t pitch, std::size_t rows, std::size_t cols, E* dst) {
    constexpr std::size_t W = kWidth<E>, L = kLanes<E>;
    for (std::size_t first = 0; first < L; first += W) {
        const E* line[W];
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
#pragma GCC unroll 16
            for (std::size_t i = 0; i < W; ++i) block[i] = load(line[i] + c);
            transpose<E>(block);
#pragma GCC unroll 16
            for (std::size_t i = 0; i < W; ++i) store(dst + (c + i) * L + first, block[i]);
        }
    }
}

template <class E, bool Lines>
void lines_from_lanes(const E* src, E* dst, std::size_t pitch, std::size_t rows, std::size_t cols) {
    constexpr std::size_t W = kWidth<E>, L = kLanes<E>;
    for (std::size_t first = 0; first < rows; first += W) {
        const std::size_t count = rows - first < W ? rows - first : W;
        E* const line = dst + first * pitch;
        if (cols < W) {
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t c = 0; c < cols; ++c) line[i * pitch + c] = src[c * L + first + i];
            continue;
        }
        for (std::size_t next = 0; next < cols; next += W) {
            const std::size_t c = next + W <= cols ? next : cols - W;
            Vec<E> block[W];
#pragma GCC unroll 16
            for (std::size_t i = 0; i < W; ++i) block[i] = load(src + (c + i) * L + first);
            transpose<E>(block);
            if (count == W) {
#pragma GCC unroll 16
                for (std::size_t i = 0; i < W; ++i)
                    if constexpr (Lines)
                        store_line(line + i * pitch + c, block[i]);
                    else
                        store(line + i * pitch + c, block[i]);
            } else {
                for (std::size_t i = 0; i < count; ++i) store(line + i * pitch + c, block[i]);
            }
        }
    }
}

template <class E>
void from_lanes(const E* src, E* dst, std::size_t pitch, std::size_t rows, std::size_t cols) {
    lines_from_lanes<E, false>(src, dst, pitch, rows, cols);
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

/// w + keep at columns [c, c + width), of which `part` > 0 exist; cost rows are padded, w is not.
template <class T>
[[gnu::always_inline]] inline Vec<T> kept(const FinishArgs<T>& a, std::size_t c,
                                          std::size_t part) {
    Vec<T> keep = (part ? load_part(a.w + c, part) : load(a.w + c)) + a.keep;
    for (std::size_t k = 0; k < a.num_keep; ++k) keep += load(a.keep_rows[k] + c);
    return keep;
}
template <class T>
[[gnu::always_inline]] inline Vec<T> added(const FinishArgs<T>& a, std::size_t c) {
    Vec<T> add = a.add + Vec<T>{};
    for (std::size_t k = 0; k < a.num_add; ++k) add += load(a.add_rows[k] + c);
    return add;
}

template <class T, bool Branch>
[[gnu::always_inline]] inline void finish_at(const FinishArgs<T>& a, T* x, std::size_t c,
                                             std::size_t part) {
    Vec<T> y = load(x + c);
    if constexpr (Branch) y = smaller<Vec<T>>(kept(a, c, part), a.branch + y);
    store(x + c, Vec<T>(a.scale * y + added(a, c)));
}
template <class T, bool Branch>
[[gnu::always_inline]] inline void finish_row(const FinishArgs<T>& a, T* x, std::size_t cols) {
    const std::size_t rest = cols % kWidth<T>, whole = cols - rest;
    for (std::size_t c = 0; c < whole; c += kWidth<T>) finish_at<T, Branch>(a, x, c, 0);
    if (rest) finish_at<T, Branch>(a, x, whole, rest);
}

/// The row x is padded to whole vectors. The numbers of rows to add that matter are constants.
template <class T>
void finish(const FinishArgs<T>& args, T* x, std::size_t cols) {
    FinishArgs<T> a = args;
    const bool usual = a.num_keep == 0 && a.num_add <= 1;
    if (usual) a.num_keep = 0;
    if (usual && a.w && a.num_add == 1) {
        a.num_add = 1;
        finish_row<T, true>(a, x, cols);
    } else if (usual && a.w) {
        a.num_add = 0;
        finish_row<T, true>(a, x, cols);
    } else if (a.w) {
        finish_row<T, true>(a, x, cols);
    } else {
        finish_row<T, false>(a, x, cols);
    }
}

template <class T>
[[gnu::noinline]] void commit_scalar(CommitArgs<T>& a, std::size_t begin) {
    for (std::size_t r = 0; r < a.rows; ++r)
        for (std::size_t c = begin; c < a.cols; ++c) {
            const T v = a.x[r * a.x_pitch + c], d = v - a.old[r * a.old_pitch + c];
            a.lower = d < a.lower ? d : a.lower;
            a.upper = d > a.upper ? d : a.upper;
            a.dst[r * a.dst_pitch + c] = v;
        }
}

template <class T>
void commit(CommitArgs<T>& a) {
    constexpr std::size_t W = kWidth<T>;
    const std::size_t whole = a.cols - a.cols % W;
    Vec<T> low = a.lower + Vec<T>{}, high = a.upper + Vec<T>{};
    for (std::size_t r = 0; r < a.rows; ++r) {
        const T *const x = a.x + r * a.x_pitch, *const old = a.old + r * a.old_pitch;
        T* const dst = a.dst + r * a.dst_pitch;
        for (std::size_t c = 0; c < whole; c += W) {
            const Vec<T> v = load(x + c), d = v - load(old + c);
            low = smaller<Vec<T>>(d, low);
            high = larger<Vec<T>>(d, high);
            store(dst + c, v);
        }
    }
    for (std::size_t k = 0; k < W; ++k) {
        a.lower = low[k] < a.lower ? low[k] : a.lower;
        a.upper = high[k] > a.upper ? high[k] : a.upper;
    }
    if (whole < a.cols) commit_scalar(a, whole);
}

}  // namespace
