#pragma once
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/parallel.hpp"

namespace sparing {

/// A continuous-time chain that never goes back: state i moves to `to[e]` > i at `rate[e]` > 0 for
/// e in [indptr[i], indptr[i + 1]); a state without moves is absorbing.
struct ForwardChain {
    std::span<const std::int64_t> indptr;  // [N + 1]
    std::span<const std::int32_t> to;      // [moves]
    std::span<const double> rate;          // [moves] per unit of time

    std::int64_t size() const { return static_cast<std::int64_t>(indptr.size()) - 1; }
};

/// Rows of the chain after some time, and the time spent before absorption; one output a span.
/// While it moves the chain is marked at a rate of its own, once: early is not yet marked.
struct TransientRows {
    std::span<const std::int64_t> indptr;       // [N + 1], lengths as `count_reachable` gives them
    std::span<std::int32_t> to;                 // [entries] rising within a row
    std::span<double> early, marked;            // [entries] rows of early + marked sum to one
    std::span<double> time_early, time_marked;  // [N] expected time before absorption
};

/// What is not exact: bounds on the mass and the time left out, and on the rounding of a row.
struct TransientError {
    std::int64_t num_steps;
    double missing_mass, missing_time, rounding;
};

/// Poisson probabilities by recursion from the mode (Fox and Glynn 1988): nothing under- or
/// overflows that counts. `above[k]` is the probability of more than k.
struct PoissonWeights {
    std::vector<double> weight, above;
    double missing_mass, missing_steps;  // bounds: mass beyond, and the error of all tails in sum

    PoissonWeights(double mean, double tolerance) {
        const auto mode = static_cast<std::int64_t>(mean);
        std::vector<double> down;  // mode - 1, mode - 2, ..., relative to the mode
        double value = 1.0, total = 1.0;
        for (std::int64_t k = mode; k > 0 && value > 0.0; --k) {
            value *= static_cast<double>(k) / mean;
            down.push_back(value);
            total += value;
        }
        weight.assign(static_cast<std::size_t>(mode) + 1, 0.0);
        for (std::size_t j = 0; j < down.size(); ++j)
            weight[static_cast<std::size_t>(mode) - 1 - j] = down[j];
        weight.back() = 1.0;
        value = 1.0;
        double ratio = 0.0;
        for (std::int64_t k = mode + 1;; ++k) {  // the ratio falls: a geometric series bounds it
            ratio = mean / static_cast<double>(k);
            if (ratio < 1.0 && value * ratio / ((1.0 - ratio) * (1.0 - ratio)) <= tolerance * total)
                break;
            value *= ratio;
            weight.push_back(value);
            total += value;
        }
        missing_mass = value * ratio / (1.0 - ratio) / total;
        // Scaling to a sum of one moves each tail by at most twice the mass that is missing.
        missing_steps =
            missing_mass * (1.0 / (1.0 - ratio) + 2.0 * static_cast<double>(weight.size()));
        for (double& w : weight) w /= total;
        above.assign(weight.size(), 0.0);
        double tail = missing_mass;
        for (std::size_t k = weight.size(); k-- > 0;) {
            above[k] = tail;
            tail += weight[k];
        }
    }
};

namespace detail {

inline constexpr std::int64_t kRowsPerTask = 16;

/// Lists the states that `start` can reach, itself first, in rising order; `seen` [N] stays zero.
inline void list_reachable(const ForwardChain& chain, std::int64_t start,
                           std::vector<std::uint8_t>& seen, std::vector<std::int32_t>& states) {
    states.clear();
    std::int64_t last = start;
    seen[static_cast<std::size_t>(start)] = 1;
    for (std::int64_t i = start; i <= last; ++i) {
        if (!seen[static_cast<std::size_t>(i)]) continue;
        seen[static_cast<std::size_t>(i)] = 0;
        states.push_back(static_cast<std::int32_t>(i));
        for (auto e = chain.indptr[i]; e < chain.indptr[i + 1]; ++e) {
            seen[static_cast<std::size_t>(chain.to[e])] = 1;
            last = std::max<std::int64_t>(last, chain.to[e]);
        }
    }
}

/// The chain on the states that one start can reach, as steps of the uniformised chain.
struct LocalSteps {
    std::vector<std::int32_t> place;              // [N] of a state in the list
    std::vector<std::int64_t> indptr;             // [n + 1]
    std::vector<std::int32_t> to;                 // [moves]
    std::vector<double> move;                     // [moves] probability of a step
    std::vector<double> stay_early, stay_marked;  // [n]
    std::vector<double> mark;                     // [n]
    std::vector<double> early, marked;            // [n] the distribution, step after step

    void make(const ForwardChain& chain, std::span<const std::int32_t> states, double mark_rate,
              double uniform) {
        for (std::size_t i = 0; i < states.size(); ++i)
            place[static_cast<std::size_t>(states[i])] = static_cast<std::int32_t>(i);
        indptr.assign(1, 0), to.clear(), move.clear();
        stay_early.clear(), stay_marked.clear(), mark.clear();
        for (const auto state : states) {
            double leave = 0.0;
            for (auto e = chain.indptr[state]; e < chain.indptr[state + 1]; ++e) {
                to.push_back(place[static_cast<std::size_t>(chain.to[e])]);
                move.push_back(chain.rate[e] / uniform);
                leave += chain.rate[e];
            }
            indptr.push_back(static_cast<std::int64_t>(to.size()));
            const double marks = leave > 0.0 ? mark_rate : 0.0;
            mark.push_back(marks / uniform);
            stay_early.push_back(std::max(0.0, 1.0 - (leave + marks) / uniform));
            stay_marked.push_back(std::max(0.0, 1.0 - leave / uniform));
        }
        early.assign(states.size(), 0.0), marked.assign(states.size(), 0.0);
        early[0] = 1.0;
    }

    /// One step in place: last state first, so that what it passes on is not passed on again.
    void step() {
        for (std::size_t i = early.size(); i-- > 0;) {
            const double a = early[i], b = marked[i];
            early[i] = a * stay_early[i];
            marked[i] = b * stay_marked[i] + a * mark[i];
            for (auto e = indptr[i]; e < indptr[i + 1]; ++e) {
                early[static_cast<std::size_t>(to[e])] += a * move[e];
                marked[static_cast<std::size_t>(to[e])] += b * move[e];
            }
        }
    }
};

}  // namespace detail

/// Writes to lengths [N] how many states each state can reach, itself among them.
inline void count_reachable(const ForwardChain& chain, std::span<std::int64_t> lengths,
                            int num_threads) {
    const auto size = chain.size(), rows = detail::kRowsPerTask;
    parallel_for((size + rows - 1) / rows, size * size, num_threads, [&](std::int64_t task) {
        std::vector<std::uint8_t> seen(static_cast<std::size_t>(size), 0);
        std::vector<std::int32_t> states;
        for (auto i = task * rows; i < std::min(size, (task + 1) * rows); ++i) {
            detail::list_reachable(chain, i, seen, states);
            lengths[i] = static_cast<std::int64_t>(states.size());
        }
    });
}

/// One row by uniformisation (Jensen 1953; Stewart 1994, sec. 8.2): the chain after `time` is
/// sum_k P(N = k) x_k and the time before it is sum_k P(N > k) x_k / uniform, where x_k is the
/// state after k steps and N is Poisson. All terms are >= 0, so nothing cancels. The row is
/// normalised.
inline void transient_row(const PoissonWeights& poisson, double uniform, std::int64_t start,
                          std::span<const std::int32_t> states, detail::LocalSteps& chain,
                          const TransientRows& rows) {
    const auto first = static_cast<std::size_t>(rows.indptr[start]);
    assert(first + states.size() == static_cast<std::size_t>(rows.indptr[start + 1]));
    const auto early = rows.early.subspan(first, states.size());
    const auto marked = rows.marked.subspan(first, states.size());
    std::fill(early.begin(), early.end(), 0.0), std::fill(marked.begin(), marked.end(), 0.0);
    double time_early = 0.0, time_marked = 0.0;
    for (std::size_t k = 0; k < poisson.weight.size(); ++k) {
        if (k > 0) chain.step();
        double moving_early = 0.0, moving_marked = 0.0;
        for (std::size_t j = 0; j < states.size(); ++j) {
            early[j] += poisson.weight[k] * chain.early[j];
            marked[j] += poisson.weight[k] * chain.marked[j];
            if (chain.indptr[j] == chain.indptr[j + 1]) continue;  // absorbed
            moving_early += chain.early[j];
            moving_marked += chain.marked[j];
        }
        time_early += poisson.above[k] * moving_early;
        time_marked += poisson.above[k] * moving_marked;
    }
    double sum = 0.0;
    for (std::size_t j = 0; j < states.size(); ++j) sum += early[j] + marked[j];
    for (std::size_t j = 0; j < states.size(); ++j) {
        rows.to[first + j] = states[j];
        early[j] /= sum, marked[j] /= sum;
    }
    rows.time_early[static_cast<std::size_t>(start)] = time_early / uniform;
    rows.time_marked[static_cast<std::size_t>(start)] = time_marked / uniform;
}

/// Fills `rows` for every start. The result is the same for any number of threads.
inline TransientError transient_rows(const ForwardChain& chain, double time, double mark_rate,
                                     double tolerance, const TransientRows& rows, int num_threads) {
    const auto size = chain.size(), per_task = detail::kRowsPerTask;
    double fastest = 0.0;
    std::int64_t degree = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        double leave = 0.0;
        for (auto e = chain.indptr[i]; e < chain.indptr[i + 1]; ++e) leave += chain.rate[e];
        if (leave > 0.0) fastest = std::max(fastest, leave + mark_rate);
        degree = std::max(degree, chain.indptr[i + 1] - chain.indptr[i]);
    }
    const double uniform = fastest > 0.0 ? fastest : 1.0;
    const PoissonWeights poisson(uniform * time, tolerance);
    parallel_for(
        (size + per_task - 1) / per_task, rows.indptr[size], num_threads, [&](std::int64_t task) {
            std::vector<std::uint8_t> seen(static_cast<std::size_t>(size), 0);
            std::vector<std::int32_t> states;
            detail::LocalSteps local;
            local.place.assign(static_cast<std::size_t>(size), 0);
            for (auto i = task * per_task; i < std::min(size, (task + 1) * per_task); ++i) {
                detail::list_reachable(chain, i, seen, states);
                local.make(chain, states, mark_rate, uniform);
                transient_row(poisson, uniform, i, states, local, rows);
            }
        });
    // All terms are >= 0, so their errors add up (Higham 2002, sec. 3.1). Of a row: a step rounds
    // a sum degree + 4 times and the rates a few times before, over `mean` steps on average; the
    // weights, their total, the sum over steps and the last division, 4 times a step at most.
    const double unit = 0x1p-53, mean = uniform * time;
    const auto steps = static_cast<double>(poisson.weight.size());
    return {static_cast<std::int64_t>(poisson.weight.size()), poisson.missing_mass,
            poisson.missing_steps / uniform,
            unit * ((static_cast<double>(degree) + 12.0) * (mean + 1.0) + 4.0 * steps)};
}

}  // namespace sparing
