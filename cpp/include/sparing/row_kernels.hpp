#pragma once
#include <cstdint>

namespace sparing {

/// Rows first..last of a sparse table on `width` lanes. Row r is written to out[target[r] + l] and
/// reads in[source[e] + l] for its entries e in indptr[r]..indptr[r + 1]; in and out do not
/// overlap.
template <class T>
struct RowArgs {
    const std::int64_t *indptr, *source, *target;
    const double *weight, *start;
    std::int64_t first, last, width;
    const T* in;
    T* out;
};

/// The same for (min, +) with the post-decision state of the cheapest path. `post_in` may be null:
/// then entry e of lane l comes from state origin + source[e] + l.
template <class T>
struct PostArgs {
    RowArgs<T> rows;
    const std::uint32_t* post_in;
    std::uint32_t* post_out;
    std::int64_t origin;
};

/// The sparse loops that are compiled once per instruction set.
template <class T>
struct RowKernels {
    /// out = start + sum of weight x in: the (+, x) product.
    void (*expect)(const RowArgs<T>&);
    /// out = min(start, weight + in): the (min, +) product. Ties go to the lowest entry.
    void (*minimise)(const RowArgs<T>&);
    void (*minimise_with_post)(const PostArgs<T>&);
};

/// Kernels for the best instruction set of this processor, chosen once.
template <class T>
const RowKernels<T>& row_kernels();

}  // namespace sparing
