#pragma once
#include "simd.hpp"
#include "sparing/separable_kernels.hpp"

namespace {

using sparing::Rule;
using sparing::Shape;
using sparing::StepArgs;

constexpr std::size_t kMaxRuntimeAxis = 64;

template <Rule R, class V>
[[gnu::always_inline]] inline V first_term(const V& entry, const V& x) {
    return R == Rule::kExpect ? entry * x : entry + x;
}
template <Rule R, class V>
[[gnu::always_inline]] inline V next_term(const V& sum, const V& entry, const V& x) {
    if constexpr (R == Rule::kExpect) return sum + entry * x;
    return smaller<V>(entry + x, sum);
}

/// `Count` fibres of N vectors in registers: fibre f has its vectors at x[f * Apart + j * Stride].
/// Each entry of the table is read once for all of them.
template <Rule R, Shape S, std::size_t N, std::size_t Stride, std::size_t Count, std::size_t Apart,
          class T>
[[gnu::always_inline]] inline void fibres(const T* table, Vec<T>* x) {
    Vec<T> y[N][Count];
    // Forget that the entries were read before: to keep them all would take too many registers.
    asm volatile("" : "+r"(table));
#pragma GCC unroll 16
    for (std::size_t s = 0; s < N; ++s) {
        const std::size_t begin = S == Shape::kUpper ? s : 0;
        const std::size_t end = S == Shape::kLower ? s + 1 : N;
#pragma GCC unroll 16
        for (std::size_t j = begin; j < end; ++j) {
            const Vec<T> entry = splat(table[s * N + j]);
#pragma GCC unroll 4
            for (std::size_t f = 0; f < Count; ++f) {
                const Vec<T>& from = x[f * Apart + j * Stride];
                y[s][f] =
                    j == begin ? first_term<R>(entry, from) : next_term<R>(y[s][f], entry, from);
            }
        }
    }
#pragma GCC unroll 16
    for (std::size_t s = 0; s < N; ++s)
#pragma GCC unroll 4
        for (std::size_t f = 0; f < Count; ++f) x[f * Apart + s * Stride] = y[s][f];
}

/// `Total` fibres, two at a time where the registers hold them.
template <Rule R, Shape S, std::size_t N, std::size_t Stride, std::size_t Total, std::size_t Apart,
          class T>
[[gnu::always_inline]] inline void all_fibres(const T* table, Vec<T>* x) {
    constexpr std::size_t pairs = N <= 4 ? Total / 2 : 0;
#pragma GCC unroll 16
    for (std::size_t f = 0; f < pairs; ++f)
        fibres<R, S, N, Stride, 2, Apart>(table, x + 2 * f * Apart);
#pragma GCC unroll 16
    for (std::size_t f = 2 * pairs; f < Total; ++f)
        fibres<R, S, N, Stride, 1, Apart>(table, x + f * Apart);
}

/// Both tables on N1 x N2 vectors.
template <Rule R, Shape S, std::size_t N1, std::size_t N2, class T>
[[gnu::always_inline]] inline void both(const T* first, const T* second, Vec<T>* x) {
    if constexpr (N1 > 1) all_fibres<R, S, N1, N2, N2, 1>(first, x);
    all_fibres<R, S, N2, 1, N1, N2>(second, x);
}

/// The last columns, when they are not a multiple of the vector: a vector that overlaps the one
/// before, computed before anything is stored (src may be dst), or part of one.
template <Rule R, Shape S, std::size_t N1, std::size_t N2, class T>
[[gnu::noinline]] void load_tail(const StepArgs<T>& a, const T* src, std::size_t pitch, Vec<T>* x) {
    for (std::size_t k = 0; k < N1 * N2; ++k)
        x[k] = a.cols < kWidth<T> ? load_part(src + k * pitch, a.cols)
                                  : load(src + k * pitch + a.cols - kWidth<T>);
    both<R, S, N1, N2, T>(a.first, a.second, x);
}
template <class T>
[[gnu::noinline]] void store_tail(std::size_t cols, T* dst, std::size_t pitch, std::size_t count,
                                  const Vec<T>* x) {
    for (std::size_t k = 0; k < count; ++k)
        if (cols < kWidth<T>)
            store_part(dst + k * pitch, x[k], cols);
        else
            store(dst + k * pitch + cols - kWidth<T>, x[k]);
}

/// All columns of one tile of N1 x N2 rows.
template <Rule R, Shape S, std::size_t N1, std::size_t N2, class T>
[[gnu::always_inline]] inline void tile(const StepArgs<T>& a, const T* src, T* dst) {
    constexpr std::size_t n = N1 * N2;
    const std::size_t ps = a.src_pitch * a.below, pd = a.dst_pitch * a.below;
    const bool ragged = a.cols % kWidth<T> != 0;
    Vec<T> rest[n];
    if (ragged) load_tail<R, S, N1, N2, T>(a, src, ps, rest);
    const T *const first = a.first, *const second = a.second;
    // N1 pointers and N2 offsets: an address for each of the rows would not fit the registers.
    const T* from[N1];
    T* to[N1];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N1; ++i) from[i] = src + i * N2 * ps, to[i] = dst + i * N2 * pd;
    for (std::size_t c = kWidth<T>; c <= a.cols; c += kWidth<T>) {
        Vec<T> x[n];
#pragma GCC unroll 16
        for (std::size_t i = 0; i < N1; ++i) {
#pragma GCC unroll 16
            for (std::size_t j = 0; j < N2; ++j) x[i * N2 + j] = load(from[i] + j * ps);
            from[i] += kWidth<T>;
        }
        both<R, S, N1, N2, T>(first, second, x);
#pragma GCC unroll 16
        for (std::size_t i = 0; i < N1; ++i) {
#pragma GCC unroll 16
            for (std::size_t j = 0; j < N2; ++j) store(to[i] + j * pd, x[i * N2 + j]);
            to[i] += kWidth<T>;
        }
    }
    if (ragged) store_tail<T>(a.cols, dst, pd, n, rest);
}

template <Rule R, Shape S, std::size_t N1, std::size_t N2, class T>
void step(const StepArgs<T>& a) {
    constexpr std::size_t n = N1 * N2;
    for (std::size_t o = 0; o < a.outer; ++o)
        for (std::size_t b = 0; b < a.below; ++b) {
            const std::size_t row = o * n * a.below + b;
            tile<R, S, N1, N2, T>(a, a.src + row * a.src_pitch, a.dst + row * a.dst_pitch);
        }
}

/// One fibre of run-time length, for tables above the templates' sizes.
template <Rule R, class T>
void long_fibre(const StepArgs<T>& a, const T* src, T* dst, std::size_t c, std::size_t part) {
    const std::size_t n = a.n2;
    Vec<T> x[kMaxRuntimeAxis];
    for (std::size_t k = 0; k < n; ++k) {
        const T* const p = src + k * a.below * a.src_pitch + c;
        x[k] = part ? load_part(p, part) : load(p);
    }
    for (std::size_t s = 0; s < n; ++s) {
        const T* const entry = a.second + s * n;
        Vec<T> y = first_term<R, Vec<T>>(splat(entry[0]), x[0]);
        for (std::size_t j = 1; j < n; ++j) y = next_term<R, Vec<T>>(y, splat(entry[j]), x[j]);
        T* const p = dst + s * a.below * a.dst_pitch + c;
        if (part)
            store_part(p, y, part);
        else
            store(p, y);
    }
}
template <Rule R, class T>
void long_step(const StepArgs<T>& a) {
    const std::size_t rest = a.cols % kWidth<T>, whole = a.cols - rest;
    for (std::size_t o = 0; o < a.outer; ++o)
        for (std::size_t b = 0; b < a.below; ++b) {
            const std::size_t row = o * a.n2 * a.below + b;
            const T* const src = a.src + row * a.src_pitch;
            T* const dst = a.dst + row * a.dst_pitch;
            for (std::size_t c = 0; c < whole; c += kWidth<T>) long_fibre<R>(a, src, dst, c, 0);
            if (rest) long_fibre<R>(a, src, dst, whole, rest);
        }
}

template <class T>
using Step = typename sparing::SeparableKernels<T>::Step;

template <class T, Rule R, Shape S>
Step<T> find_step(std::size_t n1, std::size_t n2) {
    // clang-format off
#define SPARING_STEP(A, B) case 16 * A + B: return &step<R, S, A, B, T>;
    switch (n1 <= 16 && n2 < 16 ? 16 * n1 + n2 : 0) {
        SPARING_STEP(1, 1) SPARING_STEP(1, 2) SPARING_STEP(1, 3) SPARING_STEP(1, 4)
        SPARING_STEP(1, 5) SPARING_STEP(1, 6) SPARING_STEP(1, 7) SPARING_STEP(1, 8)
        SPARING_STEP(1, 9) SPARING_STEP(1, 10)
        SPARING_STEP(2, 2) SPARING_STEP(2, 3) SPARING_STEP(2, 4) SPARING_STEP(2, 5)
        SPARING_STEP(2, 6) SPARING_STEP(2, 7) SPARING_STEP(2, 8)
        SPARING_STEP(3, 2) SPARING_STEP(3, 3) SPARING_STEP(3, 4) SPARING_STEP(3, 5)
        SPARING_STEP(4, 2) SPARING_STEP(4, 3) SPARING_STEP(4, 4)
        SPARING_STEP(5, 2) SPARING_STEP(5, 3)
        SPARING_STEP(6, 2) SPARING_STEP(7, 2) SPARING_STEP(8, 2)
        default: return n1 == 1 ? &long_step<R, T> : nullptr;
    }
// clang-format on
#undef SPARING_STEP
}

template <class T>
Step<T> choose_step(Rule rule, Shape shape, std::size_t n1, std::size_t n2) {
    const auto of_rule = [&]<Rule R>() {
        if (shape == Shape::kUpper) return find_step<T, R, Shape::kUpper>(n1, n2);
        if (shape == Shape::kLower) return find_step<T, R, Shape::kLower>(n1, n2);
        return find_step<T, R, Shape::kFull>(n1, n2);
    };
    return rule == Rule::kExpect ? of_rule.template operator()<Rule::kExpect>()
                                 : of_rule.template operator()<Rule::kMinimise>();
}

}  // namespace
