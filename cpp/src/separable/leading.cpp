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
    const Rows<T> tile{s.tile.data(), group_pitch}, work{s.group.data(), group_pitch};
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
    for (std::size_t o = 0; o < last.outer; ++o) {
        const std::size_t row = o * last.rows;
        const Rows<const T> from{src.data + row * src.pitch, src.pitch};
        const FinishArgs<T> finish = finish_args(job, row, last.rows, col, cols, work, s);
        if (!job.expect) {
            run_and_finish(last, job.minimise, from, finish);
            deliver(job, last, {}, o, 0, work, number, span, s);
        } else if (lead.size() == 1) {  // one operation is left for the delivery
            const std::size_t first = last.expect.empty() ? 0 : 1;
            const Operations all = last.expect;
            if (all.size() > 1)
                run_finish_and_expect(last, job.minimise, all.subspan(1), from, work, finish);
            else
                run_and_finish(last, job.minimise, from, finish);
            deliver(job, last, all.first(first), o, 0, work, number, span, s);
        } else {
            run_finish_and_expect(last, job.minimise, last.expect, from,
                                  {tile.data + row * tile.pitch, tile.pitch}, finish);
        }
    }
    if (!job.expect) return;
    for (std::size_t k = lead.size() - 1; k-- > 0;) {
        const Group<T>& g = lead[k];
        for (std::size_t o = 0; o < g.outer; ++o)
            for (std::size_t b = 0; b < g.below; ++b) {
                const Rows<T> here{tile.data + (o * g.rows * g.below + b) * tile.pitch,
                                   tile.pitch * g.below};
                if (k == 0)
                    deliver(job, g, g.expect, o, b, here, number, span, s);
                else
                    run<T>(g, g.expect, {here.data, here.pitch}, here, here, cols);
            }
    }
}

template <class T>
FinishArgs<T> SeparableSweep<T>::Impl::finish_args(const LeadingJob<T>& job, std::size_t row,
                                                   std::size_t count, std::size_t col,
                                                   std::size_t cols, Rows<T> work, Scratch<T>& s) {
    const std::size_t ahead = col + split.tile;
    if (ahead < split.cols) {  // of the next tile, most likely this thread's
        fetch(job.source.data + row * job.source.pitch + ahead, job.source.pitch, count, cols);
        if (job.w.data) fetch(job.w.data + row * job.w.pitch + ahead, job.w.pitch, count, cols);
    }
    return {work.data,
            work.pitch,
            job.w.data ? job.w.data + row * job.w.pitch + col : nullptr,
            job.w.pitch,
            count,
            cols,
            static_cast<T>(job.scale),
            job.costs + row,
            keep.at(row, col, s.keep),
            job.add->at(row, col, s.add),
            keep.count(),
            job.add->count()};
}

/// Whether the last of these operations can finish the rows as well.
template <class T>
bool SeparableSweep<T>::Impl::finishes(Operations operations, const FinishArgs<T>& finish) const {
    return finish.w && finish.num_keep == 0 && finish.num_add == 1 &&
           ends(operations, finish.cols) && operations.back().below == 1;
}

/// Minimum from `src` to the rows of `finish`, which are finished.
template <class T>
void SeparableSweep<T>::Impl::run_and_finish(const Group<T>& g, bool minimise, Rows<const T> src,
                                             const FinishArgs<T>& finish) {
    const Operations operations = minimise ? Operations(g.minimise) : Operations();
    const Rows<T> work{finish.x, finish.x_pitch};
    if (finishes(operations, finish)) {
        run<T>(g, operations, src, work, work, finish.cols, {&finish, nullptr});
    } else {
        run<T>(g, operations, src, work, work, finish.cols);
        kernels.finish(finish);
    }
}

/// The same, then the expectation, to `dst`: where the innermost axes allow it without a store in
/// between.
template <class T>
void SeparableSweep<T>::Impl::run_finish_and_expect(const Group<T>& g, bool minimise,
                                                    Operations expect, Rows<const T> src,
                                                    Rows<T> dst, const FinishArgs<T>& finish) {
    const Rows<T> work{finish.x, finish.x_pitch};
    if (!minimise || !finishes(g.minimise, finish) || expect.empty() ||
        !chains(g.minimise.back(), expect.back(), Rule::kExpect)) {
        run_and_finish(g, minimise, src, finish);
        run<T>(g, expect, {work.data, work.pitch}, work, dst, finish.cols);
        return;
    }
    const Operation<T>&op = g.minimise.back(), &next = expect.back();
    const Operations before = Operations(g.minimise).first(g.minimise.size() - 1);
    const Operations after = expect.first(expect.size() - 1);
    if (!before.empty()) run<T>(g, before, src, work, work, finish.cols);
    const Rows<const T> from = before.empty() ? src : Rows<const T>{work.data, work.pitch};
    StepArgs<T> args{op.first,    op.second, op.n2,      op.outer, op.below,
                     finish.cols, from.data, from.pitch, dst.data, dst.pitch};
    args.finish = &finish;
    args.next_first = next.first;
    args.next_second = next.second;
    op.chain(args);
    if (!after.empty()) run<T>(g, after, {dst.data, dst.pitch}, dst, dst, finish.cols);
}

/// The last step of a tile: expectation along group `g`, the watch on the change, and memory.
template <class T>
void SeparableSweep<T>::Impl::deliver(const LeadingJob<T>& job, const Group<T>& g,
                                      Operations operations, std::size_t o, std::size_t b,
                                      Rows<T> src, std::size_t number, Span& span, Scratch<T>& s) {
    const std::size_t row = o * g.rows * g.below + b, col = number * split.tile;
    const std::size_t cols = std::min(split.tile, split.cols - col);
    const Rows<T> out{job.out.data + row * job.out.pitch + col, g.below * job.out.pitch};
    const Rows<T> work{s.group.data(), group_pitch};
    if (job.out.data != job.w.data && b + 1 < g.below)
        fetch(out.data + job.out.pitch, out.pitch, g.rows, cols);
    CommitArgs<T> commit{work.data,
                         work.pitch,
                         out.data,
                         out.pitch,
                         out.data,
                         out.pitch,
                         g.rows,
                         cols,
                         std::numeric_limits<T>::infinity(),
                         -std::numeric_limits<T>::infinity(),
                         static_cast<T>(job.extra)};
    if (job.watched && ends(operations, cols)) {
        run<T>(g, operations, {src.data, src.pitch}, work, out, cols, {nullptr, &commit});
    } else if (job.watched) {
        run<T>(g, operations, {src.data, src.pitch}, work, work, cols);
        kernels.commit(commit);
    } else {
        run<T>(g, operations, {src.data, src.pitch}, work, out, cols);
        if (!job.watch || !watches(number)) return;
        T* const sample = job.watch + (number / watch_every * split.rows + row) * split.tile;
        commit.extra = T(0);
        commit.x = out.data;
        commit.x_pitch = out.pitch;
        commit.old = commit.dst = sample;
        commit.old_pitch = commit.dst_pitch = g.below * split.tile;
        kernels.commit(commit);
    }
    span.lower = std::min(span.lower, static_cast<double>(commit.lower));
    span.upper = std::max(span.upper, static_cast<double>(commit.upper));
}

template Span SeparableSweep<float>::Impl::leading_pass(const LeadingJob<float>&);
template Span SeparableSweep<double>::Impl::leading_pass(const LeadingJob<double>&);

}  // namespace sparing
