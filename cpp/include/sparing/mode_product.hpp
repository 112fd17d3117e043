#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "sparing/parallel.hpp"
#include "sparing/row_kernels.hpp"

namespace sparing {

/// (+, x): a weight is a probability and a row starts at its expected cost.
/// (min, +): a weight is a cost and a row starts at +inf.
enum class Semiring { plus_times, min_plus };

/// Sparse rows with all offsets resolved: row r of the table is read at out[target[r]] and its
/// entries indptr[r]..indptr[r + 1] lead to in[source[e]]. Context axes are part of the rows.
struct Rows {
    std::vector<std::int64_t> indptr;  // [rows + 1]
    std::vector<std::int64_t> source;  // [entries] offsets in the tensor behind the node
    std::vector<double> weight;        // [entries] probability or cost
    std::vector<double> start;         // [rows] expected cost, or +inf
    std::vector<std::int64_t> target;  // [rows] offsets in the tensor before the node
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

/// One mode product in the semiring of `rule`: out(riders, row) = sum over the row's entries of
/// weight x in(riders, to). `out.post` is written if it is there, for (min, +) alone. Reads every
/// entry once per rider: O(entries x riders); in and out must not overlap. Bit-identical for any
/// number of threads.
template <class T>
void mode_product(Semiring rule, const Rows& rows, const Riders& riders, Tensor<T> in,
                  Tensor<T> out, int num_threads) {
    const RowKernels<T>& kernels = row_kernels<T>();
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
            const RowArgs<T> args{rows.indptr.data(),
                                  rows.source.data(),
                                  rows.target.data(),
                                  rows.weight.data(),
                                  rows.start.data(),
                                  first,
                                  last,
                                  width,
                                  in.value + from,
                                  out.value + to};
            if (out.post)
                kernels.minimise_with_post(
                    {args, in.post ? in.post + from : nullptr, out.post + to, from});
            else if (rule == Semiring::min_plus)
                kernels.minimise(args);
            else
                kernels.expect(args);
        }
    };
    parallel_for((tiles + per_task - 1) / per_task, num_rows * outer * riders.lanes, num_threads,
                 body);
}

}  // namespace sparing
