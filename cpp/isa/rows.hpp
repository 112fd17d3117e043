#pragma once
#include "simd.hpp"
#include "sparing/separable_kernels.hpp"

namespace {

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

template <class E>
void from_lanes(const E* src, E* dst, std::size_t pitch, std::size_t rows, std::size_t cols) {
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
                for (std::size_t i = 0; i < W; ++i) store(line + i * pitch + c, block[i]);
            } else {
                for (std::size_t i = 0; i < count; ++i) store(line + i * pitch + c, block[i]);
            }
        }
    }
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

template <class T>
[[gnu::always_inline]] inline void finish_at(const FinishArgs<T>& a, T* x, std::size_t c,
                                             std::size_t part) {
    Vec<T> y = load(x + c);
    if (a.w) y = smaller<Vec<T>>(kept(a, c, part), a.branch + y);
    store(x + c, Vec<T>(a.scale * y + added(a, c)));
}

/// The row x is padded to whole vectors.
template <class T>
void finish(const FinishArgs<T>& args, T* x, std::size_t cols) {
    const FinishArgs<T> a = args;
    const std::size_t rest = cols % kWidth<T>, whole = cols - rest;
    for (std::size_t c = 0; c < whole; c += kWidth<T>) finish_at(a, x, c, 0);
    if (rest) finish_at(a, x, whole, rest);
}

template <class T>
void commit(const T* x, const T* old, T* dst, std::size_t cols, T* lower, T* upper) {
    T lo = *lower, hi = *upper;
    std::size_t c = 0;
    if (cols >= kWidth<T>) {
        Vec<T> low = lo + Vec<T>{}, high = hi + Vec<T>{};
        for (; c + kWidth<T> <= cols; c += kWidth<T>) {
            const Vec<T> v = load(x + c), d = v - load(old + c);
            low = smaller<Vec<T>>(d, low);
            high = larger<Vec<T>>(d, high);
            store(dst + c, v);
        }
        for (std::size_t k = 0; k < kWidth<T>; ++k) {
            lo = low[k] < lo ? low[k] : lo;
            hi = high[k] > hi ? high[k] : hi;
        }
    }
    for (; c < cols; ++c) {
        const T d = x[c] - old[c];
        lo = d < lo ? d : lo;
        hi = d > hi ? d : hi;
        dst[c] = x[c];
    }
    *lower = lo;
    *upper = hi;
}

}  // namespace
