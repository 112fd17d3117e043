#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

#include "lane_block.hpp"

namespace sparing {

/// Roll out states [R, axes] in place, adding to totals [R, kinds]. Replications are independent
/// and keyed by their number: results do not depend on lanes or threads.
inline Failure rollout(const RolloutPlan& plan, const RolloutRange& range,
                       std::span<std::int32_t> states, std::span<double> totals,
                       std::size_t num_replications) {
    const std::size_t lanes = std::max<std::size_t>(1, range.lanes);
    const auto blocks = static_cast<std::int64_t>((num_replications + lanes - 1) / lanes);
    Failure failure;
    std::exception_ptr thrown;
#pragma omp parallel for schedule(dynamic) num_threads(range.num_threads)
    for (std::int64_t b = 0; b < blocks; ++b) {
        try {
            const std::size_t first = static_cast<std::size_t>(b) * lanes;
            const std::size_t count = std::min(lanes, num_replications - first);
            const Failure found = LaneBlock(plan, range, first, count).run(states, totals);
#pragma omp critical(sparing_rollout)
            if (found.failed && (!failure.failed || found.replication < failure.replication))
                failure = found;
        } catch (...) {
#pragma omp critical(sparing_rollout)
            thrown = std::current_exception();
        }
    }
    if (thrown) std::rethrow_exception(thrown);
    return failure;
}

}  // namespace sparing
