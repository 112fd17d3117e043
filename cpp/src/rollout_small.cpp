#include "instruction_set.hpp"
#include "sparing/rollout_small_plan.hpp"

namespace sparing {
namespace {

/// One group of 16 replications: gather states and totals, run the kernel, scatter them back.
struct Group {
    const SmallPlan& small;
    std::size_t first, count, num_kinds;
    std::uint32_t flat[small::lanes] = {};
    double sums[small::max_terms * small::lanes] = {};

    void load(std::span<const std::int32_t> states, std::span<const double> totals) {
        const std::size_t axes = small.layout.size();
        for (std::size_t l = 0; l < count; ++l) {
            for (std::size_t a = 0; a < axes; ++a)
                flat[l] = flat[l] * static_cast<std::uint32_t>(small.layout[a].size) +
                          static_cast<std::uint32_t>(states[(first + l) * axes + a]);
            for (std::size_t k = 0; k < small.kinds.size(); ++k)
                sums[k * small::lanes + l] = totals[(first + l) * num_kinds + small.kinds[k]];
        }
    }
    void store(std::span<std::int32_t> states, std::span<double> totals) const {
        const std::size_t axes = small.layout.size();
        for (std::size_t l = 0; l < count; ++l) {
            std::uint32_t left = flat[l];
            for (std::size_t a = axes; a-- > 0;) {
                const auto size = static_cast<std::uint32_t>(small.layout[a].size);
                states[(first + l) * axes + a] = static_cast<std::int32_t>(left % size);
                left /= size;
            }
            for (std::size_t k = 0; k < small.kinds.size(); ++k)
                totals[(first + l) * num_kinds + small.kinds[k]] = sums[k * small::lanes + l];
        }
    }
};

}  // namespace

small::Kernel small_kernel() {
    return best_of(&small::roll_baseline, SPARING_IF_AVX2(&small::roll_avx2, nullptr),
                   SPARING_IF_AVX512(&small::roll_avx512, nullptr));
}

void rollout_small(const SmallPlan& small, small::Kernel kernel, const RolloutRange& range,
                   std::span<std::int32_t> states, std::span<double> totals,
                   std::size_t num_replications, std::size_t num_kinds) {
    const PhiloxKey key = philox_key(range.seed);
    const small::Range epochs{{key[0], key[1]},
                              range.first_epoch,
                              range.num_epochs,
                              range.epoch_weights.empty() ? nullptr : range.epoch_weights.data(),
                              range.counted};
    constexpr std::size_t lanes = small::lanes;
    const auto groups = static_cast<std::int64_t>((num_replications + lanes - 1) / lanes);
#pragma omp parallel for schedule(dynamic) num_threads(range.num_threads)
    for (std::int64_t g = 0; g < groups; ++g) {
        const std::size_t first = static_cast<std::size_t>(g) * lanes;
        Group group{small, first, std::min(lanes, num_replications - first), num_kinds};
        group.load(states, totals);
        kernel(small.program, epochs, range.first_replication + static_cast<std::uint32_t>(first),
               group.flat, group.sums);
        group.store(states, totals);
    }
}

}  // namespace sparing
