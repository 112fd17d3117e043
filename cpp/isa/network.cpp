// Compiled once per instruction set (SPARING_ISA): the layers of a small network for many lanes.
// A lane's sums do not depend on the lanes beside it.
#include "simd.hpp"
#include "sparing/network_kernels.hpp"

#define SPARING_JOIN(a, b) a##b
#define SPARING_NAME(isa) SPARING_JOIN(network_, isa)
#define SPARING_TEXT(x) #x
#define SPARING_QUOTE(x) SPARING_TEXT(x)

namespace sparing {
namespace {

using V = Vec<float>;
constexpr std::size_t W = kWidth<float>;
// Rows and columns (in vectors) of a block of sums that fits the registers.
constexpr std::size_t kRows = 6, kColumns = kVectorBytes == 64 ? 4 : 2;
constexpr float kEpsilon = 1e-5f;

void row_sum(const RowSum& a) {
    for (std::size_t l = 0; l < a.lanes; ++l)
        for (std::size_t c = 0; c < a.padded; c += W) {
            V sum = load(a.base + c);
            for (std::size_t k = 0; k < a.count; ++k)
                sum += load(a.rows + static_cast<std::size_t>(a.index[l * a.count + k]) * a.padded +
                            c);
            store(a.y + l * a.padded + c, sum);
        }
}

template <std::size_t R, std::size_t C>
[[gnu::always_inline]] inline void block(const Dense& a, std::size_t lane, std::size_t column) {
    V sum[R][C];
    const float* const bias = a.bias + column;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (std::size_t c = 0; c < C; ++c) sum[r][c] = load(bias + c * W);
    const float* const x = a.x + lane * a.pitch;
    for (std::size_t k = 0; k < a.inputs; ++k) {
        V w[C];
#pragma GCC unroll 4
        for (std::size_t c = 0; c < C; ++c) w[c] = load(a.weight + k * a.padded + column + c * W);
#pragma GCC unroll 16
        for (std::size_t r = 0; r < R; ++r) {
            const V value = splat(x[r * a.pitch + k]);
#pragma GCC unroll 4
            for (std::size_t c = 0; c < C; ++c) sum[r][c] += value * w[c];
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (std::size_t c = 0; c < C; ++c)
            store(a.y + (lane + r) * a.padded + column + c * W, sum[r][c]);
}

/// Lanes are taken up to a multiple of `network_lanes`.
void dense(const Dense& a) {
    std::size_t column = 0;
    for (; column + kColumns * W <= a.padded; column += kColumns * W)
        for (std::size_t lane = 0; lane < a.lanes; lane += kRows)
            block<kRows, kColumns>(a, lane, column);
    for (; column < a.padded; column += W)
        for (std::size_t lane = 0; lane < a.lanes; lane += network_lanes)
            block<network_lanes, 1>(a, lane, column);
}

template <std::size_t Span, std::size_t... K>
[[gnu::always_inline]] inline V folded(V v, std::index_sequence<K...>) {
    return v + __builtin_shufflevector(v, v, (K ^ Span)...);
}
/// The sum of all entries, in each of them.
template <std::size_t Span = W / 2>
[[gnu::always_inline]] inline V total(V v) {
    if constexpr (Span == 0)
        return v;
    else
        return total<Span / 2>(folded<Span>(v, std::make_index_sequence<W>{}));
}

[[gnu::always_inline]] inline V positive(V v) {
    const V zero = splat(0.0f);
    return v > zero ? v : zero;
}

void activate(const Activation& a) {
    for (std::size_t l = 0; l < a.lanes; ++l) {
        float* const x = a.x + l * a.padded;
        if (!a.scale) {
            for (std::size_t c = 0; c < a.padded; c += W) store(x + c, positive(load(x + c)));
            continue;
        }
        V sum = splat(0.0f), squares = splat(0.0f);
        for (std::size_t c = 0; c < a.padded; c += W) sum += load(x + c);
        const float share = 1.0f / static_cast<float>(a.width);
        const V mean = total(sum) * splat(share);
        for (std::size_t c = a.width; c < a.padded; ++c) x[c] = mean[0];  // adds nothing below
        for (std::size_t c = 0; c < a.padded; c += W) {
            const V apart = load(x + c) - mean;
            squares += apart * apart;
        }
        const float variance = total(squares)[0] * share;
        const V factor = splat(1.0f / __builtin_sqrtf(variance + kEpsilon));
        for (std::size_t c = 0; c < a.padded; c += W)
            store(x + c,
                  positive((load(x + c) - mean) * factor * load(a.scale + c) + load(a.offset + c)));
    }
}

}  // namespace

const NetworkKernels* SPARING_NAME(SPARING_ISA)() {
    static constexpr NetworkKernels kernels{SPARING_QUOTE(SPARING_ISA), &row_sum, &dense,
                                            &activate};
    return &kernels;
}

}  // namespace sparing
