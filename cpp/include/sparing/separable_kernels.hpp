#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace sparing {

/// The two semirings: expectation (+, x) and decision (min, +).
enum class Rule { kExpect, kMinimise };

/// Which entries of a square table may differ from the semiring's zero (0 or +inf).
enum class Shape { kFull, kUpper, kLower };

/// Values with a row per class of rows of a tensor.
template <class T>
struct TableRows {
    const std::uint32_t* row_class;  // [rows], from the first row of the tile on
    const T* values;                 // from the first column of the tile on
    std::size_t pitch;
};

constexpr Shape opposite(Shape shape) {
    return shape == Shape::kUpper   ? Shape::kLower
           : shape == Shape::kLower ? Shape::kUpper
                                    : Shape::kFull;
}

/// Costs of one row of a tile: numbers, and where its row of the first table to add begins.
template <class T>
struct RowCost {
    T keep, add;
    std::size_t at;
};

/// How the rows of a tile are finished: y = scale * min(w + keep, x) + add, where keep and add are
/// a number per row plus a sum of tables; without `w` there is no branch and y = scale * x + add.
/// Rows of x and of the tables are padded to whole vectors.
template <class T>
struct FinishArgs {
    T* x;
    std::size_t x_pitch;
    const T* w;
    std::size_t w_pitch, rows, cols;
    T scale;
    const RowCost<T>* costs;  // [rows]
    const TableRows<T>*keep_tables, *add_tables;
    std::size_t num_keep, num_add;
};

/// Rows of a tile: (lower, upper) take in x - old, and dst = x + extra (x - old). `dst` may be
/// `old`.
template <class T>
struct CommitArgs {
    const T* x;
    std::size_t x_pitch;
    const T* old;
    std::size_t old_pitch;
    T* dst;
    std::size_t dst_pitch, rows, cols;
    T lower, upper;  // in and out
    T extra = T(0);
};

/// What a step does beside its tables. All but the plain one take whole vectors only.
enum class Variant {
    kPlain,
    kCommit,        // expect: `commit` takes in how far the results are from what they replace
    kFinish,        // minimise: results are finished, with `w` and one table to add, none to keep
    kThenExpect,    // minimise: finished as above, then the expectation by `next`
    kThenMinimise,  // expect: results go to `kept`, laid out as `dst`; then the minimum by `next`
    kFromRows,      // expect: reads entry c of row l of `src` where it would read entry l of row c
    kToRows,        // minimise: writes that way; `also` is written that way to `also_dst`
};

/// One or two square tables along adjacent axes of a tile of rows, with
///   expect:   y(s) = sum_j t(s, j) x(j)        minimise: y(s) = min_j t(s, j) + x(j).
/// Row ((o * n1 + i) * n2 + j) * below + b of a tile starts at `row * pitch` and has `cols`
/// entries; `src` and `dst` are the same tile or do not overlap.
template <class T>
struct StepArgs {
    const T* first;   // [n1, n1], unread when n1 is 1
    const T* second;  // [n2, n2]
    std::size_t n2;   // read by the kernel of run-time size only
    std::size_t outer, below, cols;
    const T* src;
    std::size_t src_pitch;
    T* dst;
    std::size_t dst_pitch;
    const FinishArgs<T>* finish = nullptr;
    CommitArgs<T>* commit = nullptr;
    const T *next_first = nullptr, *next_second = nullptr;  // tables of the same sizes
    T* kept = nullptr;
    const T* also = nullptr;  // laid out as `src`, or null
    T* also_dst = nullptr;
    std::size_t also_pitch = 0;
    bool stream = false;  // kToRows: past the caches, for rows that are on lines
};

/// How the last pass of a certificate treats a row: t = min(w + keep, branch + x) + add, the
/// first alternative winning ties, while (lower, upper) take in t - old.
template <class T>
struct CompareArgs {
    FinishArgs<T> cost;  // of one row; its scale is not used
    T branch;
    const T* old;           // the value before
    T* value;               // t, or null
    std::uint32_t* policy;  // index of the choice, or null; value and policy may overlap `old`
    std::size_t base;       // own index of the first state of the row
    T lower, upper;         // in and out
    T largest;              // |old|, in and out
};

/// The loops that are compiled once per instruction set. All take any `cols` >= 1.
template <class T>
struct SeparableKernels {
    using Index = std::uint32_t;
    using Step = void (*)(const StepArgs<T>&);

    const char* name;
    std::size_t width;  // entries of a vector
    std::size_t lanes;  // rows that a transposed tile holds side by side, a multiple of `width`

    /// The kernel for tables of n1 and n2 states (n1 = 1: one table); null if there is none.
    /// `idle`: all entries on the diagonals are the semiring's one, so that staying is free. The
    /// tables of `next` have the opposite shape; costs there are idle.
    Step (*step)(Rule, Shape, bool idle, Variant, std::size_t n1, std::size_t n2);
    /// dst[c * lanes + l] = src[min(l, rows - 1) * pitch + c].
    void (*to_lanes)(const T* src, std::size_t pitch, std::size_t rows, std::size_t cols, T* dst);
    /// dst[l * pitch + c] = src[c * lanes + l] for l < rows; `stream` as below.
    void (*from_lanes)(const T* src, T* dst, std::size_t pitch, std::size_t rows, std::size_t cols);
    void (*stream_from_lanes)(const T* src, T* dst, std::size_t pitch, std::size_t rows,
                              std::size_t cols);
    void (*index_to_lanes)(const Index* src, std::size_t pitch, std::size_t rows, std::size_t cols,
                           Index* dst);
    void (*index_from_lanes)(const Index* src, Index* dst, std::size_t pitch, std::size_t rows,
                             std::size_t cols);
    void (*finish)(const FinishArgs<T>&);
    void (*commit)(CommitArgs<T>&);
    /// dst = src, past the caches where whole lines allow it.
    void (*stream)(const T* src, T* dst, std::size_t cols);
    /// Brings cols entries of each row towards the second-level cache.
    void (*prefetch)(const T* src, std::size_t pitch, std::size_t rows, std::size_t cols);
    /// Streamed rows are in memory when it returns.
    void (*fence)();
    /// As a step of one table with rule minimise that carries an index along:
    /// index_dst is the index_src of the first j that attains the minimum. dst != src.
    void (*argmin)(const T* table, std::size_t n, std::size_t outer, std::size_t inner,
                   const T* src, const Index* index_src, T* dst, Index* index_dst);
    /// The same for one row of a table on the first axis, whose entries are `stride` apart in
    /// `src`; entry (j, c) has the index begin + j * index_stride + c.
    void (*argmin_first)(const T* row, std::size_t n, const T* src, std::size_t stride,
                         std::size_t begin, std::size_t index_stride, std::size_t cols, T* dst,
                         Index* index_dst);
    void (*compare)(CompareArgs<T>&, const Index* index);
};

/// Kernels for the best instruction set of this processor, chosen once.
template <class T>
const SeparableKernels<T>& separable_kernels();

}  // namespace sparing
