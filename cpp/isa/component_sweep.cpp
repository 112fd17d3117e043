// Compiled once per instruction set (SPARING_ISA) and scalar type (SPARING_REAL). No inline
// function of another file is used here: the linker would keep one copy of it for all instruction
// sets.
#include "sparing/component_sweep.hpp"

#define SPARING_JOIN(a, b, c) a##b##_##c
#define SPARING_NAME(isa, real) SPARING_JOIN(belief_kernels_, isa, real)

namespace sparing {
namespace {

using T = SPARING_REAL;
using Index = std::int64_t;

constexpr Index kMost = 12;  // entries of a row that are summed in one pass
constexpr Index kRows = 16;  // rows that are turned into lanes at a time
constexpr T kInfinity = static_cast<T>(__builtin_inf());

/// What becomes of the sum of a pass.
enum class Pass { store, add, least, add_least };

/// out[l] (op)= sum over k < N of weight[k] * in[to[k] * length + l].
template <Index N, Pass pass>
void pass_of(const std::int32_t* to, const T* weight, Index length, const T* in, T cost,
             const T* partial, T* __restrict out) {
    const T* from[N];
    T w[N];
    for (Index k = 0; k < N; ++k) from[k] = in + to[k] * length, w[k] = weight[k];
    for (Index l = 0; l < length; ++l) {
        T sum = w[0] * from[0][l];
        for (Index k = 1; k < N; ++k) sum += w[k] * from[k][l];
        if constexpr (pass == Pass::store) {
            out[l] = sum;
        } else if constexpr (pass == Pass::add) {
            out[l] += sum;
        } else {
            if constexpr (pass == Pass::add_least) sum += partial[l];
            sum += cost;
            out[l] = sum < out[l] ? sum : out[l];
        }
    }
}

template <Pass pass>
void sized_pass(Index count, const std::int32_t* to, const T* weight, Index length, const T* in,
                T cost, const T* partial, T* out) {
    switch (count) {
#define SPARING_CASE(n) \
    case n:             \
        return pass_of<n, pass>(to, weight, length, in, cost, partial, out);
        SPARING_CASE(1)
        SPARING_CASE(2)
        SPARING_CASE(3)
        SPARING_CASE(4)
        SPARING_CASE(5)
        SPARING_CASE(6)
        SPARING_CASE(7)
        SPARING_CASE(8)
        SPARING_CASE(9)
        SPARING_CASE(10)
        SPARING_CASE(11)
        SPARING_CASE(12)
#undef SPARING_CASE
    }
}

/// out = sum of weight * in over one row.
void combine(Index count, const std::int32_t* to, const T* weight, Index length, const T* in,
             T* out) {
    Index done = count < kMost ? count : kMost;
    sized_pass<Pass::store>(done, to, weight, length, in, 0, nullptr, out);
    while (done < count) {
        const Index next = count - done < kMost ? count - done : kMost;
        sized_pass<Pass::add>(next, to + done, weight + done, length, in, 0, nullptr, out);
        done += next;
    }
}

/// out = min(out, cost + sum of weight * in over one row).
void combine_least(Index count, const std::int32_t* to, const T* weight, Index length, const T* in,
                   T cost, T* scratch, T* out) {
    if (count <= kMost) {
        sized_pass<Pass::least>(count, to, weight, length, in, cost, nullptr, out);
        return;
    }
    const Index last = (count - 1) % kMost + 1, first = count - last;
    combine(first, to, weight, length, in, scratch);
    sized_pass<Pass::add_least>(last, to + first, weight + first, length, in, cost, scratch, out);
}

void level(const BeliefSlice<T>& a, Index axis, Index length, Index first, Index last, T cost,
           const T* in, T* out, T* scratch) {
    const OptionRows<T>& rows = a.axes[axis];
    for (Index p = first; p < last; ++p) {
        T* const target = out + (p - first) * length;
        for (Index option = 0; option < rows.options; ++option) {
            const Index begin = rows.indptr[p * rows.options + option];
            const Index count = rows.indptr[p * rows.options + option + 1] - begin;
            if (count == 0) continue;
            const std::int32_t* const to = rows.to + begin;
            const T* const weight = rows.weight + begin;
            const T paid = cost + rows.cost[option];
            if (axis + 1 == a.num_axes) {
                combine_least(count, to, weight, length, in, paid, scratch, target);
                continue;
            }
            combine(count, to, weight, length, in, scratch);
            const Index points = a.axes[axis + 1].points;
            level(a, axis + 1, length / points, 0, points, paid, scratch, target, scratch + length);
        }
    }
}

void sweep_slice(const BeliefSlice<T>& a) {
    Index length = a.lanes;
    for (Index axis = 1; axis < a.num_axes; ++axis) length *= a.axes[axis].points;
    level(a, 0, length, a.point, a.point + 1, a.cost, a.in, a.out, a.scratch);
}

void contract_lanes(const OptionRows<T>& rows, Index option, T scale, Index num_rows, Index lanes,
                    const T* in, T* out, T* scratch) {
    for (Index r = 0; r < num_rows; r += kRows) {
        const Index width = num_rows - r < kRows ? num_rows - r : kRows;
        for (Index l = 0; l < width; ++l)
            for (Index p = 0; p < rows.points; ++p)
                scratch[p * kRows + l] = in[(r + l) * lanes + p];
        for (Index p = 0; p < rows.points; ++p) {
            const Index begin = rows.indptr[p * rows.options + option];
            const Index end = rows.indptr[p * rows.options + option + 1];
            T sum[kRows];
            for (Index l = 0; l < kRows; ++l) sum[l] = begin == end ? kInfinity : 0;
            for (Index e = begin; e < end; ++e) {
                const T weight = rows.weight[e];
                const T* const value = scratch + rows.to[e] * kRows;
                for (Index l = 0; l < kRows; ++l) sum[l] += weight * value[l];
            }
            for (Index l = 0; l < width; ++l) out[(r + l) * lanes + p] = scale * sum[l];
        }
        for (Index l = 0; l < width; ++l)
            for (Index p = rows.points; p < lanes; ++p) out[(r + l) * lanes + p] = 0;
    }
}

}  // namespace

const BeliefKernels<T>* SPARING_NAME(SPARING_ISA, SPARING_REAL)();
const BeliefKernels<T>* SPARING_NAME(SPARING_ISA, SPARING_REAL)() {
    static constexpr BeliefKernels<T> kernels{&contract_lanes, &sweep_slice};
    return &kernels;
}

}  // namespace sparing
