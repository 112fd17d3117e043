#include "plan.hpp"

namespace sparing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr std::size_t kMergedSize = 4;
constexpr std::size_t kPairRows = 16;  // vectors that fit the registers

/// Kronecker product in the semiring of `rule`: entries multiply, or add.
std::vector<double> product(const std::vector<double>& a, std::size_t n,
                            const std::vector<double>& b, std::size_t m, Rule rule) {
    std::vector<double> out(n * m * n * m);
    for (std::size_t s = 0; s < n * m; ++s)
        for (std::size_t j = 0; j < n * m; ++j) {
            const double x = a[s / m * n + j / m], y = b[s % m * m + j % m];
            out[s * n * m + j] = rule == Rule::kExpect ? x * y : x + y;
        }
    return out;
}

bool mergeable(const MergedAxis& a, const MergedAxis& b) {
    return a.size * b.size <= std::max({kMergedSize, a.size, b.size}) &&
           a.chance.empty() == b.chance.empty() && a.decision.empty() == b.decision.empty();
}

template <class T>
Pattern pattern_of(const T* table, std::size_t n, Rule rule) {
    const T zero = rule == Rule::kExpect ? T(0) : std::numeric_limits<T>::infinity();
    const T one = rule == Rule::kExpect ? T(1) : T(0);
    bool upper = true, lower = true, idle = true;
    for (std::size_t s = 0; s < n; ++s)
        for (std::size_t j = 0; j < n; ++j) {
            if (j == s) idle &= table[s * n + j] == one;
            if (table[s * n + j] != zero) (j < s ? upper : lower) &= j == s;
        }
    return {upper ? Shape::kUpper : lower ? Shape::kLower : Shape::kFull, idle};
}

}  // namespace

std::vector<MergedAxis> merge_axes(const SeparableProblem& problem) {
    std::vector<MergedAxis> out;
    for (std::size_t i = 0; i < problem.sizes.size(); ++i) {
        MergedAxis axis{problem.sizes[i], 1, problem.chance[i], problem.decision[i]};
        if (!out.empty() && mergeable(out.back(), axis)) {
            MergedAxis& last = out.back();
            if (!axis.chance.empty())
                last.chance =
                    product(last.chance, last.size, axis.chance, axis.size, Rule::kExpect);
            if (!axis.decision.empty())
                last.decision =
                    product(last.decision, last.size, axis.decision, axis.size, Rule::kMinimise);
            last.size *= axis.size;
            ++last.originals;
        } else {
            out.push_back(std::move(axis));
        }
    }
    return out;
}

template <class T>
bool GroupBuilder<T>::present(std::size_t axis, Rule rule) const {
    return !(rule == Rule::kExpect ? axes_[axis].chance : axes_[axis].decision).empty();
}

template <class T>
const T* GroupBuilder<T>::table(std::size_t axis, Rule rule) {
    if (!present(axis, rule)) return nullptr;
    const auto& from = rule == Rule::kExpect ? axes_[axis].chance : axes_[axis].decision;
    auto& to = tables_.emplace_back(from.size());
    std::ranges::transform(from, to.begin(), [](double v) { return static_cast<T>(v); });
    return to.data();
}

template <class T>
std::vector<Operation<T>> GroupBuilder<T>::operations(std::size_t begin, std::size_t end,
                                                      Rule rule) {
    std::size_t below = 1, outer = 1;
    for (std::size_t i = begin; i < end; ++i) below *= axes_[i].size;
    std::vector<Operation<T>> out;
    for (std::size_t i = begin; i < end;) {
        const std::size_t n = axes_[i].size;
        const std::size_t m = i + 1 < end ? axes_[i + 1].size : 0;
        const bool pair = n > 1 && m > 1 && n * m <= kPairRows && present(i, rule) &&
                          present(i + 1, rule) &&
                          kernels_.step(rule, Shape::kFull, false, Variant::kPlain, n, m);
        const std::size_t taken = pair ? n * m : n;
        below /= taken;
        if (present(i, rule)) {
            const T* const a = table(i, rule);
            const T* const b = pair ? table(i + 1, rule) : a;
            const std::size_t n1 = pair ? n : 1, n2 = pair ? m : n;
            const Pattern pa = pattern_of(a, n, rule), pb = pattern_of(b, n2, rule);
            const Pattern p{pa.shape == pb.shape ? pa.shape : Shape::kFull, pa.idle && pb.idle};
            const auto kernel = [&](Variant expect, Variant minimise) {
                return kernels_.step(rule, p.shape, p.idle,
                                     rule == Rule::kExpect ? expect : minimise, n1, n2);
            };
            out.push_back({kernel(Variant::kPlain, Variant::kPlain),
                           kernel(Variant::kCommit, Variant::kFinish),
                           kernel(Variant::kFromRows, Variant::kToRows),
                           kernel(Variant::kThenMinimise, Variant::kThenExpect), a, b, n1, n2,
                           outer, below, p});
        }
        outer *= taken;
        i += pair ? 2 : 1;
    }
    return out;
}

template <class T>
Group<T> GroupBuilder<T>::group(std::size_t begin, std::size_t end) {
    Group<T> g{1, 1, 1, operations(begin, end, Rule::kExpect),
               operations(begin, end, Rule::kMinimise)};
    for (std::size_t i = begin; i < end; ++i) g.rows *= axes_[i].size;
    return g;
}

template <class T>
std::vector<std::size_t> GroupBuilder<T>::cuts(std::size_t begin, std::size_t end,
                                               std::size_t limit) const {
    std::vector<std::size_t> out{begin};
    std::size_t rows = 1;
    for (std::size_t i = begin; i < end; ++i) {
        if (i > out.back() && rows * axes_[i].size > limit) {
            out.push_back(i);
            rows = 1;
        }
        rows *= axes_[i].size;
    }
    out.push_back(end);
    return out;
}

template <class T>
std::vector<Group<T>> GroupBuilder<T>::groups(std::size_t begin, std::size_t end,
                                              std::size_t limit) {
    const std::size_t fewest = cuts(begin, end, limit).size();
    std::size_t even = 1;
    while (cuts(begin, end, even).size() > fewest) ++even;
    const auto at = cuts(begin, end, even);
    std::vector<Group<T>> out;
    std::size_t below = 1, outer = 1;
    for (std::size_t i = begin; i < end; ++i) below *= axes_[i].size;
    for (std::size_t k = 0; k + 1 < at.size(); ++k) {
        Group<T> g = group(at[k], at[k + 1]);
        below /= g.rows;
        g.outer = outer;
        g.below = below;
        outer *= g.rows;
        out.push_back(std::move(g));
    }
    return out;
}

Split choose_split(const std::vector<MergedAxis>& axes, std::size_t itemsize) {
    const std::size_t inner_limit = 2048 / itemsize;         // 16 or 32 KiB with its lanes
    const std::size_t block_limit = (512 << 10) / itemsize;  // a quarter of a 2 MiB cache
    const std::size_t tile_limit = (1 << 20) / itemsize;
    const std::size_t near_limit = (16 << 10) / itemsize;  // a third of the first-level cache
    constexpr std::size_t most_rows = 256, few_rows = 16;
    Split s{axes.size(), axes.size(), 1, 1, 1, 1, 512 / itemsize};
    for (const MergedAxis& a : axes) s.rows *= a.size;
    const auto take = [&] {  // the next axis from the right becomes a trailing one
        const std::size_t n = axes[--s.lead].size;
        s.rows /= n;
        s.cols *= n;
        return n;
    };
    while (s.lead > 1 && s.inner * axes[s.lead - 1].size <= inner_limit) {
        s.inner *= take();
        s.mid = s.lead;
    }
    const std::size_t line = 64 / itemsize;
    if (s.rows <= most_rows) {  // near enough to be taken in tiles that the first level holds
        s.tile = std::clamp(near_limit / s.rows / line * line, line, s.tile);
        return s;
    }
    while (s.lead > 1 && s.rows > few_rows && s.cols * axes[s.lead - 1].size <= block_limit)
        s.mid_rows *= take();
    while (s.lead > 1 && s.rows > 4 * most_rows &&
           s.cols * axes[s.lead - 1].size <= 4 * block_limit)
        s.mid_rows *= take();
    s.tile = std::clamp(tile_limit / s.rows / line * line, line, s.tile);
    return s;
}

template <class T>
bool chains(const Operation<T>& from, const Operation<T>& to, Rule to_rule) {
    const Shape shape = opposite(from.pattern.shape);
    return from.chain && from.n1 == to.n1 && from.n2 == to.n2 && from.outer == to.outer &&
           from.below == to.below && (shape == Shape::kFull || shape == to.pattern.shape) &&
           (to_rule == Rule::kExpect || to.pattern.idle);
}

template class GroupBuilder<float>;
template class GroupBuilder<double>;
template bool chains(const Operation<float>&, const Operation<float>&, Rule);
template bool chains(const Operation<double>&, const Operation<double>&, Rule);

}  // namespace sparing
