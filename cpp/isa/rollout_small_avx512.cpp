#include <immintrin.h>

#include "sparing/rollout_small.hpp"

namespace sparing::small {
namespace {

/// 16 lanes of 32-bit words as the low halves of 64-bit lanes: even lanes, then odd ones. High
/// halves hold anything, as a widening multiplication does not read them.
struct Halves {
    __m512i even, odd;
};

inline Halves both(std::uint32_t word) {
    const __m512i all = _mm512_set1_epi32(static_cast<int>(word));
    return {all, all};
}
inline Halves times(Halves a, __m512i factor) {
    return {_mm512_mul_epu32(a.even, factor), _mm512_mul_epu32(a.odd, factor)};
}
inline __m512i xor3(__m512i a, __m512i b, __m512i c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}
/// High words of `product`, xor b, xor key.
inline Halves mix(Halves product, Halves b, __m512i key) {
    return {xor3(_mm512_srli_epi64(product.even, 32), b.even, key),
            xor3(_mm512_srli_epi64(product.odd, 32), b.odd, key)};
}
inline __m512i joined(Halves a) {
    return _mm512_mask_blend_epi32(0xAAAA, a.even, _mm512_slli_epi64(a.odd, 32));
}

/// Philox4x32-10 (see philox.hpp) of counters (epoch, replication, 0, 0).
inline void draw_words(const Range& range, std::uint32_t epoch, Halves replication, __m512i* out) {
    const __m512i m0 = _mm512_set1_epi32(static_cast<int>(0xD2511F53u));
    const __m512i m1 = _mm512_set1_epi32(static_cast<int>(0xCD9E8D57u));
    std::uint32_t k0 = range.key[0], k1 = range.key[1];
    // In the first round only word 1 differs between lanes.
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * epoch;
    const __m512i zero_and_key = _mm512_set1_epi32(static_cast<int>(k0));
    Halves c0{_mm512_xor_si512(replication.even, zero_and_key),
              _mm512_xor_si512(replication.odd, zero_and_key)};
    Halves c1 = both(0), c2 = both(static_cast<std::uint32_t>(p0 >> 32) ^ k1);
    Halves c3 = both(static_cast<std::uint32_t>(p0));
#pragma GCC unroll 9
    for (int round = 1; round < 10; ++round) {
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
        const Halves q0 = times(c0, m0), q1 = times(c2, m1);
        c0 = mix(q1, c1, _mm512_set1_epi32(static_cast<int>(k0)));
        c2 = mix(q0, c3, _mm512_set1_epi32(static_cast<int>(k1)));
        c1 = q1;
        c3 = q0;
    }
    const __m512i largest = _mm512_set1_epi32(static_cast<int>(0xFFFFFFFEu));
    const Halves words[4] = {c0, c1, c2, c3};
    for (int w = 0; w < 4; ++w) out[w] = _mm512_min_epu32(joined(words[w]), largest);
}

inline __m512i draw_axis(const Axis& axis, __m512i rows, __m512i draw, __m512i next) {
    // The permutation reads the low four bits of a row alone.
    const __m512i row = _mm512_srli_epi32(rows, axis.shift);
    const __m512i stride = _mm512_set1_epi32(static_cast<int>(axis.stride));
    for (int j = 0; j < axis.num_thresholds; ++j) {
        const __m512i column = _mm512_loadu_si512(axis.thresholds + 16 * j);
        const __m512i threshold = _mm512_permutexvar_epi32(row, column);
        next = _mm512_mask_add_epi32(next, _mm512_cmpge_epu32_mask(draw, threshold), next, stride);
    }
    return next;
}

inline void pay(const Program& program, __m512i states, __m512i next, __m512d weight,
                double* totals) {
    __m512d low = _mm512_setzero_pd(), high = low;
    for (int n = 0; n < program.num_terms; ++n) {
        const Term& term = program.terms[n];
        const __m512i at = term.behind ? next : states;
        const __m256i first = _mm512_castsi512_si256(at), last = _mm512_extracti64x4_epi64(at, 1);
        low = _mm512_add_pd(low, _mm512_i32gather_pd(first, term.values, 8));
        high = _mm512_add_pd(high, _mm512_i32gather_pd(last, term.values, 8));
        if (!term.ends_kind) continue;
        _mm512_storeu_pd(totals,
                         _mm512_add_pd(_mm512_loadu_pd(totals), _mm512_mul_pd(weight, low)));
        _mm512_storeu_pd(totals + 8,
                         _mm512_add_pd(_mm512_loadu_pd(totals + 8), _mm512_mul_pd(weight, high)));
        low = high = _mm512_setzero_pd();
        totals += lanes;
    }
}

template <int num_axes>
void roll(const Program& program, const Range& range, std::uint32_t first, std::uint32_t* states,
          double* totals) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i numbers = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)), lane);
    const Halves replication{numbers, _mm512_srli_epi64(numbers, 32)};
    __m512i state = _mm512_loadu_si512(states);
    for (std::uint32_t t = 0; t < range.num_epochs; ++t) {
        __m512i words[4];
        draw_words(range, range.first_epoch + t, replication, words);
        const __m512i rows = _mm512_i32gather_epi32(state, program.rows, 4);
        __m512i next = _mm512_setzero_si512();
        if (program.rest) next = _mm512_i32gather_epi32(state, program.rest, 4);
        for (int i = 0; i < num_axes; ++i) next = draw_axis(program.axes[i], rows, words[i], next);
        const double weight = range.epoch_weights ? range.epoch_weights[t] : 1.0;
        if (range.counted) pay(program, state, next, _mm512_set1_pd(weight), totals);
        state = next;
    }
    _mm512_storeu_si512(states, state);
}

}  // namespace

void roll_avx512(const Program& program, const Range& range, std::uint32_t first,
                 std::uint32_t* states, double* totals) {
    if (program.num_axes == 1) return roll<1>(program, range, first, states, totals);
    if (program.num_axes == 2) return roll<2>(program, range, first, states, totals);
    if (program.num_axes == 3) return roll<3>(program, range, first, states, totals);
    roll<4>(program, range, first, states, totals);
}

}  // namespace sparing::small
