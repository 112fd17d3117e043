// The trailing pass: blocks of whole leading rows, each within the second-level cache.
#include "impl.hpp"

namespace sparing {

/// `count` leading rows from `row` on, and where they come from and go to (or null).
template <class T>
struct SeparableSweep<T>::Impl::Block {
    std::size_t row, count;
    Rows<const T> u;
    Rows<T> w, minimum;
};

template <class T>
void SeparableSweep<T>::Impl::trailing_pass(Rows<const T> u, Rows<T> w_out, Rows<T> minimum_out) {
    const auto blocks = static_cast<std::ptrdiff_t>((split.rows + block_rows - 1) / block_rows);
#pragma omp parallel num_threads(threads)
    {
        Scratch<T>& s = scratch[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
        for (std::ptrdiff_t b = 0; b < blocks; ++b) {
            const std::size_t row = static_cast<std::size_t>(b) * block_rows;
            block({row, std::min(block_rows, split.rows - row), u, w_out, minimum_out}, s);
        }
        kernels.fence();
    }
}

/// Expectation along the inner axes, both rules along the middle ones, minimum along the inner.
/// Without middle axes all rows of the block are one run of rows of the inner axes.
template <class T>
void SeparableSweep<T>::Impl::block(const Block& b, Scratch<T>& s) {
    const std::size_t chunk = kernels.lanes, n = split.inner;
    if (mid.empty()) {
        for (std::size_t r = 0; r < b.count; r += chunk) {
            const std::size_t row = b.row + r;
            inner_rows(b, row, std::min(chunk, b.count - r),
                       {b.u.data + row * b.u.pitch, b.u.pitch},
                       b.w.data ? b.w.data + row * b.w.pitch : nullptr,
                       b.minimum.data ? b.minimum.data + row * b.minimum.pitch : nullptr, s);
        }
        return;
    }
    T* const work = s.block.data();
    for (std::size_t row = b.row; row < b.row + b.count; ++row) {
        const T* const u = b.u.data + row * b.u.pitch;
        T* const to = b.minimum.data ? b.minimum.data + row * b.minimum.pitch : nullptr;
        for (std::size_t r = 0; r < split.mid_rows; r += chunk) {
            expect_inner({u + r * n, n}, std::min(chunk, split.mid_rows - r), s.lanes.data());
            fetch(u + (r + chunk) * n, 0, 1, r + chunk < split.mid_rows ? chunk * n : 0);
            kernels.from_lanes(s.lanes.data(), work + r * n, n, std::min(chunk, split.mid_rows - r),
                               n);
        }
        middle(b, row, work, s);
        for (std::size_t r = 0; to && r < split.mid_rows; r += chunk) {
            kernels.to_lanes(work + r * n, n, std::min(chunk, split.mid_rows - r), n,
                             s.lanes.data());
            minimise_inner(s.lanes.data(), {to + r * n, n}, std::min(chunk, split.mid_rows - r));
        }
    }
}

/// Both rules along the inner axes of a few rows, transposed so that the rows are the lanes.
template <class T>
void SeparableSweep<T>::Impl::inner_rows(const Block& b, std::size_t row, std::size_t count,
                                         Rows<const T> src, T* w_out, T* min_out, Scratch<T>& s) {
    T* const x = s.lanes.data();
    const bool turned = turns(inner.expect, count) && turns(inner.minimise, count);
    if (turned && w_out && min_out && !post.any && inner.expect.size() > 1 &&
        inner.minimise.size() > 1 &&
        chains(inner.expect.front(), inner.minimise.front(), Rule::kMinimise))
        return both_inner(src, {w_out, b.w.pitch}, {min_out, b.minimum.pitch}, s);
    expect_inner(src, count, x);
    if (post.any) add_post(row, count, s);
    if (w_out) deliver_lanes(x, w_out, b.w.pitch, count);
    if (min_out) minimise_inner(x, {min_out, b.minimum.pitch}, count);
}

/// Expectation along the inner axes, from rows to lanes; the last operation comes first, as it
/// may read the rows itself.
template <class T>
void SeparableSweep<T>::Impl::expect_inner(Rows<const T> src, std::size_t count, T* x) {
    const bool turned = turns(inner.expect, count);
    if (turned)
        from_rows(src, x);
    else
        kernels.to_lanes(src.data, src.pitch, count, split.inner, x);
    for (std::size_t k = 0; k + turned < inner.expect.size(); ++k)
        inner.expect[k].run(in_lanes(inner.expect[k], x));
}

/// Minimum along the inner axes, from lanes to rows.
template <class T>
void SeparableSweep<T>::Impl::minimise_inner(T* x, Rows<T> dst, std::size_t count) {
    const bool turned = turns(inner.minimise, count);
    for (std::size_t k = 0; k + turned < inner.minimise.size(); ++k)
        inner.minimise[k].run(in_lanes(inner.minimise[k], x));
    if (turned)
        to_rows(x, dst, nullptr, {nullptr, 0});
    else
        deliver_lanes(x, dst.data, dst.pitch, count);
}

/// Both rules along the inner axes of as many rows as there are lanes: three runs through the
/// lanes, as the outermost operation of one rule goes on with that of the other.
template <class T>
void SeparableSweep<T>::Impl::both_inner(Rows<const T> src, Rows<T> w, Rows<T> minimum,
                                         Scratch<T>& s) {
    T *const x = s.lanes.data(), *const y = s.more_lanes.data();
    from_rows(src, x);
    for (std::size_t k = inner.expect.size() - 2; k > 0; --k)
        inner.expect[k].run(in_lanes(inner.expect[k], x));
    const Operation<T>&expect = inner.expect.front(), &minimise = inner.minimise.front();
    StepArgs<T> args = in_lanes(expect, x);
    args.dst = y;
    args.kept = x;
    args.next_first = minimise.first;
    args.next_second = minimise.second;
    expect.chain(args);
    for (std::size_t k = 1; k + 1 < inner.minimise.size(); ++k)
        inner.minimise[k].run(in_lanes(inner.minimise[k], y));
    to_rows(y, minimum, x, w);
}

/// The last expectation from rows to lanes.
template <class T>
void SeparableSweep<T>::Impl::from_rows(Rows<const T> src, T* x) {
    const Operation<T>& op = inner.expect.back();
    op.turn({op.first, op.second, op.n2, op.outer, op.below, kernels.lanes, src.data, src.pitch, x,
             kernels.lanes});
}

/// The last minimum from lanes to rows, and `also` as it is.
template <class T>
void SeparableSweep<T>::Impl::to_rows(const T* x, Rows<T> dst, const T* also, Rows<T> also_dst) {
    const Operation<T>& op = inner.minimise.back();
    StepArgs<T> args{op.first,      op.second, op.n2,         op.outer, op.below,
                     kernels.lanes, x,         kernels.lanes, dst.data, dst.pitch};
    args.also = also;
    args.also_dst = also_dst.data;
    args.also_pitch = also_dst.pitch;
    args.stream = streams && on_lines(dst) && on_lines(also_dst);
    op.turn(args);
}

/// One operation in place, on lanes: all of one run of rows are as the columns of one.
template <class T>
StepArgs<T> SeparableSweep<T>::Impl::in_lanes(const Operation<T>& op, T* x) const {
    const std::size_t cols = op.below * kernels.lanes;
    return {op.first, op.second, op.n2, op.outer, 1, cols, x, cols, x, cols};
}

template <class T>
void SeparableSweep<T>::Impl::deliver_lanes(const T* x, T* dst, std::size_t row_pitch,
                                            std::size_t count) {
    (streams ? kernels.stream_from_lanes : kernels.from_lanes)(x, dst, row_pitch, count,
                                                               split.inner);
}

/// Both rules along the middle axes of one leading row: expectation along all groups but the
/// last in place, then tile by tile along the last, W on its way out, and minimum back.
template <class T>
void SeparableSweep<T>::Impl::middle(const Block& b, std::size_t leading_row, T* work,
                                     Scratch<T>& s) {
    const Group<T>& last = mid.back();
    const std::size_t n = split.inner;
    const Rows<T> x{s.group.data(), group_pitch};
    const bool chained = b.w.data && b.minimum.data && !post.any && last.expect.size() == 1 &&
                         last.minimise.size() == 1 && n % kernels.width == 0 &&
                         chains(last.expect[0], last.minimise[0], Rule::kMinimise);
    for (std::size_t k = 0; k + 1 < mid.size(); ++k) along_block(mid[k], mid[k].expect, work, s);
    if (chained) {
        const Operation<T>&op = last.expect[0], &next = last.minimise[0];
        for (std::size_t o = 0; o < last.outer; ++o) {
            T* const here = work + o * last.rows * n;
            StepArgs<T> args{op.first, op.second, op.n2, op.outer, op.below, n, here, n, here, n};
            args.kept = b.w.data + leading_row * b.w.pitch + o * last.rows * n;
            args.next_first = next.first;
            args.next_second = next.second;
            op.chain(args);
        }
    }
    if (!chained)
        for (std::size_t o = 0; o < last.outer; ++o)
            for (std::size_t c = 0; c < n; c += split.tile) {
                const std::size_t row = o * last.rows, cols = std::min(split.tile, n - c);
                const Rows<T> here{work + row * n + c, n};
                run<T>(last, last.expect, {here.data, n}, x, x, cols);
                if (post.any) post_rows(leading_row * split.mid_rows + row, last.rows, c, cols, s);
                for (std::size_t r = 0; b.w.data && r < last.rows; ++r) {
                    T* const to = b.w.data + leading_row * b.w.pitch + (row + r) * n + c;
                    if (streams)
                        kernels.stream(x.data + r * x.pitch, to, cols);
                    else
                        std::copy_n(x.data + r * x.pitch, cols, to);
                }
                if (b.minimum.data) run<T>(last, last.minimise, {x.data, x.pitch}, x, here, cols);
            }
    for (std::size_t k = mid.size() - 1; b.minimum.data && k-- > 0;)
        along_block(mid[k], mid[k].minimise, work, s);
}

/// One group of middle axes, in place.
template <class T>
void SeparableSweep<T>::Impl::along_block(const Group<T>& g,
                                          const std::vector<Operation<T>>& operations, T* work,
                                          Scratch<T>& s) {
    const std::size_t cols = g.below * split.inner;
    for (std::size_t o = 0; o < g.outer; ++o)
        for (std::size_t c = 0; c < cols; c += split.tile) {
            const Rows<T> here{work + o * g.rows * cols + c, cols};
            run<T>(g, operations, {here.data, cols}, {s.group.data(), group_pitch}, here,
                   std::min(split.tile, cols - c));
        }
}

/// Costs between the last draw and the decision: rows of the middle axes in a tile.
template <class T>
void SeparableSweep<T>::Impl::post_rows(std::size_t row, std::size_t count, std::size_t col,
                                        std::size_t cols, Scratch<T>& s) {
    kernels.finish({s.group.data(), group_pitch, nullptr, 0, count, cols, T(1),
                    post_costs.data() + row, nullptr, post.at(row, col, s.add), 0, post.count()});
}

/// The same where the rows are lanes: by way of a transposed copy, as it is rare.
template <class T>
void SeparableSweep<T>::Impl::add_post(std::size_t row, std::size_t count, Scratch<T>& s) {
    const std::size_t n = split.inner, pitch = s.rows.size() / kernels.lanes;
    T *const x = s.lanes.data(), *const rows = s.rows.data();
    kernels.from_lanes(x, rows, pitch, count, n);
    kernels.finish({rows, pitch, nullptr, 0, count, n, T(1), post_costs.data() + row, nullptr,
                    post.at(row, 0, s.add), 0, post.count()});
    kernels.to_lanes(rows, pitch, count, n, x);
}

template void SeparableSweep<float>::Impl::trailing_pass(Rows<const float>, Rows<float>,
                                                         Rows<float>);
template void SeparableSweep<double>::Impl::trailing_pass(Rows<const double>, Rows<double>,
                                                          Rows<double>);

}  // namespace sparing
