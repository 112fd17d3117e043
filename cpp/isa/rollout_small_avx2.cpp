#include <immintrin.h>

#include "sparing/rollout_small.hpp"

namespace sparing::small {
namespace {

inline __m256i all(std::uint32_t word) { return _mm256_set1_epi32(static_cast<int>(word)); }

/// High word of `product`, xor b, xor key; high halves of the lanes hold anything.
inline __m256i mix(__m256i product, __m256i b, __m256i key) {
    return _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product, 32), b), key);
}

/// Philox4x32-10 (see philox.hpp) of counters (epoch, replication, 0, 0), for four lanes.
inline void draw_words(const Range& range, std::uint32_t epoch, __m256i replication,
                       __m256i (&out)[4]) {
    const __m256i m0 = all(0xD2511F53u), m1 = all(0xCD9E8D57u);
    std::uint32_t k0 = range.key[0], k1 = range.key[1];
    // In the first round only word 1 differs between lanes.
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * epoch;
    __m256i c0 = _mm256_xor_si256(replication, all(k0)), c1 = _mm256_setzero_si256();
    __m256i c2 = all(static_cast<std::uint32_t>(p0 >> 32) ^ k1);
    __m256i c3 = all(static_cast<std::uint32_t>(p0));
#pragma GCC unroll 9
    for (int round = 1; round < 10; ++round) {
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
        const __m256i q0 = _mm256_mul_epu32(c0, m0), q1 = _mm256_mul_epu32(c2, m1);
        c0 = mix(q1, c1, all(k0));
        c2 = mix(q0, c3, all(k1));
        c1 = q1;
        c3 = q0;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/// Lanes 0..7 of which `even` holds the even ones and `odd` the odd ones.
inline __m256i joined(__m256i even, __m256i odd) {
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

/// Entry (row & 15) of a column, by two permutations of eight.
inline __m256i looked_up(const std::uint32_t* column, __m256i row) {
    const auto* at = reinterpret_cast<const __m256i*>(column);
    const __m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(at), row);
    const __m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(at + 1), row);
    const __m256i upper = _mm256_slli_epi32(row, 28);  // bit 3 to the sign
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high),
                                                _mm256_castsi256_ps(upper)));
}

inline __m256i draw_axis(const Axis& axis, __m256i rows, __m256i word, __m256i next) {
    const __m256i draw = _mm256_min_epu32(word, all(0xFFFFFFFEu));
    const __m256i row = _mm256_srl_epi32(rows, _mm_cvtsi32_si128(static_cast<int>(axis.shift)));
    const __m256i stride = all(axis.stride);
    for (int j = 0; j < axis.num_thresholds; ++j) {
        const std::uint32_t* column = axis.thresholds + 16 * j;
        const __m256i threshold =
            axis.num_thresholds < 8
                ? _mm256_permutevar8x32_epi32(
                      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(column)), row)
                : looked_up(column, row);
        const __m256i beyond = _mm256_cmpeq_epi32(_mm256_max_epu32(draw, threshold), draw);
        next = _mm256_add_epi32(next, _mm256_and_si256(beyond, stride));
    }
    return next;
}

inline __m256d gathered(const double* values, __m256i states, int half) {
    const __m128i at = half ? _mm256_extracti128_si256(states, 1) : _mm256_castsi256_si128(states);
    return _mm256_i32gather_pd(values, at, 8);
}

/// Pay for lanes 0..7 of `totals`, whose kinds lie 16 apart.
inline void pay(const Program& program, __m256i states, __m256i next, __m256d weight,
                double* totals) {
    __m256d low = _mm256_setzero_pd(), high = low;
    for (int n = 0; n < program.num_terms; ++n) {
        const Term& term = program.terms[n];
        const __m256i at = term.behind ? next : states;
        low = _mm256_add_pd(low, gathered(term.values, at, 0));
        high = _mm256_add_pd(high, gathered(term.values, at, 1));
        if (!term.ends_kind) continue;
        _mm256_storeu_pd(totals,
                         _mm256_add_pd(_mm256_loadu_pd(totals), _mm256_mul_pd(weight, low)));
        _mm256_storeu_pd(totals + 4,
                         _mm256_add_pd(_mm256_loadu_pd(totals + 4), _mm256_mul_pd(weight, high)));
        low = high = _mm256_setzero_pd();
        totals += lanes;
    }
}

/// The next states of lanes 0..7, whose draws come as even and odd lanes.
inline __m256i step(const Program& program, __m256i state, const __m256i (&even)[4],
                    const __m256i (&odd)[4]) {
    const auto* rows_of = reinterpret_cast<const int*>(program.rows);
    const auto* rest_of = reinterpret_cast<const int*>(program.rest);
    const __m256i rows = _mm256_i32gather_epi32(rows_of, state, 4);
    __m256i next = rest_of ? _mm256_i32gather_epi32(rest_of, state, 4) : _mm256_setzero_si256();
    for (int i = 0; i < program.num_axes; ++i)
        next = draw_axis(program.axes[i], rows, joined(even[i], odd[i]), next);
    return next;
}

}  // namespace

void roll_avx2(const Program& program, const Range& range, std::uint32_t first,
               std::uint32_t* states, double* totals) {
    for (int half = 0; half < lanes; half += 8) {
        const __m256i lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
        const __m256i even = _mm256_add_epi32(all(first + static_cast<std::uint32_t>(half)), lane);
        const __m256i odd = _mm256_srli_epi64(even, 32);
        auto* at = reinterpret_cast<__m256i*>(states + half);
        __m256i state = _mm256_loadu_si256(at), words[2][4];
        for (std::uint32_t t = 0; t < range.num_epochs; ++t) {
            draw_words(range, range.first_epoch + t, even, words[0]);
            draw_words(range, range.first_epoch + t, odd, words[1]);
            const __m256i next = step(program, state, words[0], words[1]);
            const double weight = range.epoch_weights ? range.epoch_weights[t] : 1.0;
            if (range.counted) pay(program, state, next, _mm256_set1_pd(weight), totals + half);
            state = next;
        }
        _mm256_storeu_si256(at, state);
    }
}

}  // namespace sparing::small
