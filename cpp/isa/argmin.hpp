#pragma once
#include "rows.hpp"

namespace {

/// Running minimum over the entries of a row; the first entry wins a tie.
template <class T>
struct Best {
    Vec<T> value;
    Vec<IndexOf<T>> index;

    [[gnu::always_inline]] void take(const Vec<T>& v, const Vec<IndexOf<T>>& i) {
        const auto less = v < value;
        index = less ? i : index;
        value = less ? v : value;
    }
};

/// A vector of indices as registers hold it beside the values.
template <class T>
using Indices = Vec<IndexOf<T>>;

template <class E>
[[gnu::always_inline]] inline Vec<E> load_some(const E* p, std::size_t part) {
    return part ? load_part(p, part) : load(p);
}
template <class E>
[[gnu::always_inline]] inline void store_some(E* p, const Vec<E>& v, std::size_t part) {
    if (part)
        store_part(p, v, part);
    else
        store(p, v);
}

template <class T>
[[gnu::always_inline]] inline Indices<T> load_index_some(const std::uint32_t* p, std::size_t part) {
    if (part == 0) return load_as<IndexOf<T>>(p);
    Indices<T> v{};
    for (std::size_t k = 0; k < part; ++k) v[k] = p[k];
    return v;
}
template <class T>
[[gnu::always_inline]] inline void store_index_some(std::uint32_t* p, const Indices<T>& v,
                                                    std::size_t part) {
    if (part == 0) return store_as<IndexOf<T>>(p, v);
    for (std::size_t k = 0; k < part; ++k) p[k] = static_cast<std::uint32_t>(v[k]);
}

/// Columns [c, c + width) of all rows of one table; `part` > 0 takes that many columns only.
template <class T>
[[gnu::always_inline]] inline void argmin_at(const T* table, std::size_t n, std::size_t inner,
                                             const T* src, const std::uint32_t* index_src, T* dst,
                                             std::uint32_t* index_dst, std::size_t part) {
    for (std::size_t s = 0; s < n; ++s) {
        Best<T> best{table[s * n] + load_some(src, part), load_index_some<T>(index_src, part)};
        for (std::size_t j = 1; j < n; ++j)
            best.take(table[s * n + j] + load_some(src + j * inner, part),
                      load_index_some<T>(index_src + j * inner, part));
        store_some(dst + s * inner, best.value, part);
        store_index_some<T>(index_dst + s * inner, best.index, part);
    }
}

template <class T>
void argmin(const T* table, std::size_t n, std::size_t outer, std::size_t inner, const T* src,
            const std::uint32_t* index_src, T* dst, std::uint32_t* index_dst) {
    constexpr std::size_t W = kWidth<T>;
    for (std::size_t o = 0; o < outer; ++o) {
        const std::size_t begin = o * n * inner;
        for (std::size_t next = 0; next < inner; next += W) {
            const std::size_t c = inner < W || next + W <= inner ? next : inner - W;
            const std::size_t at = begin + c;
            if (inner < W)
                argmin_at(table, n, inner, src + at, index_src + at, dst + at, index_dst + at,
                          inner);
            else
                argmin_at(table, n, inner, src + at, index_src + at, dst + at, index_dst + at, 0);
        }
    }
}

/// A vector of consecutive numbers.
template <class E>
[[gnu::always_inline]] inline Vec<E> count_from(std::size_t begin) {
    Vec<E> v;
    for (std::size_t k = 0; k < kWidth<E>; ++k) v[k] = static_cast<E>(k);
    return v + static_cast<E>(begin);
}

template <class T>
void argmin_first(const T* row, std::size_t n, const T* src, std::size_t stride, std::size_t begin,
                  std::size_t index_stride, std::size_t cols, T* dst, std::uint32_t* index_dst) {
    constexpr std::size_t W = kWidth<T>;
    for (std::size_t next = 0; next < cols; next += W) {
        const std::size_t c = cols < W || next + W <= cols ? next : cols - W;
        const std::size_t part = cols < W ? cols : 0;
        const Indices<T> own = count_from<IndexOf<T>>(begin + c);
        Best<T> best{row[0] + load_some(src + c, part), own};
        for (std::size_t j = 1; j < n; ++j)
            best.take(row[j] + load_some(src + j * stride + c, part),
                      own + static_cast<IndexOf<T>>(j * index_stride));
        store_some(dst + c, best.value, part);
        store_index_some<T>(index_dst + c, best.index, part);
    }
}

/// Smallest and largest change and largest magnitude of a value so far.
template <class T>
struct Change {
    Vec<T> low, high, largest;
};

/// One vector of `compare`, or the first `part` > 0 entries of one. x, index and the cost rows are
/// padded; what the states own is read before anything is written, as it may be the same memory.
template <class T>
[[gnu::always_inline]] inline void compare_at(const CompareArgs<T>& a, const std::uint32_t* index,
                                              const SumRow<T>& keep, const SumRow<T>& add,
                                              std::size_t c, std::size_t part, Change<T>& change) {
    Vec<T> best = load(a.cost.x + c);
    Indices<T> choice = load_as<IndexOf<T>>(index + c);
    if (a.cost.w) {
        const Vec<T> stay = load_some(a.cost.w + c, part) + keep.template at<2>(c);
        const Vec<T> act = a.branch + best;
        choice = act < stay ? choice : count_from<IndexOf<T>>(a.base + c);
        best = smaller<Vec<T>>(act, stay);
    }
    const Vec<T> value = best + add.template at<2>(c);
    const Vec<T> old = load_some(a.old + c, part), d = value - old;
    change.largest = larger<Vec<T>>(larger<Vec<T>>(old, -old), change.largest);
    if (part == 0) {
        change.low = smaller<Vec<T>>(d, change.low);
        change.high = larger<Vec<T>>(d, change.high);
        if (a.value) store(a.value + c, value);
        if (a.policy) store_as<IndexOf<T>>(a.policy + c, choice);
        return;
    }
    for (std::size_t k = 0; k < part; ++k) {
        change.low[k] = d[k] < change.low[k] ? d[k] : change.low[k];
        change.high[k] = d[k] > change.high[k] ? d[k] : change.high[k];
        if (a.value) a.value[c + k] = value[k];
        if (a.policy) a.policy[c + k] = static_cast<std::uint32_t>(choice[k]);
    }
}

template <class T>
void compare(CompareArgs<T>& args, const std::uint32_t* index) {
    const CompareArgs<T> a = args;
    const SumRow<T> keep(a.cost.costs->keep, a.cost.keep_tables, a.cost.num_keep, 0);
    const SumRow<T> add(a.cost.costs->add, a.cost.add_tables, a.cost.num_add, 0);
    Change<T> change{splat(a.lower), splat(a.upper), splat(a.largest)};
    const std::size_t rest = a.cost.cols % kWidth<T>, whole = a.cost.cols - rest;
    for (std::size_t c = 0; c < whole; c += kWidth<T>)
        compare_at(a, index, keep, add, c, 0, change);
    if (rest) compare_at(a, index, keep, add, whole, rest, change);
    for (std::size_t k = 0; k < kWidth<T>; ++k) {
        args.lower = change.low[k] < args.lower ? change.low[k] : args.lower;
        args.upper = change.high[k] > args.upper ? change.high[k] : args.upper;
        args.largest = change.largest[k] > args.largest ? change.largest[k] : args.largest;
    }
}

}  // namespace
