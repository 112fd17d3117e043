// Certificate: rigorous bounds of TV - V and the greedy policy. Where values and indices of the
// choices would need room beside the tensors, one slice of the first axis at a time.
#include "impl.hpp"

namespace sparing {

/// V in `state` and W in `minimum`; some slices of the first axis of D_lead W with its choices.
template <class T>
struct SeparableSweep<T>::Impl::Slices {
    std::size_t first, count, rows;  // states of the first axis; leading rows of each
    Rows<T> value;                   // [count * rows, cols]
    Rows<Index> index;
    std::vector<Choices<T>> front, back;            // per thread: a tile or a block
    std::vector<Choices<T>> lane_front, lane_back;  // per thread: [inner, lanes]
    std::uint32_t* policy;
    T* tv;
    std::size_t probe;
    double probe_value;
};

/// Columns of a tile: a row of the first axis' table picks from all slices, then the other
/// leading axes one by one.
template <class T>
void SeparableSweep<T>::Impl::gather_columns(Slices& s, std::size_t number) {
    const auto me = static_cast<std::size_t>(omp_get_thread_num());
    const std::size_t col = number * split.tile, cols = std::min(split.tile, split.cols - col);
    const T* const table = decision_tables[0];
    const std::size_t n = axes[0].size;
    const T none(0);
    if (col + split.tile < split.cols)
        fetch(minimum.data() + col + split.tile, pitch, split.rows, cols);
    for (std::size_t k = 0; k < s.count; ++k) {
        Choices<T>*from = &s.front[me], *to = &s.back[me];
        const std::size_t state = s.first + k, first = table ? 0 : state * s.rows;
        for (std::size_t r = 0; r < s.rows; ++r)
            kernels.argmin_first(table ? table + state * n : &none, table ? n : 1,
                                 minimum.data() + (first + r) * pitch + col, s.rows * pitch,
                                 (first + r) * split.cols + col, s.rows * split.cols, cols,
                                 from->value.data() + r * cols, from->index.data() + r * cols);
        std::size_t outer = 1, below = s.rows;
        for (std::size_t i = 1; i < split.lead; ++i, outer *= axes[i - 1].size) {
            below /= axes[i].size;
            if (!decision_tables[i]) continue;
            kernels.argmin(decision_tables[i], axes[i].size, outer, below * cols,
                           from->value.data(), from->index.data(), to->value.data(),
                           to->index.data());
            std::swap(from, to);
        }
        for (std::size_t r = 0; r < s.rows; ++r) {
            const std::size_t row = k * s.rows + r;
            std::copy_n(from->value.data() + r * cols, cols,
                        s.value.data + row * s.value.pitch + col);
            std::copy_n(from->index.data() + r * cols, cols,
                        s.index.data + row * s.index.pitch + col);
        }
    }
}

/// Trailing axes of one leading row of the slices, then the comparison state by state.
template <class T>
void SeparableSweep<T>::Impl::compare_row(Slices& s, std::size_t row, CompareArgs<T>& args) {
    const auto me = static_cast<std::size_t>(omp_get_thread_num());
    Choices<T>&front = s.front[me], &back = s.back[me];
    const T* value = s.value.data + row * s.value.pitch;
    const Index* index = s.index.data + row * s.index.pitch;
    std::size_t outer = 1, below = split.cols;
    for (std::size_t i = split.lead; i < split.mid; ++i, outer *= axes[i - 1].size) {
        below /= axes[i].size;
        if (!decision_tables[i]) continue;
        Choices<T>& to = value == front.value.data() ? back : front;
        kernels.argmin(decision_tables[i], axes[i].size, outer, below, value, index,
                       to.value.data(), to.index.data());
        value = to.value.data();
        index = to.index.data();
    }
    const std::size_t n = split.inner, lanes = kernels.lanes, whole_row = s.first * s.rows + row;
    Choices<T>& done = value == front.value.data() ? back : front;
    for (std::size_t r = 0; r < split.mid_rows; r += lanes) {
        const std::size_t count = std::min(lanes, split.mid_rows - r);
        Choices<T>*from = &s.lane_front[me], *to = &s.lane_back[me];
        kernels.to_lanes(value + r * n, n, count, n, from->value.data());
        kernels.index_to_lanes(index + r * n, n, count, n, from->index.data());
        std::size_t above = 1, rest = n;
        for (std::size_t i = split.mid; i < axes.size(); ++i, above *= axes[i - 1].size) {
            rest /= axes[i].size;
            if (!decision_tables[i]) continue;
            kernels.argmin(decision_tables[i], axes[i].size, above, rest * lanes,
                           from->value.data(), from->index.data(), to->value.data(),
                           to->index.data());
            std::swap(from, to);
        }
        kernels.from_lanes(from->value.data(), done.value.data() + r * n, n, count, n);
        kernels.index_from_lanes(from->index.data(), done.index.data() + r * n, n, count, n);
    }
    const std::size_t base = whole_row * split.cols;
    std::vector<TableRows<T>> keep_rows, start_rows;
    args.cost = {done.value.data(),
                 split.cols,
                 branch ? minimum.data() + whole_row * pitch : nullptr,
                 pitch,
                 1,
                 split.cols,
                 T(1),
                 row_costs.data() + whole_row,
                 keep.at(whole_row, 0, keep_rows),
                 start.at(whole_row, 0, start_rows),
                 keep.count(),
                 start.count()};
    args.branch = static_cast<T>(problem.branch_cost.value_or(0.0));
    args.old = state.data() + base;
    args.base = base;
    args.policy = s.policy ? s.policy + base : nullptr;
    const bool probed = s.probe - base < split.cols;
    Buffer<T> row_value(probed && !s.tv ? split.cols : 0);
    args.value = s.tv ? s.tv + base : probed ? row_value.data() : nullptr;
    kernels.compare(args, done.index.data());
    if (probed) s.probe_value = static_cast<double>(args.value[s.probe - base]);
}

template <class T>
Certificate SeparableSweep<T>::Impl::compare_slices(std::uint32_t* policy, T* value,
                                                    std::size_t probe) {
    const std::size_t rows = split.rows / axes[0].size;
    const void* const own = state.data();
    const bool whole = expected.size() > 0 && policy && policy != own && value != own;
    Choices<T> slice(whole ? 0 : rows * pitch);
    Slices s{0,
             1,
             rows,
             {slice.value.data(), pitch},
             {slice.index.data(), pitch},
             {},
             {},
             {},
             {},
             policy,
             value,
             probe,
             0.0};
    if (whole) {  // there is room for all slices, and W is read but once
        s.count = axes[0].size;
        s.value = {expected.data(), pitch};
        s.index = {policy, split.cols};
    }
    const std::size_t part = std::max(rows * split.tile, split.cols);
    for (int t = 0; t < threads; ++t) {
        s.front.emplace_back(part);
        s.back.emplace_back(part);
        s.lane_front.emplace_back(split.inner * kernels.lanes);
        s.lane_back.emplace_back(split.inner * kernels.lanes);
    }
    const auto tiles = static_cast<std::ptrdiff_t>((split.cols + split.tile - 1) / split.tile);
    T lower = std::numeric_limits<T>::infinity(), upper = -lower, largest(0);
    costs_of_rows(0.0, start, 0.0);
    for (; s.first < axes[0].size; s.first += s.count) {
#pragma omp parallel for num_threads(threads) schedule(dynamic, 8)
        for (std::ptrdiff_t k = 0; k < tiles; ++k) gather_columns(s, static_cast<std::size_t>(k));
#pragma omp parallel for num_threads(threads) schedule(dynamic) reduction(min : lower) \
    reduction(max : upper, largest)
        for (std::ptrdiff_t r = 0; r < static_cast<std::ptrdiff_t>(s.count * rows); ++r) {
            CompareArgs<T> args{};
            args.lower = lower;
            args.upper = upper;
            args.largest = largest;
            compare_row(s, static_cast<std::size_t>(r), args);
            lower = args.lower;
            upper = args.upper;
            largest = args.largest;
        }
    }
    const double slack = rounding(static_cast<double>(largest));
    return {lower - slack, upper + slack, s.probe_value, slack};
}

/// Bound on the error of a computed TV - V against the exact one of the same V, by running error
/// analysis (Higham 2002, sec. 3.3) with unit roundoff u and intermediate values of at most m:
/// - a sum of k rounded terms of at most m in all is off by (k + 2) u m: each of k additions and
///   the conversion of each term to T add u m;
/// - an expectation over rows of n entries other than zero that sum to r multiplies the error by
///   r and adds (n + 2) u r m: n roundings of products and sums, the conversion of the table to T
///   and the products it was multiplied out from;
/// - a minimum takes over the error of its terms, each off by another 3 u m: the conversion of
///   its cost, the sum it was multiplied out from and the sum with the value.
/// A hundredth on top covers terms of order u^2 (n u << 1), and one tiny number per operation
/// what may underflow.
template <class T>
double SeparableSweep<T>::Impl::rounding(double largest) const {
    const double u = std::numeric_limits<T>::epsilon() / 2.0;
    double m = largest, error = 0.0;
    const auto sum = [&](std::size_t terms, double magnitude) {
        m += magnitude;
        error += (static_cast<double>(terms) + 2.0) * u * m;
    };
    const auto finite = [](const std::vector<double>& values) {
        double most = 0.0;
        for (const double v : values)
            if (std::isfinite(v)) most = std::max(most, std::abs(v));
        return most;
    };
    m *= problem.discount;
    error += 3.0 * u * m;
    sum(next.count() + 2, next.magnitude);
    for (const MergedAxis& a : axes) {
        if (a.chance.empty()) continue;
        double heaviest = 0.0, entries = 0.0;
        for (std::size_t s = 0; s < a.size; ++s) {
            double weight = 0.0, count = 0.0;
            for (std::size_t j = 0; j < a.size; ++j) {
                weight += a.chance[s * a.size + j];
                count += a.chance[s * a.size + j] != 0.0;
            }
            heaviest = std::max(heaviest, weight);
            entries = std::max(entries, count);
        }
        m *= heaviest;
        error = heaviest * error + (entries + 2.0) * u * m;
    }
    sum(post.count() + 2, post.magnitude);
    for (const MergedAxis& a : axes)
        if (!a.decision.empty()) sum(1, finite(a.decision));
    if (branch)
        sum(keep.count() + 2, std::max(keep.magnitude, std::abs(problem.branch_cost.value())));
    sum(start.count() + 2, start.magnitude);
    error += u * (m + largest);
    const double steps = 64.0 * static_cast<double>(axes.size() + 8);
    return 1.01 * error + steps * static_cast<double>(std::numeric_limits<T>::min());
}

template <class T>
Certificate SeparableSweep<T>::certify(std::uint32_t* policy, T* value, std::size_t probe,
                                       double shift) {
    Impl& m = *impl_;
    m.prepare(num_threads);
    m.settle();
    m.sweep_trailing();
    m.leading_pass(m.finish_job(m.u(), shift));
    const Rows<T> w{m.minimum.data(), m.pitch};
    m.leading_pass(m.begin_job(m.state.data(), w));
    m.trailing_pass({w.data, w.pitch}, w, {nullptr, 0});
    const Certificate found = m.compare_slices(policy, value, probe);
    const void* const own = m.state.data();
    m.holds_value = own != policy && own != value;
    return found;
}

template Certificate SeparableSweep<float>::certify(std::uint32_t*, float*, std::size_t, double);
template Certificate SeparableSweep<double>::certify(std::uint32_t*, double*, std::size_t, double);

}  // namespace sparing
