#pragma once
#include "block.hpp"

namespace {

using sparing::StepArgs;
using sparing::Variant;

constexpr std::size_t kMaxRuntimeAxis = 64;

/// The last columns, when they are not a multiple of the vector: a vector that overlaps the one
/// before, computed before anything is stored (src may be dst), or part of one.
template <Rule R, Shape S, bool Idle, std::size_t N1, std::size_t N2, class T>
[[gnu::noinline]] void load_tail(const StepArgs<T>& a, const T* src, std::size_t pitch, Vec<T>* x) {
    for (std::size_t k = 0; k < N1 * N2; ++k)
        x[k] = a.cols < kWidth<T> ? load_part(src + k * pitch, a.cols)
                                  : load(src + k * pitch + a.cols - kWidth<T>);
    both<R, S, Idle, N1, N2, T>(a.first, a.second, x);
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

/// A run of blocks: where it begins and how far apart the blocks are, in entries, rows, columns.
template <class T>
struct Run {
    const T* src;
    T* dst;
    std::size_t row, count, src_advance, dst_advance, row_advance, col_advance;
};

/// `run.count` times N1 x N2 vectors in registers.
template <Rule R, Shape S, bool Idle, Variant K, std::size_t N1, std::size_t N2, class T>
[[gnu::always_inline]] inline void blocks(const StepArgs<T>& a, const Run<T>& run, Vec<T>* low,
                                          Vec<T>* high) {
    constexpr std::size_t n = N1 * N2;
    constexpr Shape next = sparing::opposite(S);
    const std::size_t ps = a.src_pitch * a.below, pd = a.dst_pitch * a.below;
    [[maybe_unused]] const std::ptrdiff_t kept = K == Variant::kThenMinimise ? a.kept - a.dst : 0;
    const T *const first = a.first, *const second = a.second;
    // N1 pointers and N2 offsets: an address for each of the rows would not fit the registers.
    const T* from[N1];
    T* to[N1];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < N1; ++i)
        from[i] = run.src + i * N2 * ps, to[i] = run.dst + i * N2 * pd;
    std::size_t row = run.row, col = 0;
    for (std::size_t count = run.count; count > 0; --count) {
        Vec<T> x[n];
        if constexpr (K == Variant::kFromRows) {
            load_columns<n>(from[0], a.src_pitch, x);
        } else {
#pragma GCC unroll 16
            for (std::size_t k = 0; k < n; ++k) x[k] = load(from[k / N2] + k % N2 * ps);
        }
        both<R, S, Idle, N1, N2, T>(first, second, x);
        if constexpr (K == Variant::kFinish || K == Variant::kThenExpect)
            finish_block<n>(*a.finish, row, col, x);
        if constexpr (K == Variant::kThenExpect)
            both<Rule::kExpect, next, false, N1, N2, T>(a.next_first, a.next_second, x);
        if constexpr (K == Variant::kThenMinimise) {
#pragma GCC unroll 16
            for (std::size_t k = 0; k < n; ++k) store(to[k / N2] + kept + k % N2 * pd, x[k]);
            both<Rule::kMinimise, next, true, N1, N2, T>(a.next_first, a.next_second, x);
        }
        // All loads before all stores: rows a power of two apart look like the same address.
        if constexpr (K == Variant::kCommit)
            compare_block<N1, N2, T>(a.commit->extra, x, to, pd, low, high);
        if constexpr (K == Variant::kToRows) {
            store_columns<n>(x, to[0], a.dst_pitch, a.stream);
            if (a.also) {
#pragma GCC unroll 16
                for (std::size_t k = 0; k < n; ++k)
                    x[k] = load(a.also + (from[0] - a.src) + k * ps);
                store_columns<n>(x, a.also_dst + (to[0] - a.dst), a.also_pitch, a.stream);
            }
        } else {
#pragma GCC unroll 16
            for (std::size_t k = 0; k < n; ++k) store(to[k / N2] + k % N2 * pd, x[k]);
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < N1; ++i) from[i] += run.src_advance, to[i] += run.dst_advance;
        row += run.row_advance;
        col += run.col_advance;
    }
}

/// How the blocks of a step lie: tiles of one vector are taken in one run where they are evenly
/// apart.
template <std::size_t N, Variant K, class T>
Run<T> first_run(const StepArgs<T>& a, std::size_t& runs) {
    constexpr std::size_t W = kWidth<T>;
    const bool thin = a.cols == W, single = a.below == 1;
    runs = !thin ? a.outer * a.below : single ? 1 : a.outer;
    const std::size_t apart = single ? N : 1;
    if (!thin) return {a.src, a.dst, 0, a.cols / W, W, W, 0, W};
    return {a.src,
            a.dst,
            0,
            single ? a.outer : a.below,
            K == Variant::kFromRows ? N : apart * a.src_pitch,
            K == Variant::kToRows ? N : apart * a.dst_pitch,
            apart,
            0};
}

template <Rule R, Shape S, bool Idle, Variant K, std::size_t N1, std::size_t N2, class T>
void step(const StepArgs<T>& a) {
    constexpr std::size_t n = N1 * N2, W = kWidth<T>;
    const bool ragged = K == Variant::kPlain && a.cols % W != 0;
    std::size_t runs;
    Run<T> run = first_run<n, K>(a, runs);
    Vec<T> low[4], high[4];
    if constexpr (K == Variant::kCommit)
        for (std::size_t k = 0; k < 4; ++k)
            low[k] = splat(a.commit->lower), high[k] = splat(a.commit->upper);
    for (std::size_t k = 0; k < runs; ++k) {
        if (runs > 1) {
            run.row = a.cols == W ? k * n * a.below : k / a.below * n * a.below + k % a.below;
            run.src = a.src + run.row * a.src_pitch;
            run.dst = a.dst + run.row * a.dst_pitch;
        }
        Vec<T> rest[n];
        if (ragged) load_tail<R, S, Idle, N1, N2, T>(a, run.src, a.src_pitch * a.below, rest);
        blocks<R, S, Idle, K, N1, N2, T>(a, run, low, high);
        if (ragged) store_tail<T>(a.cols, run.dst, a.dst_pitch * a.below, n, rest);
    }
    if constexpr (K == Variant::kCommit) widen<T>(low, high, *a.commit);
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

/// Only the widest vectors come with registers enough to do more at a time than the tables; rows
/// are turned only where they fill vectors.
template <class T, Rule R, Shape S, bool Idle, Variant K, std::size_t N1, std::size_t N2>
Step<T> step_of() {
    constexpr bool turns = K == Variant::kFromRows || K == Variant::kToRows;
    constexpr bool chained = K == Variant::kThenExpect || K == Variant::kThenMinimise;
    if constexpr (K != Variant::kPlain && kVectorBytes < 64)
        return nullptr;
    else if constexpr (turns && (kLanes<T> != kWidth<T> || N1 * N2 % kWidth<T> != 0))
        return nullptr;
    else if constexpr (chained && R == Rule::kMinimise && !Idle)
        return nullptr;
    else
        return &step<R, S, Idle, K, N1, N2, T>;
}

template <class T, Rule R, Shape S, bool Idle, Variant K>
Step<T> find_step(std::size_t n1, std::size_t n2) {
    // clang-format off
#define SPARING_STEP(A, B) case 16 * A + B: return step_of<T, R, S, Idle, K, A, B>();
    switch (n1 <= 16 && n2 < 16 ? 16 * n1 + n2 : 0) {
        SPARING_STEP(1, 3) SPARING_STEP(1, 4) SPARING_STEP(4, 4)
#ifndef SPARING_FEW_KERNELS  // what is left out then is done by the loops of run-time size
        SPARING_STEP(1, 1) SPARING_STEP(1, 2)
        SPARING_STEP(1, 5) SPARING_STEP(1, 6) SPARING_STEP(1, 7) SPARING_STEP(1, 8)
        SPARING_STEP(1, 9) SPARING_STEP(1, 10)
        SPARING_STEP(2, 2) SPARING_STEP(2, 3) SPARING_STEP(2, 4) SPARING_STEP(2, 5)
        SPARING_STEP(2, 6) SPARING_STEP(2, 7) SPARING_STEP(2, 8)
        SPARING_STEP(3, 2) SPARING_STEP(3, 3) SPARING_STEP(3, 4) SPARING_STEP(3, 5)
        SPARING_STEP(4, 2) SPARING_STEP(4, 3)
        SPARING_STEP(5, 2) SPARING_STEP(5, 3)
        SPARING_STEP(6, 2) SPARING_STEP(7, 2) SPARING_STEP(8, 2)
#endif
        default: return n1 == 1 && K == Variant::kPlain ? &long_step<R, T> : nullptr;
    }
// clang-format on
#undef SPARING_STEP
}

template <class T, Rule R, Shape S, bool Idle>
Step<T> find_variant(Variant variant, std::size_t n1, std::size_t n2) {
    constexpr bool expect = R == Rule::kExpect;
    constexpr Variant ending = expect ? Variant::kCommit : Variant::kFinish;
    constexpr Variant turning = expect ? Variant::kFromRows : Variant::kToRows;
    constexpr Variant chained = expect ? Variant::kThenMinimise : Variant::kThenExpect;
    if (variant == Variant::kPlain) return find_step<T, R, S, Idle, Variant::kPlain>(n1, n2);
    if (variant == ending) return find_step<T, R, S, Idle, ending>(n1, n2);
    if (variant == turning) return find_step<T, R, S, Idle, turning>(n1, n2);
    if (variant == chained) return find_step<T, R, S, Idle, chained>(n1, n2);
    return nullptr;
}

template <class T>
Step<T> choose_step(Rule rule, Shape shape, bool idle, Variant variant, std::size_t n1,
                    std::size_t n2) {
    constexpr auto kExpect = Rule::kExpect, kMinimise = Rule::kMinimise;
    constexpr auto kFull = Shape::kFull, kUpper = Shape::kUpper, kLower = Shape::kLower;
    if (rule == kExpect && shape == kUpper)
        return find_variant<T, kExpect, kUpper, false>(variant, n1, n2);
    if (rule == kExpect && shape == kLower)
        return find_variant<T, kExpect, kLower, false>(variant, n1, n2);
    if (rule == kExpect) return find_variant<T, kExpect, kFull, false>(variant, n1, n2);
    if (!idle) return find_variant<T, kMinimise, kFull, false>(variant, n1, n2);
    if (shape == kUpper) return find_variant<T, kMinimise, kUpper, true>(variant, n1, n2);
    if (shape == kLower) return find_variant<T, kMinimise, kLower, true>(variant, n1, n2);
    return find_variant<T, kMinimise, kFull, true>(variant, n1, n2);
}

}  // namespace
