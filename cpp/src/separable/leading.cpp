// The leading pass: columns of all leading rows, in tiles that fit the second-level cache.
#include "impl.hpp"

namespace sparing {

template <class T>
Span SeparableSweep<T>::Impl::leading_pass(const LeadingJob<T>& job) {
    const auto tiles = static_cast<std::ptrdiff_t>((split.cols + split.tile - 1) / split.tile);
    double lower = std::numeric_limits<double>::infinity(), upper = -lower;
    const int chunk = static_cast<int>(std::clamp<std::ptrdiff_t>(tiles / (8 * threads), 1, 8));
#pragma omp parallel for num_threads(threads) schedule(dynamic, chunk) reduction(min : lower) \
    reduction(max : upper)
    for (std::ptrdiff_t k = 0; k < tiles; ++k) {
        Span span{lower, upper};
        tile(job, static_cast<std::size_t>(k), span,
             scratch[static_cast<std::size_t>(omp_get_thread_num())]);
        lower = std::min(lower, span.lower);
        upper = std::max(upper, span.upper);
    }
    return {lower, upper};
}

/// Minimum along all groups but the last into the tile; minimum along the last, costs and
/// expectation along it row block by row block; expectation along the others on the way back.
template <class T>
void SeparableSweep<T>::Impl::tile(const LeadingJob<T>& job, std::size_t number, Span& span,
                                   Scratch<T>& s) {
    const std::size_t col = number * split.tile;
    const std::size_t cols = std::min(split.tile, split.cols - col);
    const Group<T>& last = lead.back();
    const Rows<T> tile{s.tile.data(), tile_pitch}, work{s.group.data(), group_pitch};
    Rows<const T> src{job.source.data + col, job.source.pitch};
    if (job.minimise)
        for (std::size_t k = 0; k + 1 < lead.size(); ++k) {
            const Group<T>& g = lead[k];
            if (g.minimise.empty()) continue;
            for (std::size_t o = 0; o < g.outer; ++o)
                for (std::size_t b = 0; b < g.below; ++b) {
                    const std::size_t row = o * g.rows * g.below + b;
                    const Rows<T> to{tile.data + row * tile.pitch, tile.pitch * g.below};
                    run<T>(g, g.minimise, {src.data + row * src.pitch, src.pitch * g.below}, to, to,
                           cols);
                }
            src = {tile.data, tile.pitch};
        }
    const std::vector<Operation<T>> none;
    for (std::size_t o = 0; o < last.outer; ++o) {
        const std::size_t row = o * last.rows;
        run<T>(last, job.minimise ? last.minimise : none, {src.data + row * src.pitch, src.pitch},
               work, work, cols);
        finish_rows(job, row, last.rows, col, cols, work.data, s);
        if (lead.size() == 1 || !job.expect) {
            deliver(job, last, o, 0, work.data, work.pitch, number, span, s);
        } else {
            const Rows<T> to{tile.data + row * tile.pitch, tile.pitch};
            run<T>(last, last.expect, {work.data, work.pitch}, work, to, cols);
        }
    }
    if (!job.expect) return;
    for (std::size_t k = lead.size() - 1; k-- > 0;) {
        const Group<T>& g = lead[k];
        for (std::size_t o = 0; o < g.outer; ++o)
            for (std::size_t b = 0; b < g.below; ++b) {
                T* const at = tile.data + (o * g.rows * g.below + b) * tile.pitch;
                const Rows<T> here{at, tile.pitch * g.below};
                if (k == 0)
                    deliver(job, g, o, b, at, here.pitch, number, span, s);
                else
                    run<T>(g, g.expect, {at, here.pitch}, here, here, cols);
            }
    }
}

template <class T>
void SeparableSweep<T>::Impl::finish_rows(const LeadingJob<T>& job, std::size_t row,
                                          std::size_t count, std::size_t col, std::size_t cols,
                                          T* x, Scratch<T>& s) {
    const std::size_t ahead = col + split.tile;
    if (ahead < split.cols) {  // of the next tile, most likely this thread's
        fetch(job.source.data + row * job.source.pitch + ahead, job.source.pitch, count, cols);
        if (job.w.data) fetch(job.w.data + row * job.w.pitch + ahead, job.w.pitch, count, cols);
    }
    kernels.finish({x, group_pitch, job.w.data ? job.w.data + row * job.w.pitch + col : nullptr,
                    job.w.pitch, count, cols, static_cast<T>(problem.branch_cost.value_or(0.0)),
                    static_cast<T>(job.scale), keep.number.data() + row, job.number + row,
                    keep.at(row, col, s.keep), job.add->at(row, col, s.add), keep.count(),
                    job.add->count()});
}

/// The last step of a tile: expectation along group `g`, the watch on the change, and memory.
template <class T>
void SeparableSweep<T>::Impl::deliver(const LeadingJob<T>& job, const Group<T>& g, std::size_t o,
                                      std::size_t b, const T* src, std::size_t pitch,
                                      std::size_t number, Span& span, Scratch<T>& s) {
    const std::size_t col = number * split.tile, row = o * g.rows * g.below + b;
    const std::size_t cols = std::min(split.tile, split.cols - col);
    const std::size_t out_pitch = g.below * split.cols;
    T* const out = job.out + row * split.cols + col;
    const std::vector<Operation<T>> none;
    const auto& operations = job.expect ? g.expect : none;
    const Rows<T> work{s.group.data(), group_pitch};
    if (job.old && b + 1 < g.below)
        fetch(job.old + (out - job.out) + split.cols, out_pitch, g.rows, cols);
    const bool sampled = job.watch && number % watch_every == 0;
    if (!job.old && !sampled) {
        run<T>(g, operations, {src, pitch}, work, {out, out_pitch}, cols);
        return;
    }
    run<T>(g, operations, {src, pitch}, work, work, cols);
    T lower = std::numeric_limits<T>::infinity(), upper = -lower;
    T* const sample =
        sampled ? job.watch + (number / watch_every * split.rows + row) * split.tile : nullptr;
    CommitArgs<T> args{work.data, work.pitch, job.old, out_pitch, out,
                       out_pitch, g.rows,     cols,    lower,     upper};
    if (sampled) {
        run<T>(g, none, {work.data, work.pitch}, work, {out, out_pitch}, cols);
        args.dst = sample;
        args.dst_pitch = g.below * split.tile;
        args.old = sample;
        args.old_pitch = args.dst_pitch;
    } else {
        args.old = job.old + (out - job.out);
    }
    kernels.commit(args);
    lower = args.lower;
    upper = args.upper;
    span.lower = std::min(span.lower, static_cast<double>(lower));
    span.upper = std::max(span.upper, static_cast<double>(upper));
}

template Span SeparableSweep<float>::Impl::leading_pass(const LeadingJob<float>&);
template Span SeparableSweep<double>::Impl::leading_pass(const LeadingJob<double>&);

}  // namespace sparing
