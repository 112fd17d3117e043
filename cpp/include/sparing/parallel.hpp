#pragma once
#include <cstdint>

namespace sparing {

/// Elements below which a second thread costs more than it gives.
inline constexpr std::int64_t kParallelFrom = 1 << 14;

/// Calls body(task) for 0 <= task < num_tasks. The tasks are a fixed partition of the work and
/// write to places of their own, so the result is the same for any number of threads.
template <class Body>
void parallel_for(std::int64_t num_tasks, std::int64_t num_elements, int num_threads,
                  const Body& body) {
#pragma omp parallel for schedule(dynamic, 1) num_threads( \
        num_threads) if (num_threads > 1 && num_tasks > 1 && num_elements >= kParallelFrom)
    for (std::int64_t task = 0; task < num_tasks; ++task) body(task);
}

}  // namespace sparing
