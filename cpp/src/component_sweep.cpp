#include "sparing/component_sweep.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

#include "instruction_set.hpp"
#include "sparing/parallel.hpp"

namespace sparing {

#define SPARING_DECLARE(isa) const BeliefKernels<double>* belief_kernels_##isa##_double();
SPARING_DECLARE(baseline)
SPARING_DECLARE(avx2)
SPARING_DECLARE(avx512)

template <>
const BeliefKernels<double>& belief_kernels<double>() {
    static const auto* const kernels = best_of(
        &belief_kernels_baseline_double, SPARING_IF_AVX2(&belief_kernels_avx2_double, nullptr),
        SPARING_IF_AVX512(&belief_kernels_avx512_double, nullptr))();
    return *kernels;
}

template <class T>
void belief_sweep(std::span<const OptionRows<T>> axes, T discount, std::span<const T> in,
                  std::span<T> out, std::span<T> work, int num_threads) {
    assert(axes.size() >= 2 && in.size() == out.size() && work.size() == in.size());
    const OptionRows<T>& last = axes.back();
    const auto leading = axes.first(axes.size() - 1);
    std::int64_t num_rows = 1;
    for (const auto& rows : leading) num_rows *= rows.points;
    const std::int64_t lanes = static_cast<std::int64_t>(in.size()) / num_rows;
    const std::int64_t slice = num_rows / leading[0].points * lanes;
    const std::int64_t size = num_rows * lanes;
    assert(lanes >= last.points && lanes % kBeliefLanes == 0);
    const auto& kernels = belief_kernels<T>();
    constexpr std::int64_t kBlock = 256;  // rows a task, a multiple of what a kernel turns at once
    std::fill(out.begin(), out.end(), std::numeric_limits<T>::infinity());
    for (std::int64_t option = 0; option < last.options; ++option) {
        parallel_for((num_rows + kBlock - 1) / kBlock, size, num_threads, [&](std::int64_t task) {
            const std::int64_t first = task * kBlock;
            std::vector<T> scratch(static_cast<std::size_t>(last.points * 16));
            kernels.contract_lanes(last, option, discount, std::min(kBlock, num_rows - first),
                                   lanes, in.data() + first * lanes, work.data() + first * lanes,
                                   scratch.data());
        });
        parallel_for(leading[0].points, size * 8, num_threads, [&](std::int64_t point) {
            std::vector<T> scratch(static_cast<std::size_t>(2 * slice + 2 * lanes));
            kernels.sweep_slice({leading.data(), static_cast<std::int64_t>(leading.size()), lanes,
                                 point, last.cost[option], work.data(), out.data() + point * slice,
                                 scratch.data()});
        });
    }
}

template void belief_sweep<double>(std::span<const OptionRows<double>>, double,
                                   std::span<const double>, std::span<double>, std::span<double>,
                                   int);

}  // namespace sparing
