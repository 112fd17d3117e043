#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sparing {

/// A live axis: the slot of its coordinate (one a name) and its size.
struct LiveAxis {
    std::int32_t slot;
    std::int32_t size;
};
using AxisLayout = std::vector<LiveAxis>;

/// One axis of a row index: stride times the coordinate, or times its group.
struct Read {
    std::int32_t slot;
    std::int64_t stride;
    std::vector<std::int64_t> groups;  // [size] or empty

    std::int64_t offset(std::int32_t coordinate) const {
        const auto at = static_cast<std::size_t>(coordinate);
        return stride * (groups.empty() ? std::int64_t{coordinate} : groups[at]);
    }
};

/// Costs of one kind: per entry of rows, per row of a cost node, per alternative of a branch.
struct KindCost {
    std::int32_t kind;
    std::vector<double> values;
};

enum class NodeType { cost, decision, chance, branch };

struct ForwardNode {
    NodeType type = NodeType::cost;
    std::size_t id = 0;                     // counts all nodes, those of alternatives included
    std::vector<Read> reads;                // context and replaced axes
    std::vector<std::int32_t> writes;       // slots of the axes led to
    std::vector<std::int64_t> indptr;       // [rows + 1]
    std::vector<std::int32_t> to;           // [entries, writes] coordinates
    std::vector<std::uint32_t> thresholds;  // [entries], of a chance that draws
    std::vector<KindCost> costs;
    std::int32_t draw = -1;  // number among nature's draws, or among the decisions
    std::vector<std::vector<ForwardNode>> alternatives;

    /// Row of the state whose coordinate of slot s is coords[s * step].
    std::int64_t row(const std::int32_t* coords, std::size_t step = 1) const {
        std::int64_t sum = 0;
        for (const Read& read : reads)
            sum += read.offset(coords[static_cast<std::size_t>(read.slot) * step]);
        return sum;
    }
    void write(std::size_t entry, std::int32_t* coords, std::size_t step = 1) const {
        for (std::size_t w = 0; w < writes.size(); ++w)
            coords[static_cast<std::size_t>(writes[w]) * step] = to[entry * writes.size() + w];
    }
    std::pair<std::size_t, std::size_t> entries(std::int64_t row) const {
        const auto r = static_cast<std::size_t>(row);
        return {static_cast<std::size_t>(indptr[r]), static_cast<std::size_t>(indptr[r + 1])};
    }
};

/// An epoch's nodes in the order of time, on coordinates held one slot an axis name.
struct ForwardProgram {
    std::size_t num_slots = 0, num_kinds = 0, num_nodes = 0;  // nodes count as ids do
    std::vector<ForwardNode> nodes;
    std::vector<AxisLayout> layouts;  // before each node, and behind the last
    std::vector<std::pair<std::size_t, std::size_t>> stages;  // [first, last) of nodes
    std::int32_t num_draws = 0, num_decisions = 0;
};

inline std::int64_t num_states(const AxisLayout& layout) {
    std::int64_t product = 1;
    for (const LiveAxis& axis : layout) product *= axis.size;
    return product;
}

/// Flat index, C order, of the state whose coordinate of slot s is coords[s * step].
inline std::int64_t flatten(const AxisLayout& layout, const std::int32_t* coords,
                            std::size_t step = 1) {
    std::int64_t flat = 0;
    for (const LiveAxis& axis : layout)
        flat = flat * axis.size + coords[static_cast<std::size_t>(axis.slot) * step];
    return flat;
}

inline void unflatten(const AxisLayout& layout, std::int64_t flat, std::int32_t* coords,
                      std::size_t step = 1) {
    for (std::size_t a = layout.size(); a-- > 0;) {
        const std::int64_t size = layout[a].size;
        coords[static_cast<std::size_t>(layout[a].slot) * step] =
            static_cast<std::int32_t>(flat % size);
        flat /= size;
    }
}

}  // namespace sparing
