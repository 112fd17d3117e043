#include <algorithm>
#include <cmath>
#include <limits>

#include "sparing/parallel.hpp"
#include "sparing/pomdp_bounds.hpp"

namespace sparing::pomdp {
namespace {

constexpr int kMaxSweeps = 2000;
constexpr std::int64_t kMaxWork = 20'000'000'000;  // operations of the fast informed bound

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

double expected(const RowSpans& rows, std::int64_t row, const std::vector<double>& value) {
    double sum = 0.0;
    for (auto e = rows.indptr[at(row)]; e < rows.indptr[at(row) + 1]; ++e)
        sum += rows.probability[at(e)] * value[at(rows.column[at(e)])];
    return sum;
}

/// Values of the fully observed process. Sweeps in place fall towards it and may stop at any time.
std::vector<double> observed_values(const Model& m, double tolerance) {
    std::vector<double> value(m.ceiling.begin(), m.ceiling.end());
    for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
        double change = 0.0;
        for (std::int64_t s = m.num_states - 1; s >= 0; --s) {
            double best = -std::numeric_limits<double>::infinity();
            for (std::int64_t a = 0; a < m.num_actions; ++a) {
                const std::int64_t row = a * m.num_states + s;
                best = std::max(
                    best, m.reward[at(row)] + m.discount * expected(m.transition, row, value));
            }
            if (best < value[at(s)]) change = std::max(change, value[at(s)] - best);
            value[at(s)] = std::min(value[at(s)], best);
        }
        if (change <= tolerance) break;
    }
    return value;
}

}  // namespace

ActionVectors blind_policies(const Model& m, double tolerance, int num_threads) {
    ActionVectors out(at(m.num_actions));
    const std::int64_t work = 100 * m.num_states * m.num_actions;
    parallel_for(m.num_actions, work, num_threads, [&](std::int64_t a) {
        auto& value = out[at(a)];
        value.assign(m.floor.begin(), m.floor.end());
        for (int sweep = 0; sweep < kMaxSweeps; ++sweep) {
            double change = 0.0;
            for (std::int64_t s = m.num_states - 1; s >= 0; --s) {
                const std::int64_t row = a * m.num_states + s;
                const double next =
                    m.reward[at(row)] + m.discount * expected(m.transition, row, value);
                if (next > value[at(s)]) change = std::max(change, next - value[at(s)]);
                value[at(s)] = std::max(value[at(s)], next);
            }
            if (change <= tolerance) break;
        }
    });
    return out;
}

ActionVectors fast_informed_bound(const Model& m, double tolerance, int num_threads) {
    const auto num_actions = at(m.num_actions);
    const std::vector<double> observed = observed_values(m, tolerance);
    // q[s, a] stands together for one state: the inner loops run over actions.
    std::vector<double> q(at(m.num_states) * num_actions);
    for (std::int64_t a = 0; a < m.num_actions; ++a)
        for (std::int64_t s = 0; s < m.num_states; ++s) {
            const std::int64_t row = a * m.num_states + s;
            q[at(s) * num_actions + at(a)] =
                m.reward[at(row)] + m.discount * expected(m.transition, row, observed);
        }
    std::int64_t joint = 0;  // (state, action, next state, observation) that can be
    for (std::int64_t a = 0; a < m.num_actions; ++a)
        for (auto e = m.transition.indptr[at(a * m.num_states)];
             e < m.transition.indptr[at((a + 1) * m.num_states)]; ++e) {
            const std::int64_t row = a * m.num_states + m.transition.column[at(e)];
            joint += m.observation.indptr[at(row) + 1] - m.observation.indptr[at(row)];
        }
    const std::int64_t max_sweeps = std::clamp<std::int64_t>(
        kMaxWork / std::max<std::int64_t>(joint * m.num_actions, 1), 0, kMaxSweeps);
    constexpr std::int64_t kBlock = 64;  // states of a task
    const std::int64_t num_tasks = (m.num_states + kBlock - 1) / kBlock;
    std::vector<double> following(q.size()), changes(at(num_tasks));
    for (std::int64_t sweep = 0; sweep < max_sweeps; ++sweep) {
        parallel_for(num_tasks, joint * m.num_actions, num_threads, [&](std::int64_t task) {
            std::vector<double> sums(at(m.num_observations) * num_actions);
            std::vector<std::int32_t> seen;
            std::vector<char> is_seen(at(m.num_observations));
            double change = 0.0;
            const std::int64_t last = std::min(m.num_states, (task + 1) * kBlock);
            for (std::int64_t s = task * kBlock; s < last; ++s)
                for (std::int64_t a = 0; a < m.num_actions; ++a) {
                    const std::int64_t row = a * m.num_states + s;
                    for (auto e = m.transition.indptr[at(row)];
                         e < m.transition.indptr[at(row) + 1]; ++e) {
                        const auto next = m.transition.column[at(e)];
                        const double* value = &q[at(next) * num_actions];
                        const std::int64_t seen_in = a * m.num_states + next;
                        for (auto k = m.observation.indptr[at(seen_in)];
                             k < m.observation.indptr[at(seen_in) + 1]; ++k) {
                            const auto o = m.observation.column[at(k)];
                            const double weight =
                                m.transition.probability[at(e)] * m.observation.probability[at(k)];
                            if (!is_seen[at(o)]) is_seen[at(o)] = 1, seen.push_back(o);
                            double* sum = &sums[at(o) * num_actions];
                            for (std::size_t b = 0; b < num_actions; ++b)
                                sum[b] += weight * value[b];
                        }
                    }
                    double total = 0.0;
                    for (const auto o : seen) {
                        double* sum = &sums[at(o) * num_actions];
                        total += *std::max_element(sum, sum + num_actions);
                        std::fill(sum, sum + num_actions, 0.0);
                        is_seen[at(o)] = 0;
                    }
                    seen.clear();
                    const std::size_t place = at(s) * num_actions + at(a);
                    const double next = std::min(q[place], m.reward[at(row)] + m.discount * total);
                    change = std::max(change, q[place] - next);
                    following[place] = next;
                }
            changes[at(task)] = change;
        });
        q.swap(following);
        if (*std::max_element(changes.begin(), changes.end()) <= tolerance) break;
    }
    ActionVectors out(num_actions, std::vector<double>(at(m.num_states)));
    for (std::size_t s = 0; s < at(m.num_states); ++s)
        for (std::size_t a = 0; a < num_actions; ++a) out[a][s] = q[s * num_actions + a];
    return out;
}

}  // namespace sparing::pomdp
