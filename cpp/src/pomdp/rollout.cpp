#include <algorithm>

#include "sparing/parallel.hpp"
#include "sparing/philox.hpp"
#include "sparing/pomdp_rollout.hpp"

namespace sparing::pomdp {
namespace {

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

/// 53 random bits as a number in [0, 1).
double uniform(std::uint32_t high, std::uint32_t low) {
    return static_cast<double>(((std::uint64_t{high} << 32) | low) >> 11) * 0x1p-53;
}

/// The entry of a row that draw `u` falls on.
std::int32_t drawn(const RowSpans& rows, std::int64_t row, double u) {
    const auto last = rows.indptr[at(row) + 1] - 1;
    auto e = rows.indptr[at(row)];
    for (; e < last; ++e) {
        u -= rows.probability[at(e)];
        if (u < 0.0) break;
    }
    return rows.column[at(e)];
}

/// A belief that is followed, with room for the next one.
struct Belief {
    std::int32_t domain = 0;
    std::vector<std::int32_t> index;
    std::vector<double> weight, predicted;

    SparseBelief view() const {
        return {index.data(), weight.data(), static_cast<std::int64_t>(index.size())};
    }

    void follow(const Block& block, std::int32_t observation) {
        predicted.assign(block.next.size(), 0.0);
        for (std::size_t k = 0; k < index.size(); ++k) {
            const auto s = at(index[k]);
            for (auto e = block.indptr[s]; e < block.indptr[s + 1]; ++e)
                predicted[at(block.column[at(e)])] += weight[k] * block.probability[at(e)];
        }
        const auto channel =
            std::lower_bound(block.channels.begin(), block.channels.end(), observation,
                             [](const Channel& c, std::int32_t o) { return c.observation < o; });
        index.clear(), weight.clear();
        double sum = 0.0;
        for (auto e = channel->begin; e < channel->end; ++e) {
            const double p = predicted[at(block.from[at(e)])] * block.chance[at(e)];
            if (!(p > 0.0)) continue;
            index.push_back(block.to[at(e)]);
            weight.push_back(p);
            sum += p;
        }
        if (index.empty())  // all of it was lost to rounding
            for (auto e = channel->begin; e < channel->end; ++e) {
                index.push_back(block.to[at(e)]);
                weight.push_back(1.0);
                sum += 1.0;
            }
        for (double& w : weight) w /= sum;
        domain = channel->next_domain;
    }
};

/// The action of the vector that is best at the belief; the first of equals.
std::int32_t best_action(const AlphaList& list, const Belief& belief) {
    double product[kLanes], most = -std::numeric_limits<double>::infinity();
    std::int64_t best = 0;
    for (std::int64_t c = 0; c < list.values.num_chunks(); ++c) {
        kernels().dot(list.values.chunk(c), belief.view(), product);
        const std::int64_t last = std::min(list.values.count() - c * kLanes, kLanes);
        for (std::int64_t l = 0; l < last; ++l)
            if (product[l] > most) most = product[l], best = c * kLanes + l;
    }
    return list.action[at(best)];
}

}  // namespace

Rollout::Rollout(const Model& model) : model_(model), domains_(model) {
    for (std::int32_t d = 0; at(d) < domains_.size(); ++d)
        alphas_.emplace_back(static_cast<std::int64_t>(domains_[d].states.size()));
}

double Rollout::replication(std::uint64_t seed, std::int64_t number, std::int64_t horizon) const {
    const auto words = [&](std::int64_t period, std::uint32_t block) {
        return philox4x32(draw_counter(static_cast<std::uint32_t>(number),
                                       static_cast<std::uint32_t>(period), block, Stream::nature),
                          philox_key(seed));
    };
    Belief belief;
    belief.domain = domains_.start();
    const auto& states = domains_[belief.domain].states;
    const auto first = words(0, 1);
    double u = uniform(first[0], first[1]);
    std::int32_t state = -1;
    for (std::size_t k = 0; k < states.size(); ++k) {
        const double p = model_.start[at(states[k])];
        if (!(p > 0.0)) continue;
        if (state < 0 || u >= 0.0) state = states[k];
        u -= p;
        belief.index.push_back(static_cast<std::int32_t>(k));
        belief.weight.push_back(p);
    }
    double total = 0.0, factor = 1.0;
    for (std::int64_t t = 0; t < horizon; ++t, factor *= model_.discount) {
        const std::int64_t a = best_action(alphas_[at(belief.domain)], belief);
        const auto random = words(t, 0);
        total += factor * model_.reward[at(a * model_.num_states + state)];
        state =
            drawn(model_.transition, a * model_.num_states + state, uniform(random[0], random[1]));
        const auto observation =
            drawn(model_.observation, a * model_.num_states + state, uniform(random[2], random[3]));
        belief.follow(domains_[belief.domain].blocks[at(a)], observation);
    }
    return total;
}

void Rollout::run(std::uint64_t seed, std::int64_t first, std::int64_t horizon,
                  std::span<double> totals, int num_threads) const {
    constexpr std::int64_t kBatch = 16;  // replications of a task
    const auto count = static_cast<std::int64_t>(totals.size());
    parallel_for((count + kBatch - 1) / kBatch, count * horizon * 100, num_threads,
                 [&](std::int64_t task) {
                     const std::int64_t last = std::min(count, (task + 1) * kBatch);
                     for (std::int64_t r = task * kBatch; r < last; ++r)
                         totals[at(r)] = replication(seed, first + r, horizon);
                 });
}

}  // namespace sparing::pomdp
