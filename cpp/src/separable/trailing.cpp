// The trailing pass: blocks of whole leading rows, each within the second-level cache.
#include "impl.hpp"

namespace sparing {

template <class T>
void SeparableSweep<T>::Impl::trailing_pass(const T* u, T* w_out, T* minimum_out) {
    const auto blocks = static_cast<std::ptrdiff_t>((split.rows + block_rows - 1) / block_rows);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (std::ptrdiff_t b = 0; b < blocks; ++b) {
        const std::size_t row = static_cast<std::size_t>(b) * block_rows;
        block(row, std::min(block_rows, split.rows - row), u, w_out, minimum_out,
              scratch[static_cast<std::size_t>(omp_get_thread_num())]);
    }
}

/// Expectation along the middle axes, both rules along the inner ones, minimum along the middle.
template <class T>
void SeparableSweep<T>::Impl::block(std::size_t row, std::size_t count, const T* u, T* w_out,
                                    T* min_out, Scratch<T>& s) {
    const std::size_t begin = row * split.cols, block_size = count * split.cols;
    const T* src = u + begin;
    T* const dst = min_out ? min_out + begin : nullptr;
    T* const work = s.block.data();
    for (const Group<T>& g : mid) {
        if (g.expect.empty()) continue;
        for (std::size_t at = 0; at < block_size; at += split.cols)
            along_block(g, g.expect, src + at, work + at, s);
        src = work;
    }
    std::size_t left = 0;
    for (const Group<T>& g : mid) left += !g.minimise.empty();
    const std::size_t chunk = kernels.lanes, rows = count * split.mid_rows;
    for (std::size_t r = 0; r < rows; r += chunk) {
        const std::size_t at = r * split.inner;
        inner_rows(row * split.mid_rows + r, std::min(chunk, rows - r), src + at,
                   w_out ? w_out + begin + at : nullptr,
                   dst ? (left ? work : dst) + at : nullptr, s);
    }
    if (!dst) return;
    for (const Group<T>& g : mid) {
        if (g.minimise.empty()) continue;
        T* const to = --left ? work : dst;
        for (std::size_t at = 0; at < block_size; at += split.cols)
            along_block(g, g.minimise, work + at, to + at, s);
    }
}

/// One group of middle axes of one leading row, a few columns at a time.
template <class T>
void SeparableSweep<T>::Impl::along_block(const Group<T>& g,
                                          const std::vector<Operation<T>>& operations,
                                          const T* src, T* dst, Scratch<T>& s) {
    const std::size_t cols = g.below * split.inner, step = split.tile;
    for (std::size_t o = 0; o < g.outer; ++o)
        for (std::size_t c = 0; c < cols; c += step) {
            const std::size_t at = o * g.rows * cols + c;
            run<T>(g, operations, {src + at, cols}, {s.group.data(), group_pitch}, {dst + at, cols},
                   std::min(step, cols - c));
        }
}

/// All inner axes of a few rows, transposed so that the rows are the lanes of vectors.
template <class T>
void SeparableSweep<T>::Impl::inner_rows(std::size_t row, std::size_t count, const T* src,
                                         T* w_out, T* min_out, Scratch<T>& s) {
    const std::size_t n = split.inner;
    T* const x = s.lanes.data();
    const auto apply = [&](const std::vector<Operation<T>>& operations) {
        for (const Operation<T>& op : operations) {
            const std::size_t cols = op.below * kernels.lanes;
            op.run({op.first, op.second, op.n2, op.outer, 1, cols, x, cols, x, cols});
        }
    };
    kernels.to_lanes(src, n, count, n, x);
    apply(inner.expect);
    if (post.any) add_post(row, count, s);
    if (w_out) kernels.from_lanes(x, w_out, n, count, n);
    if (!min_out) return;
    apply(inner.minimise);
    kernels.from_lanes(x, min_out, n, count, n);
}

/// Costs between the last draw and the decision are rare: through a transposed copy.
template <class T>
void SeparableSweep<T>::Impl::add_post(std::size_t row, std::size_t count, Scratch<T>& s) {
    const std::size_t n = split.inner;
    T *const x = s.lanes.data(), *const rows = s.rows.data();
    kernels.from_lanes(x, rows, n, count, n);
    s.add.resize(post.count());
    for (std::size_t l = 0; l < count; ++l) {
        post.pointers(row + l, 0, s.add.data());
        for (std::size_t c = 0; c < n; ++c) {
            T sum = static_cast<T>(post.row[row + l]);
            for (const T* const term : s.add) sum += term[c];
            rows[l * n + c] += sum;
        }
    }
    kernels.to_lanes(rows, n, count, n, x);
}

template void SeparableSweep<float>::Impl::trailing_pass(const float*, float*, float*);
template void SeparableSweep<double>::Impl::trailing_pass(const double*, double*, double*);

}  // namespace sparing
