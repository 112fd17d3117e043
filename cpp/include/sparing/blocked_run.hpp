#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "sparing/parallel.hpp"
#include "sparing/program_operations.hpp"

namespace sparing {

/// Operations first..last that leave the leading axes alone: they are done block by block, a block
/// being `1 / count` of every tensor, so that what one writes the next one finds in the cache.
struct BlockGroup {
    std::size_t first, last;
    std::int64_t count;
    std::vector<Riders> riders;     // [operations] those of one block
    std::vector<DenseTable> dense;  // [operations]
    std::vector<bool> is_private;   // [buffers] used in the group alone: no tensor is needed
};

namespace detail {

/// Whether an operation reads, and whether it writes, a buffer.
struct Access {
    bool reads = false, writes = false;
};

inline Access access(const Operation& operation, int buffer) {
    return std::visit(
        [&](const auto& op) -> Access {
            if constexpr (requires { op.in; }) {
                Access found{op.in == buffer, op.out == buffer};
                if constexpr (requires { op.first; }) found.reads |= found.writes && !op.first;
                return found;
            }
            return {};
        },
        operation);
}

inline bool is_stage_mark(const Operation& operation) {
    return std::holds_alternative<StageEnd>(operation) ||
           std::holds_alternative<StageStart>(operation);
}

/// Whether an operation can be done on each of `count` equal parts of its tensors by itself.
inline bool splits(const Operation& operation, const std::vector<std::int64_t>& sizes,
                   std::int64_t count) {
    if (is_stage_mark(operation)) return true;
    return std::visit(
        [&](const auto& op) {
            if constexpr (requires { op.in; }) {
                if (sizes[op.in] % count != 0 || sizes[op.out] % count != 0) return false;
                if constexpr (requires { op.riders; }) {
                    const Riders& riders = op.riders;
                    return !riders.count.empty() && riders.count[0] % count == 0 &&
                           riders.count[0] * riders.out_stride[0] == sizes[op.out] &&
                           riders.count[0] * riders.in_stride[0] == sizes[op.in];
                }
            }
            return true;
        },
        operation);
}

/// Whether what is in `buffer` before (or, from `last` on, behind) a group is never read.
inline bool is_dead(const std::vector<Operation>& operations, std::size_t first, std::size_t last,
                    int buffer) {
    for (auto i = first; i < last; ++i) {
        const auto [reads, writes] = access(operations[i], buffer);
        if (reads) return false;
        if (writes) return true;
    }
    return true;
}

inline BlockGroup make_group(const std::vector<Operation>& operations,
                             const std::vector<std::int64_t>& sizes, std::size_t first,
                             std::size_t last, std::int64_t count) {
    BlockGroup group{first, last, count, {}, {}, std::vector<bool>(sizes.size())};
    for (auto i = first; i < last; ++i) {
        auto& riders = group.riders.emplace_back();
        auto& dense = group.dense.emplace_back();
        if (const auto* product = std::get_if<Product>(&operations[i])) {
            riders = product->riders, dense = product->dense;
            riders.count[0] /= count, dense.outer /= count;
        }
    }
    for (std::size_t b = 2; b < sizes.size(); ++b)
        group.is_private[b] = is_dead(operations, first, last, static_cast<int>(b)) &&
                              is_dead(operations, last, operations.size(), static_cast<int>(b));
    return group;
}

/// out = in + cost on the states from `first` on.
template <class T>
void add_cost_from(const ScoredCost& cost, std::int64_t first, std::int64_t size, const T* in,
                   T* out) {
    const auto width = static_cast<std::int64_t>(cost.inner.size());
    for (std::int64_t done = 0; done < size;) {
        const auto row = (first + done) / width, column = (first + done) % width;
        const auto length = std::min(width - column, size - done);
        const double* values = cost.values.data() + cost.outer[row];
        const auto* inner = cost.inner.data() + column;
        for (std::int64_t i = 0; i < length; ++i)
            out[done + i] = in[done + i] + static_cast<T>(values[inner[i]]);
        done += length;
    }
}

}  // namespace detail

/// The runs of two operations or more that can be done in as many blocks as the least of `counts`
/// that makes blocks of at most `largest` elements; none where the tensors are that small.
inline std::vector<BlockGroup> block_groups(const std::vector<Operation>& operations,
                                            const std::vector<std::int64_t>& sizes,
                                            std::span<const std::int64_t> counts,
                                            std::int64_t largest) {
    const auto size = *std::max_element(sizes.begin(), sizes.end());
    const auto count = std::find_if(counts.begin(), counts.end(),
                                    [&](std::int64_t c) { return size <= c * largest; });
    std::vector<BlockGroup> groups;
    if (size <= largest || count == counts.end()) return groups;
    for (std::size_t first = 0; first < operations.size();) {
        auto last = first;
        std::size_t num = 0;
        for (; last < operations.size() && detail::splits(operations[last], sizes, *count); ++last)
            num += !detail::is_stage_mark(operations[last]);
        if (num >= 2) groups.push_back(detail::make_group(operations, sizes, first, last, *count));
        first = last + 1;
    }
    return groups;
}

/// Do a group, the blocks side by side. Every element is formed as without blocks, so the numbers
/// are the same; post-decision states are not kept.
template <class T>
void run_blocks(const BlockGroup& group, const std::vector<Operation>& operations,
                const std::vector<std::int64_t>& sizes, const std::vector<Tensor<T>>& tensors,
                int num_threads) {
    const auto size = *std::max_element(sizes.begin(), sizes.end());
    parallel_for(group.count, size, num_threads, [&](std::int64_t block) {
        thread_local std::vector<std::vector<T>> scratch;
        if (scratch.size() < sizes.size()) scratch.resize(sizes.size());
        const auto part = [&](int buffer) {
            const auto length = sizes[buffer] / group.count;
            if (!group.is_private[buffer]) return tensors[buffer].value + block * length;
            if (std::int64_t(scratch[buffer].size()) < length) scratch[buffer].resize(length);
            return scratch[buffer].data();
        };
        for (auto i = group.first; i < group.last; ++i) {
            const auto& operation = operations[i];
            if (const auto* op = std::get_if<Product>(&operation)) {
                fastest_product(*op, group.riders[i - group.first], group.dense[i - group.first],
                                part(op->in), part(op->out), 1);
            } else if (const auto* op = std::get_if<AddCost>(&operation)) {
                const auto length = sizes[op->out] / group.count;
                detail::add_cost_from(op->cost, block * length, length, part(op->in),
                                      part(op->out));
            } else if (const auto* op = std::get_if<Scale>(&operation)) {
                scale(op->factor, part(op->in), part(op->out), sizes[op->out] / group.count, 1);
            } else if (const auto* op = std::get_if<TakeCheaper>(&operation)) {
                take_cheaper(op->cost, op->first, Tensor<T>{part(op->in), nullptr},
                             Tensor<T>{part(op->out), nullptr}, sizes[op->out] / group.count, 1);
            }
        }
    });
}

}  // namespace sparing
