#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sparing/mode_product.hpp"
#include "sparing/parallel.hpp"
#include "sparing/row_kernels.hpp"
#include "sparing/separable_kernels.hpp"

namespace sparing {

inline constexpr std::int64_t kFewRiders = 8;            // fewer are not worth the packing
inline constexpr std::int64_t kLargestPacked = 1 << 12;  // sources or rows, so that scratch is L2
inline constexpr std::int64_t kPackTask = 1 << 13;

/// Offsets in a tensor that follow one another: first, first + 1, …, in places at, at + 1, … of
/// the scratch.
struct PackedRun {
    std::int64_t first, length, at;
};

/// A product whose riders are not contiguous, made ready to be done on some of them side by side:
/// they are transposed into scratch [source, rider] and back from scratch [row, rider].
struct Packing {
    std::vector<PackedRun> sources, targets;
    std::vector<std::int64_t> source;  // [entries] place in scratch
    std::int64_t num_sources = 0;

    [[nodiscard]] bool pays() const { return num_sources > 0; }
};

namespace detail {

inline std::vector<PackedRun> runs_of(const std::vector<std::int64_t>& offsets) {
    std::vector<PackedRun> runs;
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        if (!runs.empty() && runs.back().first + runs.back().length == offsets[i])
            ++runs.back().length;
        else
            runs.push_back({offsets[i], 1, static_cast<std::int64_t>(i)});
    }
    return runs;
}

}  // namespace detail

/// Empty where riders are contiguous, where there are few, or where the table is too large.
inline Packing packing_of(const Rows& rows, const Riders& riders) {
    if (riders.lanes > 1 || riders.outer() < kFewRiders) return {};
    auto offsets = rows.source;
    std::sort(offsets.begin(), offsets.end());
    offsets.erase(std::unique(offsets.begin(), offsets.end()), offsets.end());
    if (std::max(offsets.size(), rows.target.size()) > kLargestPacked) return {};
    Packing packing{detail::runs_of(offsets), detail::runs_of(rows.target), {}, 0};
    packing.num_sources = static_cast<std::int64_t>(offsets.size());
    for (const auto source : rows.source)
        packing.source.push_back(std::lower_bound(offsets.begin(), offsets.end(), source) -
                                 offsets.begin());
    return packing;
}

namespace detail {

/// Some riders side by side: their offsets, and the distance of one to the next if it is the same
/// for all (else 0).
struct RiderGroup {
    std::vector<std::int64_t> at;
    std::int64_t width = 0, pitch = 0;

    void settle() {
        pitch = width > 1 ? at[1] - at[0] : 1;
        for (std::int64_t k = 1; k < width; ++k)
            if (at[k] - at[k - 1] != pitch) pitch = 0;
        pitch = std::max<std::int64_t>(pitch, 0);
    }
};

/// Walks over the combinations of riders and keeps their offsets.
class RiderWalk {
  public:
    RiderWalk(const Riders& riders, std::int64_t rider)
        : riders_(riders), at_(riders.count.size()) {
        const auto both = riders.offsets(rider);
        to_ = both[0], from_ = both[1];
        for (std::size_t axis = at_.size(); axis-- > 0; rider /= riders.count[axis])
            at_[axis] = rider % riders.count[axis];
    }
    /// Take the next riders into both groups.
    void take(std::int64_t width, RiderGroup& to, RiderGroup& from) {
        for (std::int64_t k = 0; k < width; ++k, next()) to.at[k] = to_, from.at[k] = from_;
        to.width = from.width = width;
        to.settle(), from.settle();
    }

  private:
    void next() {
        for (std::size_t axis = at_.size(); axis-- > 0;) {
            to_ += riders_.out_stride[axis], from_ += riders_.in_stride[axis];
            if (++at_[axis] < riders_.count[axis]) return;
            to_ -= riders_.count[axis] * riders_.out_stride[axis];
            from_ -= riders_.count[axis] * riders_.in_stride[axis];
            at_[axis] = 0;
        }
    }

    const Riders& riders_;
    std::vector<std::int64_t> at_;
    std::int64_t to_ = 0, from_ = 0;
};

/// scratch[place * lanes + k] = in[offset of rider k + offset of place].
template <class T>
void gather(const T* in, const RiderGroup& riders, const std::vector<PackedRun>& runs, T* scratch) {
    const auto& kernels = separable_kernels<T>();
    const auto lanes = static_cast<std::int64_t>(kernels.lanes);
    for (const auto& run : runs) {
        T* const to = scratch + run.at * lanes;
        if (riders.pitch > 0) {
            kernels.to_lanes(in + riders.at[0] + run.first, riders.pitch, riders.width, run.length,
                             to);
            continue;
        }
        for (std::int64_t k = 0; k < riders.width; ++k)
            for (std::int64_t s = 0; s < run.length; ++s)
                to[s * lanes + k] = in[riders.at[k] + run.first + s];
    }
}

/// The way back: out[offset of rider k + offset of place] = scratch[place * lanes + k].
template <class T>
void scatter(const T* scratch, const RiderGroup& riders, const std::vector<PackedRun>& runs,
             T* out) {
    const auto& kernels = separable_kernels<T>();
    const auto lanes = static_cast<std::int64_t>(kernels.lanes);
    for (const auto& run : runs) {
        const T* const from = scratch + run.at * lanes;
        if (riders.pitch > 0) {
            kernels.from_lanes(from, out + riders.at[0] + run.first, riders.pitch, riders.width,
                               run.length);
            continue;
        }
        for (std::int64_t k = 0; k < riders.width; ++k)
            for (std::int64_t r = 0; r < run.length; ++r)
                out[riders.at[k] + run.first + r] = from[r * lanes + k];
    }
}

}  // namespace detail

/// The same as `mode_product` without post-decision states: each output is formed from the same
/// entries in the same order. Riders are handled in groups of a fixed partition, so the result does
/// not depend on the number of threads.
template <class T>
void packed_product(Semiring rule, const Rows& rows, const Riders& riders, const Packing& packing,
                    const T* in, T* out, int num_threads) {
    const RowKernels<T>& kernels = row_kernels<T>();
    const auto lanes = static_cast<std::int64_t>(separable_kernels<T>().lanes);
    const auto num_rows = static_cast<std::int64_t>(rows.target.size());
    const auto size = riders.outer();
    const auto groups = (size + lanes - 1) / lanes;
    const auto per_task =
        std::max<std::int64_t>(1, kPackTask / (lanes * std::max(num_rows, packing.num_sources)));
    std::vector<std::int64_t> source(packing.source), target(num_rows);
    for (auto& place : source) place *= lanes;
    for (std::int64_t r = 0; r < num_rows; ++r) target[r] = r * lanes;
    const auto body = [&](std::int64_t task) {
        std::vector<T> gathered(lanes * packing.num_sources), found(lanes * num_rows);
        detail::RiderGroup to{std::vector<std::int64_t>(lanes)};
        detail::RiderGroup from{std::vector<std::int64_t>(lanes)};
        detail::RiderWalk walk(riders, task * per_task * lanes);
        for (auto group = task * per_task; group < std::min(groups, (task + 1) * per_task);
             ++group) {
            walk.take(std::min(lanes, size - group * lanes), to, from);
            detail::gather(in, from, packing.sources, gathered.data());
            const RowArgs<T> args{rows.indptr.data(), source.data(),
                                  target.data(),      rows.weight.data(),
                                  rows.start.data(),  0,
                                  num_rows,           lanes,
                                  gathered.data(),    found.data()};
            if (rule == Semiring::min_plus)
                kernels.minimise(args);
            else
                kernels.expect(args);
            detail::scatter(found.data(), to, packing.targets, out);
        }
    };
    parallel_for((groups + per_task - 1) / per_task, size * num_rows, num_threads, body);
}

}  // namespace sparing
