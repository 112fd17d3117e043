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

/// Columns [c, c + width) of all rows of one table; `part` > 0 takes that many columns only.
template <class T>
[[gnu::always_inline]] inline void argmin_at(const T* table, std::size_t n, std::size_t inner,
                                             const T* src, const IndexOf<T>* index_src, T* dst,
                                             IndexOf<T>* index_dst, std::size_t part) {
    for (std::size_t s = 0; s < n; ++s) {
        Best<T> best{table[s * n] + load_some(src, part), load_some(index_src, part)};
        for (std::size_t j = 1; j < n; ++j)
            best.take(table[s * n + j] + load_some(src + j * inner, part),
                      load_some(index_src + j * inner, part));
        store_some(dst + s * inner, best.value, part);
        store_some(index_dst + s * inner, best.index, part);
    }
}

template <class T>
void argmin(const T* table, std::size_t n, std::size_t outer, std::size_t inner, const T* src,
            const IndexOf<T>* index_src, T* dst, IndexOf<T>* index_dst) {
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

template <class T>
void argmin_first(const T* row, std::size_t n, const T* src, std::size_t stride,
                  std::size_t own_index, std::size_t cols, T* dst, IndexOf<T>* index_dst) {
    constexpr std::size_t W = kWidth<T>;
    Vec<IndexOf<T>> ramp;
    for (std::size_t k = 0; k < W; ++k) ramp[k] = static_cast<IndexOf<T>>(k);
    for (std::size_t next = 0; next < cols; next += W) {
        const std::size_t c = cols < W || next + W <= cols ? next : cols - W;
        const std::size_t part = cols < W ? cols : 0;
        const Vec<IndexOf<T>> own = ramp + static_cast<IndexOf<T>>(own_index + c);
        Best<T> best{row[0] + load_some(src + c, part), own};
        for (std::size_t j = 1; j < n; ++j)
            best.take(row[j] + load_some(src + j * stride + c, part),
                      own + static_cast<IndexOf<T>>(j * stride));
        store_some(dst + c, best.value, part);
        store_some(index_dst + c, best.index, part);
    }
}

/// One vector of `compare`; x and index are padded, all that states own is read before a write.
template <class T>
[[gnu::always_inline]] inline void compare_at(CompareArgs<T>& a, const IndexOf<T>* index,
                                              const SumRow<T>& keep, const SumRow<T>& add,
                                              std::size_t c, std::size_t count) {
    using Index = IndexOf<T>;
    Vec<T> best = load(a.cost.x + c);
    Vec<Index> choice = load(index + c);
    if (a.cost.w) {
        const Vec<T> w = count < kWidth<T> ? load_part(a.cost.w + c, count) : load(a.cost.w + c);
        const Vec<T> stay = w + keep.template at<2>(c), act = a.cost.branch + best;
        Vec<Index> own;
        for (std::size_t k = 0; k < kWidth<T>; ++k) own[k] = static_cast<Index>(a.base + c + k);
        choice = act < stay ? choice : own;
        best = smaller<Vec<T>>(act, stay);
    }
    const Vec<T> value = best + add.template at<2>(c);
    for (std::size_t k = 0; k < count; ++k) {
        const T d = value[k] - a.old[c + k];
        a.lower = d < a.lower ? d : a.lower;
        a.upper = d > a.upper ? d : a.upper;
        if (a.value) a.value[c + k] = value[k];
        if (a.policy) a.policy[c + k] = static_cast<std::uint32_t>(choice[k]);
    }
}

template <class T>
void compare(CompareArgs<T>& args, const IndexOf<T>* index) {
    CompareArgs<T> a = args;
    const SumRow<T> keep(a.cost.keep, a.cost.keep_tables, a.cost.num_keep, 0);
    const SumRow<T> add(a.cost.add, a.cost.add_tables, a.cost.num_add, 0);
    std::size_t c = 0;
    for (; c + kWidth<T> <= a.cost.cols; c += kWidth<T>)
        compare_at(a, index, keep, add, c, kWidth<T>);
    if (c < a.cost.cols) compare_at(a, index, keep, add, c, a.cost.cols - c);
    args.lower = a.lower;
    args.upper = a.upper;
}

}  // namespace
