// Compiled once per instruction set (SPARING_ISA) and scalar type (SPARING_REAL). No inline
// function of another file is used here: the linker would keep one copy of it for all instruction
// sets.
#include "sparing/row_kernels.hpp"

#define SPARING_JOIN(a, b, c) a##b##_##c
#define SPARING_NAME(isa, real) SPARING_JOIN(row_kernels_, isa, real)

namespace sparing {
namespace {

using T = SPARING_REAL;

constexpr std::int64_t kTile = 64;  // lanes that are summed at a time, in registers
constexpr std::int64_t kStrip = 8;  // the same for riders that were gathered

struct Expect {
    static T include(T sum, T probability, T value) { return sum + probability * value; }
};
struct Minimise {
    static T include(T best, T cost, T value) {
        const T path = cost + value;
        return path < best ? path : best;
    }
};

template <class Semiring>
void single(const RowArgs<T>& a) {
    for (std::int64_t r = a.first; r < a.last; ++r) {
        T sum = static_cast<T>(a.start[r]);
        for (auto e = a.indptr[r]; e < a.indptr[r + 1]; ++e)
            sum = Semiring::include(sum, static_cast<T>(a.weight[e]), a.in[a.source[e]]);
        a.out[a.target[r]] = sum;
    }
}

template <class Semiring, std::int64_t kWidth>
void tile(const RowArgs<T>& a, std::int64_t r, std::int64_t lane, std::int64_t width) {
    T sum[kWidth];
    for (std::int64_t l = 0; l < width; ++l) sum[l] = static_cast<T>(a.start[r]);
    for (auto e = a.indptr[r]; e < a.indptr[r + 1]; ++e) {
        const T weight = static_cast<T>(a.weight[e]);
        const T* value = a.in + a.source[e] + lane;
        for (std::int64_t l = 0; l < width; ++l)
            sum[l] = Semiring::include(sum[l], weight, value[l]);
    }
    T* out = a.out + a.target[r] + lane;
    for (std::int64_t l = 0; l < width; ++l) out[l] = sum[l];
}

template <class Semiring>
void product(const RowArgs<T>& a) {
    if (a.width == 1) return single<Semiring>(a);
    if (a.width == kStrip) {
        for (std::int64_t r = a.first; r < a.last; ++r) tile<Semiring, kStrip>(a, r, 0, kStrip);
        return;
    }
    for (std::int64_t r = a.first; r < a.last; ++r) {
        std::int64_t lane = 0;
        for (; lane + kTile <= a.width; lane += kTile) tile<Semiring, kTile>(a, r, lane, kTile);
        if (lane < a.width) tile<Semiring, kTile>(a, r, lane, a.width - lane);
    }
}

void product_with_post(const PostArgs<T>& a) {
    const RowArgs<T>& rows = a.rows;
    for (std::int64_t r = rows.first; r < rows.last; ++r)
        for (std::int64_t l = 0; l < rows.width; ++l) {
            const auto begin = rows.indptr[r], end = rows.indptr[r + 1];
            T best = static_cast<T>(rows.start[r]);
            std::int64_t from = begin < end ? rows.source[begin] + l : 0;
            for (auto e = begin; e < end; ++e) {
                const auto at = rows.source[e] + l;
                const T path = static_cast<T>(rows.weight[e]) + rows.in[at];
                if (path < best) best = path, from = at;
            }
            rows.out[rows.target[r] + l] = best;
            a.post_out[rows.target[r] + l] =
                a.post_in ? a.post_in[from] : static_cast<std::uint32_t>(a.origin + from);
        }
}

}  // namespace

const RowKernels<SPARING_REAL>* SPARING_NAME(SPARING_ISA, SPARING_REAL)();

const RowKernels<SPARING_REAL>* SPARING_NAME(SPARING_ISA, SPARING_REAL)() {
    static constexpr RowKernels<SPARING_REAL> kernels{&product<Expect>, &product<Minimise>,
                                                      &product_with_post};
    return &kernels;
}

}  // namespace sparing
