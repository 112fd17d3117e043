#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "sparing/parallel.hpp"
#include "sparing/semiring.hpp"

namespace sparing {

/// Sparse rows with all offsets resolved: row r of the table is read at out[target[r]] and its
/// entries indptr[r]..indptr[r + 1] lead to in[source[e]]. Context axes are part of the rows.
struct Rows {
    std::vector<std::int64_t> indptr;   // [rows + 1]
    std::vector<std::int64_t> source;   // [entries] offsets in the tensor behind the node
    std::vector<double> weight;         // [entries] probability or cost
    std::vector<double> start;          // [rows] expected cost, or +inf
    std::vector<std::int64_t> target;   // [rows] offsets in the tensor before the node
};

/// The axes that only ride along, outermost first; `lanes` is the innermost run that is
/// contiguous in both tensors (1 if there is none).
struct Riders {
    std::vector<std::int64_t> count, out_stride, in_stride;
    std::int64_t lanes = 1;

    [[nodiscard]] std::int64_t outer() const {
        std::int64_t product = 1;
        for (const auto c : count) product *= c;
        return product;
    }
    /// Offsets of outer rider combination `rider` in both tensors.
    [[nodiscard]] std::array<std::int64_t, 2> offsets(std::int64_t rider) const {
        std::array<std::int64_t, 2> at{0, 0};
        for (std::size_t axis = count.size(); axis-- > 0; rider /= count[axis]) {
            at[0] += rider % count[axis] * out_stride[axis];
            at[1] += rider % count[axis] * in_stride[axis];
        }
        return at;
    }
};

/// A value tensor and, in a sweep that keeps the policy, the post-decision state each value
/// comes from (null: each element is its own).
template <class T>
struct Tensor {
    T* value = nullptr;
    std::uint32_t* post = nullptr;
};

inline constexpr std::int64_t kLaneTile = 256;
inline constexpr std::int64_t kRowTile = 2048;

template <class Semiring, class T>
void product_of_lanes(const Rows& rows, std::int64_t first, std::int64_t last, std::int64_t width,
                      const T* in, T* out) {
    std::array<T, kLaneTile> sum;
    for (std::int64_t r = first; r < last; ++r) {
        std::fill_n(sum.begin(), width, static_cast<T>(rows.start[r]));
        for (auto e = rows.indptr[r]; e < rows.indptr[r + 1]; ++e) {
            const T weight = static_cast<T>(rows.weight[e]);
            const T* value = in + rows.source[e];
            for (std::int64_t l = 0; l < width; ++l)
                sum[l] = Semiring::include(sum[l], weight, value[l]);
        }
        std::copy_n(sum.begin(), width, out + rows.target[r]);
    }
}

/// The same product for (min, +), carrying the post-decision state of the cheapest path.
/// Ties go to the lowest entry.
template <class T>
void product_with_post(const Rows& rows, std::int64_t first, std::int64_t last, std::int64_t width,
                       Tensor<T> in, std::int64_t in_offset, Tensor<T> out) {
    for (std::int64_t r = first; r < last; ++r)
        for (std::int64_t l = 0; l < width; ++l) {
            T best = std::numeric_limits<T>::infinity();
            std::int64_t from = rows.indptr[r] < rows.indptr[r + 1]
                                    ? in_offset + rows.source[rows.indptr[r]] + l
                                    : 0;
            for (auto e = rows.indptr[r]; e < rows.indptr[r + 1]; ++e) {
                const auto at = in_offset + rows.source[e] + l;
                const T path = static_cast<T>(rows.weight[e]) + in.value[at];
                if (path < best) best = path, from = at;
            }
            out.value[rows.target[r] + l] = best;
            out.post[rows.target[r] + l] =
                in.post ? in.post[from] : static_cast<std::uint32_t>(from);
        }
}

/// One mode product: out(riders, row) = sum over the row's entries of weight x in(riders, to).
/// `out.post` is written if it is there. Reads every entry once per rider: O(entries x riders);
/// in and out must not overlap. Bit-identical for any number of threads.
template <class Semiring, class T>
void mode_product(const Rows& rows, const Riders& riders, Tensor<T> in, Tensor<T> out,
                  int num_threads) {
    const auto num_rows = static_cast<std::int64_t>(rows.target.size());
    const auto outer = riders.outer();
    const auto lane_tiles = (riders.lanes + kLaneTile - 1) / kLaneTile;
    const auto row_tiles = (num_rows + kRowTile - 1) / kRowTile;
    // Small products are gathered into one task, so that a task is never a handful of elements.
    const auto per_task = std::max<std::int64_t>(
        1, kRowTile / std::max<std::int64_t>(1, num_rows * std::min(riders.lanes, kLaneTile)));
    const auto tiles = outer * lane_tiles * row_tiles;
    const auto body = [&](std::int64_t task) {
        for (auto tile = task * per_task; tile < std::min(tiles, (task + 1) * per_task); ++tile) {
            const auto row_tile = tile % row_tiles, lane_tile = tile / row_tiles % lane_tiles;
            auto [to, from] = riders.offsets(tile / row_tiles / lane_tiles);
            to += lane_tile * kLaneTile;
            from += lane_tile * kLaneTile;
            const auto width = std::min(kLaneTile, riders.lanes - lane_tile * kLaneTile);
            const auto first = row_tile * kRowTile, last = std::min(num_rows, first + kRowTile);
            if (out.post)
                product_with_post(rows, first, last, width, in, from,
                                  Tensor<T>{out.value + to, out.post + to});
            else
                product_of_lanes<Semiring>(rows, first, last, width, in.value + from,
                                           out.value + to);
        }
    };
    parallel_for((tiles + per_task - 1) / per_task, num_rows * outer * riders.lanes, num_threads,
                 body);
}

}  // namespace sparing
