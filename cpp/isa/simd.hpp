#pragma once
// Vectors of the native width as compiler vector extensions. Every file here is compiled once per
// instruction set, all of it in an unnamed namespace: a function the linker could share between
// the copies would let the widest one run on a processor that lacks it. For the same reason these
// files call nothing from the standard library that may be emitted as a function of its own.
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
constexpr std::size_t kWidth = kVectorBytes / sizeof(T);

template <class T>
[[gnu::always_inline]] inline Vec<T> load(const T* p) {
    Vec<T> v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
/// All entries equal; x - 0 is x, so the compiler leaves the broadcast alone.
template <class T>
[[gnu::always_inline]] inline Vec<T> splat(T x) {
    return x - Vec<T>{};
}
template <class T>
[[gnu::always_inline]] inline void store(T* p, const Vec<T>& v) {
    __builtin_memcpy(p, &v, sizeof v);
}
/// A store that bypasses the caches: only for whole lines, else it would be slow.
template <class T>
[[gnu::always_inline]] inline void store_line([[maybe_unused]] T* p,
                                              [[maybe_unused]] const Vec<T>& v) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(p), reinterpret_cast<const __m512i&>(v));
#else
    store(p, v);
#endif
}
template <class T>
[[gnu::always_inline]] inline bool on_lines(const T* p, std::size_t pitch) {
    return kVectorBytes == 64 &&
           (reinterpret_cast<std::uintptr_t>(p) | (pitch * sizeof(T))) % 64 == 0;
}
inline void fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}
template <class T>
inline Vec<T> load_part(const T* p, std::size_t count) {
    Vec<T> v{};
    for (std::size_t k = 0; k < count; ++k) v[k] = p[k];
    return v;
}
template <class T>
inline void store_part(T* p, const Vec<T>& v, std::size_t count) {
    for (std::size_t k = 0; k < count; ++k) p[k] = v[k];
}
/// Numbers that memory holds as M, which is no wider than E.
template <class E, class M>
[[gnu::always_inline]] inline Vec<E> load_as(const M* p) {
    typedef M Narrow __attribute__((vector_size(kWidth<E> * sizeof(M))));
    Narrow v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, Vec<E>);
}
template <class E, class M>
[[gnu::always_inline]] inline void store_as(M* p, const Vec<E>& v) {
    typedef M Narrow __attribute__((vector_size(kWidth<E> * sizeof(M))));
    const Narrow n = __builtin_convertvector(v, Narrow);
    __builtin_memcpy(p, &n, sizeof n);
}
template <class V>
[[gnu::always_inline]] inline V smaller(const V& a, const V& b) {
    return a < b ? a : b;
}
template <class V>
[[gnu::always_inline]] inline V larger(const V& a, const V& b) {
    return a > b ? a : b;
}

/// The halves of two vectors at `a` and `b`, side by side.
template <class E, std::size_t... K>
[[gnu::always_inline]] inline Vec<E> load_halves(const E* a, const E* b,
                                                 std::index_sequence<K...>) {
    typedef E Half __attribute__((vector_size(kVectorBytes / 2)));
    Half low, high;
    __builtin_memcpy(&low, a, sizeof low);
    __builtin_memcpy(&high, b, sizeof high);
    return __builtin_shufflevector(low, high, K...);
}

/// Rows i and i + width / 2 of a square block, after the first butterfly of its transpose: the
/// loads do its work, which relieves the port of the shuffles.
template <class E, class Line>
[[gnu::always_inline]] inline void load_block(const Line& line, Vec<E>* rows) {
    constexpr std::size_t half = kWidth<E> / 2;
    constexpr auto all = std::make_index_sequence<kWidth<E>>{};
#pragma GCC unroll 16
    for (std::size_t i = 0; i < half; ++i) {
        const E *const a = line(i), *const b = line(i + half);
        rows[i] = load_halves<E>(a, b, all);
        rows[i + half] = load_halves<E>(a + half, b + half, all);
    }
}

/// One butterfly of a transpose: exchanges the off-diagonal blocks of `Span` lanes of two rows.
template <class E, std::size_t Span, std::size_t... K>
[[gnu::always_inline]] inline void swap_blocks(Vec<E>& a, Vec<E>& b, std::index_sequence<K...>) {
    constexpr std::size_t n = sizeof...(K);
    const Vec<E> low = __builtin_shufflevector(a, b, ((K & Span) ? n + K - Span : K)...);
    b = __builtin_shufflevector(a, b, ((K & Span) ? n + K : K + Span)...);
    a = low;
}
template <class E, std::size_t Span = kWidth<E> / 2>
[[gnu::always_inline]] inline void transpose(Vec<E>* rows) {
    if constexpr (Span > 0) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kWidth<E>; ++i)
            if (!(i & Span))
                swap_blocks<E, Span>(rows[i], rows[i + Span],
                                     std::make_index_sequence<kWidth<E>>{});
        transpose<E, Span / 2>(rows);
    }
}
/// A square block, line by line from memory, transposed.
template <class E, class M, class Line>
[[gnu::always_inline]] inline void load_transposed(const Line& line, Vec<E>* rows) {
    if constexpr (std::is_same_v<E, M>) {
        load_block<E>(line, rows);
        transpose<E, kWidth<E> / 4>(rows);
    } else {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kWidth<E>; ++i) rows[i] = load_as<E, M>(line(i));
        transpose<E>(rows);
    }
}

}  // namespace
