#pragma once
#include "buffer.hpp"
#include "costs.hpp"
#include "plan.hpp"

namespace sparing {

/// Scratch of one thread.
template <class T>
struct Scratch {
    Buffer<T> block;              // a block of the trailing pass
    Buffer<T> lanes, more_lanes;  // [inner, lanes]
    Buffer<T> rows;               // [lanes, inner]
    Buffer<T> group;              // [rows of a group, group_pitch]
    Buffer<T> tile;               // [leading rows, tile_pitch]
    std::vector<TableRows<T>> keep, add;
};

/// A part of a tensor with the index of the best choice so far beside each value; operations go
/// back and forth between two of them.
template <class T>
struct Choices {
    using Index = typename SeparableKernels<T>::Index;
    explicit Choices(std::size_t size) : value(size), index(size) {}
    Buffer<T> value;
    Buffer<Index> index;
};

/// A view of rows, of a tile or a tensor.
template <class P>
struct Rows {
    P* data;
    std::size_t pitch;
};

/// One leading pass: from `source` (minimum along the trailing axes, or a value), by way of
/// y = scale * min(w + keep, branch + D source) + add, to E y or y itself.
template <class T>
struct LeadingJob {
    Rows<const T> source;
    Rows<const T> w;  // null: no branch
    Rows<T> out;
    bool minimise, expect;
    const CostForm<T>* add;
    const RowCost<T>* costs;  // per row: of staying less the cost of the branch; of `add`
    double scale;
    bool watched;        // compare with what is in `out`
    T* watch;            // null, or sampled tiles one after another, compared and replaced
    double extra = 0.0;  // watched only: how much of the change is added once more
};

template <class T>
struct SeparableSweep<T>::Impl {
    using Kernels = SeparableKernels<T>;
    using Index = typename Kernels::Index;
    using Operations = std::span<const Operation<T>>;

    explicit Impl(const SeparableProblem& problem);

    SeparableProblem problem;
    const Kernels& kernels;
    std::vector<MergedAxis> axes;
    Split split;
    GroupBuilder<T> builder;
    std::vector<Group<T>> lead, mid;
    Group<T> inner;
    std::vector<const T*> decision_tables;  // [axes], null: identity
    std::size_t size;                       // of the tensor
    std::size_t block_rows;                 // leading rows of a block of the trailing pass
    std::size_t group_pitch;
    std::size_t pitch;                          // of the rows of `minimum` and `expected`
    bool streams;                               // too large for the caches
    CostForm<T> keep, start, next, start_next;  // rows are the leading axes
    CostForm<T> post;                           // rows are all but the inner axes
    bool branch, lean;
    bool sampled;  // of the sweeps at hand: W over U, and only some tiles are watched
    /// Brings what is read next towards the second-level cache, unless all of it is there anyway.
    void fetch(const T* from, std::size_t stride, std::size_t count, std::size_t cols) const {
        if (size * sizeof(T) > kNear) kernels.prefetch(from, stride, count, cols);
    }
    static constexpr std::size_t kNear = std::size_t{1} << 24;
    /// One tile in so many is watched, not always at the same place among them.
    std::size_t watch_every = 1;
    bool watches(std::size_t tile) const {
        return tile % watch_every == 5 * (tile / watch_every) % watch_every;
    }
    Buffer<T> spread;  // U during sweeps, if spread_pitch > 0
    std::size_t spread_pitch = 0;
    Buffer<T> state, minimum, expected, watch;  // tensors: U, D_trail W, W (lean: over U)
    std::vector<Scratch<T>> scratch;
    std::vector<RowCost<T>> post_costs;  // [rows of `post`]
    std::vector<RowCost<T>> row_costs;   // [rows] of the pass at hand
    int threads = 1;

    void prepare(int num_threads);
    void refresh_watch();
    /// Where the sweeps find U: the state, or a copy whose rows do not share the sets of the
    /// caches.
    Rows<T> u() {
        return spread_pitch ? Rows<T>{spread.data(), spread_pitch}
                            : Rows<T>{state.data(), split.cols};
    }
    bool holds_value = false;  // the state is V, as a certificate leaves it
    void settle();             // makes it U, if somebody asks
    void begin_sweeps(double extra);
    void end_sweeps();
    Rows<T> w() {
        if (!branch) return {nullptr, 0};
        return sampled ? u() : Rows<T>{expected.data(), pitch};
    }

    /// W from U, and the minimum along the trailing axes; either output may be null, and w = u.
    void trailing_pass(Rows<const T> u, Rows<T> w_out, Rows<T> minimum_out);
    void sweep_trailing() { trailing_pass({u().data, u().pitch}, w(), {minimum.data(), pitch}); }
    /// The costs per row of keep - keep_less and add - add_less.
    const RowCost<T>* costs_of_rows(double keep_less, const CostForm<T>& add, double add_less);
    Span leading_pass(const LeadingJob<T>& job);
    LeadingJob<T> sweep_job(double shift, double extra);
    LeadingJob<T> finish_job(Rows<T> out, double shift);
    LeadingJob<T> begin_job(const T* value, Rows<T> out);
    double rounding(double largest) const;
    Certificate compare_slices(std::uint32_t* policy, T* value, std::size_t probe);

  private:
    struct Slices;
    void gather_columns(Slices&, std::size_t number);
    void compare_row(Slices&, std::size_t row, CompareArgs<T>& args);
    struct Block;
    void block(const Block&, Scratch<T>&);
    void inner_rows(const Block&, std::size_t row, std::size_t count, Rows<const T> src, T* w_out,
                    T* min_out, Scratch<T>&);
    void middle(const Block&, std::size_t leading_row, T* work, Scratch<T>&);
    void expect_inner(Rows<const T> src, std::size_t count, T* x);
    void minimise_inner(T* x, Rows<T> dst, std::size_t count);
    void both_inner(Rows<const T> src, Rows<T> w, Rows<T> minimum, Scratch<T>& s);
    void from_rows(Rows<const T> src, T* x);
    void to_rows(const T* x, Rows<T> dst, const T* also, Rows<T> also_dst);
    StepArgs<T> in_lanes(const Operation<T>& op, T* x) const;
    /// Whether the last of these operations can go from rows to lanes or back by itself.
    bool turns(Operations operations, std::size_t count) const {
        return !operations.empty() && operations.back().turn && operations.back().below == 1 &&
               count == kernels.lanes;
    }
    /// Past the caches only where that writes whole lines.
    bool on_lines(Rows<T> rows) const {
        return (reinterpret_cast<std::uintptr_t>(rows.data) | rows.pitch * sizeof(T)) % 64 == 0;
    }
    void deliver_lanes(const T* x, T* dst, std::size_t row_pitch, std::size_t count);
    void along_block(const Group<T>&, const std::vector<Operation<T>>&, T* work, Scratch<T>&);
    void post_rows(std::size_t row, std::size_t count, std::size_t col, std::size_t cols,
                   Scratch<T>&);
    void add_post(std::size_t row, std::size_t count, Scratch<T>&);
    void tile(const LeadingJob<T>& job, std::size_t number, Span& span, Scratch<T>&);
    FinishArgs<T> finish_args(const LeadingJob<T>& job, std::size_t row, std::size_t count,
                              std::size_t col, std::size_t cols, Rows<T> work, Scratch<T>& s);
    void run_and_finish(const Group<T>& g, bool minimise, Rows<const T> src,
                        const FinishArgs<T>& finish);
    bool finishes(Operations operations, const FinishArgs<T>& finish) const;
    void run_finish_and_expect(const Group<T>& g, bool minimise, Operations expect,
                               Rows<const T> src, Rows<T> dst, const FinishArgs<T>& finish);
    /// Whether the last of these operations can end with more than a store.
    bool ends(Operations operations, std::size_t cols) const {
        return !operations.empty() && operations.back().end && cols % kernels.width == 0;
    }
    void deliver(const LeadingJob<T>& job, const Group<T>& g, Operations operations, std::size_t o,
                 std::size_t b, Rows<T> src, std::size_t number, Span& span, Scratch<T>& s);
};

/// How the last of a run of operations ends, if not with a store.
template <class T>
struct LastEnding {
    const FinishArgs<T>* finish = nullptr;
    CommitArgs<T>* commit = nullptr;
};

/// Operations one after another: the first reads `src`, the last writes `dst`, in between they
/// work in `scratch` (which may be either of them). Without operations a copy.
template <class T>
void run(const Group<T>& group, std::span<const Operation<T>> operations, Rows<const T> src,
         Rows<T> scratch, Rows<T> dst, std::size_t cols, LastEnding<T> ending = {}) {
    if (operations.empty() && src.data != dst.data)
        for (std::size_t r = 0; r < group.rows; ++r)
            std::copy_n(src.data + r * src.pitch, cols, dst.data + r * dst.pitch);
    for (std::size_t k = 0; k < operations.size(); ++k) {
        const Operation<T>& op = operations[k];
        const bool last = k + 1 == operations.size();
        const Rows<const T> from = k == 0 ? src : Rows<const T>{scratch.data, scratch.pitch};
        const Rows<T> to = last ? dst : scratch;
        const auto kernel = last && (ending.finish || ending.commit) ? op.end : op.run;
        kernel({op.first, op.second, op.n2, op.outer, op.below, cols, from.data, from.pitch,
                to.data, to.pitch, ending.finish, ending.commit});
    }
}

}  // namespace sparing
