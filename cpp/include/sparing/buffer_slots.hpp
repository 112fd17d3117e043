#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "sparing/blocked_run.hpp"

namespace sparing {

/// Which buffers share memory: slot[b] of every scratch buffer (b >= 2), and the size of each slot.
struct BufferSlots {
    std::vector<int> slot;
    std::vector<std::int64_t> size;
};

namespace detail {

/// First and last operation that touches a buffer; those of a group of blocks count as one time.
struct Lifetime {
    std::size_t first, last;
    bool is_used;
};

inline Lifetime lifetime(const std::vector<Operation>& operations,
                         const std::vector<BlockGroup>& groups, int buffer) {
    Lifetime found{operations.size(), 0, false};
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const auto [reads, writes] = access(operations[i], buffer);
        if (!reads && !writes) continue;
        auto first = i, last = i;
        for (const auto& group : groups)
            if (group.first <= i && i < group.last) first = group.first, last = group.last - 1;
        found = {std::min(found.first, first), std::max(found.last, last), true};
    }
    return found;
}

}  // namespace detail

/// Gives each scratch buffer a slot that no other uses while it is needed: the free one whose size
/// is closest, in the order of time. A period whose axes grow and shrink then takes the memory of
/// the two or three tensors that are alive at once.
inline BufferSlots share_buffers(const std::vector<Operation>& operations,
                                 const std::vector<BlockGroup>& groups,
                                 const std::vector<std::int64_t>& sizes) {
    BufferSlots slots{std::vector<int>(sizes.size(), -1), {}};
    std::vector<std::size_t> free_from;  // of each slot: the first operation at which it is free
    std::vector<detail::Lifetime> lives;
    std::vector<int> order;
    for (int b = 0; b < static_cast<int>(sizes.size()); ++b) {
        lives.push_back(detail::lifetime(operations, groups, b));
        if (b >= 2 && lives.back().is_used) order.push_back(b);
    }
    std::sort(order.begin(), order.end(), [&](int a, int b) {
        return lives[a].first != lives[b].first ? lives[a].first < lives[b].first : a < b;
    });
    for (const int b : order) {
        int best = -1;
        for (int s = 0; s < static_cast<int>(slots.size.size()); ++s) {
            if (free_from[s] > lives[b].first) continue;
            const auto misfit = [&](int slot) { return std::abs(slots.size[slot] - sizes[b]); };
            if (best < 0 || misfit(s) < misfit(best)) best = s;
        }
        if (best < 0) {
            best = static_cast<int>(slots.size.size());
            slots.size.push_back(0), free_from.push_back(0);
        }
        slots.slot[b] = best;
        slots.size[best] = std::max(slots.size[best], sizes[b]);
        free_from[best] = lives[b].last + 1;
    }
    return slots;
}

}  // namespace sparing
