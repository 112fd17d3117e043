#include "impl.hpp"

namespace sparing {
namespace {

constexpr std::size_t kGroupRows = 64;
constexpr std::size_t kWatchAll = std::size_t{1} << 15;   // above: sampled tiles, W over U
constexpr std::size_t kOneThread = std::size_t{1} << 17;  // a second pays above

constexpr std::size_t kSpread = std::size_t{1} << 17;   // elements that are cheap to copy
constexpr std::size_t kLargest = std::size_t{1} << 26;  // whose sweeps may be relaxed
constexpr std::size_t kStream = std::size_t{1} << 25;

/// Rows a power of two apart would share the sets of the caches: a few lines more per row.
std::size_t padded_pitch(std::size_t cols, std::size_t tile, std::size_t itemsize) {
    const std::size_t line = 64 / itemsize;
    if (cols * itemsize % 16384 == 0) return cols + tile + line;
    return cols * itemsize % 1024 == 0 ? cols + line : cols;
}

/// A tile that the first-level cache holds is one group.
std::size_t lead_group_rows(const Split& split, std::size_t itemsize) {
    return split.rows * split.tile * itemsize <= 16 << 10 ? split.rows : kGroupRows;
}

std::size_t elements(std::span<const std::size_t> sizes) {
    std::size_t n = 1;
    for (const std::size_t s : sizes) n *= s;
    return n;
}

std::size_t originals(const std::vector<MergedAxis>& axes, std::size_t end) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < end; ++i) n += axes[i].originals;
    return n;
}

}  // namespace

template <class T>
SeparableSweep<T>::Impl::Impl(const SeparableProblem& p)
    : problem(p),
      kernels(separable_kernels<T>()),
      axes(merge_axes(problem)),
      split(choose_split(axes, sizeof(T))),
      builder(kernels, axes),
      lead(builder.groups(0, split.lead, lead_group_rows(split, sizeof(T)))),
      mid(split.lead < split.mid ? builder.groups(split.lead, split.mid, kGroupRows)
                                 : std::vector<Group<T>>{}),
      inner(builder.group(split.mid, axes.size())),
      size(elements(problem.sizes)),
      block_rows(std::max<std::size_t>(1, 16384 / split.cols)),
      group_pitch(split.tile * sizeof(T) > 64 ? split.tile + 64 / sizeof(T) : split.tile),
      pitch(padded_pitch(split.cols, split.tile, sizeof(T))),
      streams(size * sizeof(T) > kStream),
      branch(problem.branch_cost.has_value()),
      lean(branch && size > kWatchAll),
      sampled(lean) {
    const std::size_t pad = 64 / sizeof(T);
    const std::span<const std::size_t> sizes = problem.sizes;
    const std::size_t rows_end = originals(axes, split.lead);
    const auto form = [&](std::initializer_list<ScaledTerms> sums, std::size_t end,
                          std::size_t fewest_tables = 0) {
        CostBuilder<T> b(sizes, end, pad);
        for (const ScaledTerms& terms : sums) b.add(terms);
        return b.build(fewest_tables);
    };
    keep = form({{problem.keep, 1.0}}, rows_end);
    start = form({{problem.start, 1.0}}, rows_end);
    next = form({{problem.next, 1.0}}, rows_end);
    start_next = form({{problem.start, problem.discount}, {problem.next, 1.0}}, rows_end, 1);
    post = form({{problem.post, 1.0}}, originals(axes, split.mid));
    for (std::size_t i = 0; i < axes.size(); ++i)
        decision_tables.push_back(builder.table(i, Rule::kMinimise));
    for (const T v : post.number) post_costs.push_back({T(0), v, 0});
    state = Buffer<T>(size);
    if (pitch > split.cols && size <= kSpread) spread = Buffer<T>(split.rows * pitch);
    minimum = Buffer<T>(split.rows * pitch);
    if (branch && !lean) expected = Buffer<T>(split.rows * pitch);
    if (lean) {
        const std::size_t tiles = (split.cols + split.tile - 1) / split.tile;
        watch_every = 16;
        watch = Buffer<T>((tiles + watch_every - 1) / watch_every * split.rows * split.tile);
    }
    prepare(0);
    for (Buffer<T>* b : {&state, &minimum, &expected, &watch}) b->touch(threads);
}

template <class T>
void SeparableSweep<T>::Impl::prepare(int num_threads) {
    threads = num_threads > 0 ? num_threads : size < kOneThread ? 1 : omp_get_max_threads();
    const std::size_t lanes = kernels.lanes;
    while (scratch.size() < static_cast<std::size_t>(threads))
        scratch.push_back({Buffer<T>(block_rows * split.cols),
                           Buffer<T>(split.inner * lanes),
                           Buffer<T>(split.inner * lanes),
                           Buffer<T>((split.inner + kernels.width) * lanes),
                           Buffer<T>(std::max(kGroupRows, lead.back().rows) * group_pitch),
                           Buffer<T>(split.rows * group_pitch),
                           {},
                           {}});
}

template <class T>
const RowCost<T>* SeparableSweep<T>::Impl::costs_of_rows(double keep_less, const CostForm<T>& add,
                                                         double add_less) {
    row_costs.resize(split.rows);
    for (std::size_t r = 0; r < split.rows; ++r)
        row_costs[r] = {static_cast<T>(keep.row[r] - keep_less),
                        static_cast<T>(add.row[r] - add_less),
                        add.tables.empty() ? 0 : add.tables[0].row_class[r] * add.pitch};
    return row_costs.data();
}
/// min(w + keep, act + x) = act + min(w + keep - act, x) saves an addition per state.
template <class T>
LeadingJob<T> SeparableSweep<T>::Impl::sweep_job(double shift, double extra) {
    const double act = problem.branch_cost.value_or(0.0);
    return {{minimum.data(), pitch},
            {w().data, w().pitch},
            u(),
            true,
            true,
            &start_next,
            costs_of_rows(act, start_next, problem.discount * (shift - act)),
            problem.discount,
            !sampled,
            sampled ? watch.data() : nullptr,
            extra};
}
template <class T>
LeadingJob<T> SeparableSweep<T>::Impl::finish_job(Rows<T> out, double shift) {
    const double act = problem.branch_cost.value_or(0.0);
    return {{minimum.data(), pitch},
            {w().data, w().pitch},
            out,
            true,
            false,
            &start,
            costs_of_rows(act, start, shift - act),
            1.0,
            false,
            nullptr};
}
template <class T>
LeadingJob<T> SeparableSweep<T>::Impl::begin_job(const T* value, Rows<T> out) {
    return {{value, split.cols},           {nullptr, 0},     out,   false,  true, &next,
            costs_of_rows(0.0, next, 0.0), problem.discount, false, nullptr};
}

template <class T>
void SeparableSweep<T>::Impl::begin_sweeps(double extra) {
    sampled = lean && extra == 0.0;
    if (branch && !sampled && expected.size() == 0) {
        expected = Buffer<T>(split.rows * pitch);
        expected.touch(threads);
    }
    if (spread.size() == 0) return;
    spread_pitch = pitch;
    for (std::size_t r = 0; r < split.rows; ++r)
        std::copy_n(state.data() + r * split.cols, split.cols, spread.data() + r * pitch);
}
template <class T>
void SeparableSweep<T>::Impl::end_sweeps() {
    sampled = lean;
    if (spread.size() == 0) return;
    spread_pitch = 0;
    for (std::size_t r = 0; r < split.rows; ++r)
        std::copy_n(spread.data() + r * pitch, split.cols, state.data() + r * split.cols);
}

/// Sampled tiles are read from the state anew, as the caller may have written to it.
template <class T>
void SeparableSweep<T>::Impl::refresh_watch() {
    const std::size_t tiles = (split.cols + split.tile - 1) / split.tile;
    for (std::size_t k = 0; sampled && k < tiles; ++k) {
        if (!watches(k)) continue;
        const std::size_t col = k * split.tile, cols = std::min(split.tile, split.cols - col);
        T* const to = watch.data() + k / watch_every * split.rows * split.tile;
        for (std::size_t r = 0; r < split.rows; ++r)
            std::copy_n(u().data + r * u().pitch + col, cols, to + r * split.tile);
    }
}

template <class T>
SeparableSweep<T>::SeparableSweep(const SeparableProblem& problem)
    : impl_(std::make_unique<Impl>(problem)) {
    load(nullptr);
}
template <class T>
SeparableSweep<T>::~SeparableSweep() = default;

template <class T>
void SeparableSweep<T>::Impl::settle() {
    if (holds_value) leading_pass(begin_job(state.data(), u()));
    holds_value = false;
}
template <class T>
std::span<T> SeparableSweep<T>::state() {
    impl_->settle();
    return {impl_->state.data(), impl_->size};
}
template <class T>
const std::vector<std::size_t>& SeparableSweep<T>::sizes() const {
    return impl_->problem.sizes;
}

template <class T>
void SeparableSweep<T>::load(const T* value) {
    impl_->prepare(num_threads);
    impl_->holds_value = false;
    if (value) {
        impl_->leading_pass(impl_->begin_job(value, impl_->u()));
        return;
    }
    const std::vector<T> zeros(impl_->split.cols + 64 / sizeof(T));
    LeadingJob<T> job = impl_->begin_job(zeros.data(), impl_->u());
    job.source.pitch = 0;  // the same row again and again
    impl_->leading_pass(job);
}

template <class T>
Progress SeparableSweep<T>::advance(std::size_t max_sweeps, double tolerance, double shift,
                                    bool relative, double extra) {
    Impl& m = *impl_;
    m.prepare(num_threads);
    m.settle();
    m.begin_sweeps(extra);
    m.refresh_watch();
    Progress found{{}, {}, shift};
    while (found.lower.size() < max_sweeps) {
        m.sweep_trailing();
        const Span d = m.leading_pass(m.sweep_job(found.shift, extra));
        found.lower.push_back(d.lower + found.shift);
        found.upper.push_back(d.upper + found.shift);
        if (relative) found.shift = 0.5 * (found.lower.back() + found.upper.back());
        if (found.upper.back() - found.lower.back() <= tolerance) break;
    }
    m.end_sweeps();
    return found;
}

template <class T>
void SeparableSweep<T>::finish(T* out, double shift) {
    Impl& m = *impl_;
    m.prepare(num_threads);
    m.settle();
    m.sweep_trailing();
    m.leading_pass(m.finish_job({out, m.split.cols}, shift));
}

template <class T>
void SeparableSweep<T>::backup(const T* value, T* out) {
    load(value);
    finish(out, 0.0);
}

std::size_t separable_bytes(std::span<const std::size_t> sizes, std::size_t itemsize) {
    const std::size_t n = elements(sizes), slice = n / (sizes.empty() ? 1 : sizes[0]);
    const std::size_t spread = n <= kSpread ? n : 0;
    return (n > kLargest ? 2 * n + n / 16 : 3 * n) * itemsize + (spread + 2 * slice) * itemsize;
}

template class SeparableSweep<float>;
template class SeparableSweep<double>;

}  // namespace sparing
