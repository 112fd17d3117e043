#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sparing/mode_product.hpp"
#include "sparing/parallel.hpp"
#include "sparing/separable_kernels.hpp"

namespace sparing {

/// A small square table on one axis that stays in place: tensors are [outer, size, lanes].
struct DenseTable {
    std::int64_t size = 0, outer = 0, lanes = 0;
    std::vector<double> entries;  // [size, size]; 0 or +inf where the sparse row has none

    /// Whether all entries on one side of the diagonal are the semiring's zero.
    [[nodiscard]] Shape shape(Semiring rule) const {
        const double zero =
            rule == Semiring::plus_times ? 0.0 : std::numeric_limits<double>::infinity();
        bool upper = true, lower = true;
        for (std::int64_t i = 0; i < size; ++i)
            for (std::int64_t j = 0; j < size; ++j) {
                if (entries[i * size + j] == zero) continue;
                upper &= j >= i;
                lower &= j <= i;
            }
        return upper ? Shape::kUpper : lower ? Shape::kLower : Shape::kFull;
    }
};

inline constexpr std::int64_t kDenseTile = 512;

/// The mode product of a small dense table, by the kernels of the separable sweep: size reads and
/// writes an element and axis state. False, and nothing done, if there is no kernel for it.
template <class T>
bool dense_product(Semiring rule, const DenseTable& table, const T* in, T* out, int num_threads) {
    if (table.size == 0) return false;
    const auto kernel = separable_kernels<T>().step(
        rule == Semiring::plus_times ? Rule::kExpect : Rule::kMinimise, table.shape(rule), false,
        Variant::kPlain, 1, static_cast<std::size_t>(table.size));
    if (!kernel) return false;
    const std::vector<T> entries(table.entries.begin(), table.entries.end());
    const auto tiles = (table.lanes + kDenseTile - 1) / kDenseTile;
    const auto block = table.size * table.lanes;
    parallel_for(table.outer * tiles, table.outer * block, num_threads, [&](std::int64_t task) {
        const auto lane = task % tiles * kDenseTile, at = task / tiles * block + lane;
        const auto pitch = static_cast<std::size_t>(table.lanes);
        const auto cols = static_cast<std::size_t>(std::min(kDenseTile, table.lanes - lane));
        kernel(StepArgs<T>{nullptr, entries.data(), static_cast<std::size_t>(table.size), 1, 1,
                           cols, in + at, pitch, out + at, pitch});
    });
    return true;
}

}  // namespace sparing
