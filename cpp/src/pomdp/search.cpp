#include <algorithm>
#include <cmath>
#include <limits>

#include "sparing/pomdp_search.hpp"

namespace sparing::pomdp {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kWorthKeeping = 1e-4;  // of the start's gap: what a vector or point must improve

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

bool is_power_of_two(std::int64_t n) { return (n & (n - 1)) == 0; }

}  // namespace

Search::Search(const Model& model, const SearchOptions& options)
    : num_actions_(model.num_actions),
      discount_(model.discount),
      options_(options),
      domains_(model) {
    const auto informed =
        fast_informed_bound(model, options.initial_tolerance, options.num_threads);
    const auto blind = blind_policies(model, options.initial_tolerance, options.num_threads);
    for (std::int32_t d = 0; at(d) < domains_.size(); ++d) {
        const auto& states = domains_[d].states;
        const auto n = static_cast<std::int64_t>(states.size());
        alphas_.emplace_back(n);
        points_.emplace_back(n, num_actions_);
        auto& vectors = informed_.emplace_back();
        for (const auto& vector : informed)
            for (const auto s : states) vectors.push_back(vector[at(s)]);
        for (std::size_t a = 0; a < blind.size(); ++a) {
            alpha_.clear();
            for (const auto s : states) alpha_.push_back(blind[a][at(s)]);
            alphas_.back().add(alpha_, static_cast<std::int32_t>(a));
        }
    }
    nodes_of_.resize(domains_.size());
    std::vector<std::int32_t> index;
    std::vector<double> weight;
    const auto& states = domains_[domains_.start()].states;
    for (std::size_t k = 0; k < states.size(); ++k)
        if (model.start[at(states[k])] > 0.0) {
            index.push_back(static_cast<std::int32_t>(k));
            weight.push_back(model.start[at(states[k])]);
        }
    node_of(domains_.start(), std::move(index), std::move(weight));
    refresh_start();
}

void Search::refresh_start() {
    refresh_upper(nodes_[0]);
    refresh_lower(nodes_[0]);
}

std::int64_t Search::run(double seconds, std::int64_t max_trials, double gap) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             std::chrono::duration<double>(std::min(seconds, 1e8)));
    std::int64_t count = 0;
    while (count < max_trials && upper() - lower() > gap && !is_full() && Clock::now() < deadline) {
        trial();
        ++count, ++num_trials_;
    }
    return count;
}

void Search::trial() {
    path_.clear();
    std::int64_t node = 0;
    double aim = options_.trial_shares[num_trials_ % 2] * (upper() - lower());
    while (static_cast<std::int64_t>(path_.size()) < options_.max_depth) {
        refresh_upper(nodes_[at(node)]);
        refresh_lower(nodes_[at(node)]);
        if (nodes_[at(node)].upper - nodes_[at(node)].lower <= aim) break;
        path_.push_back(node);
        const std::size_t action = best_upper_action(node);
        aim /= std::max(discount_, 1e-9);
        node = choose_child(node, action, aim);
        if (node < 0) break;
    }
    for (std::size_t k = path_.size(); k-- > 0;) {
        if (options_.improve_upper) back_up_upper(path_[k]);
        if (options_.improve_lower) back_up_lower(path_[k]);
    }
}

/// The child whose gap above `aim`, weighed by its chance, is largest; -1 if there is none above.
std::int64_t Search::choose_child(std::int64_t number, std::size_t action, double aim) {
    const Outlook& outlook = nodes_[at(number)].outlooks[action];
    refresh_children(outlook, false);
    double most = 0.0;
    std::int64_t chosen = -1;
    for (const auto& child : outlook.children) {
        const Node& next = nodes_[at(child.node)];
        const double excess = child.chance * (next.upper - next.lower - aim);
        if (excess > most) most = excess, chosen = child.node;
    }
    return chosen;
}

void Search::make_outlooks(Node& node) {
    if (!node.outlooks.empty()) return;
    node.outlooks.resize(at(num_actions_));
    const Domain& domain = domains_[node.domain];
    for (std::size_t a = 0; a < node.outlooks.size(); ++a) {
        Outlook& outlook = node.outlooks[a];
        outlook.upper = node.informed[a];
        outlook.lower = -kInfinity;
        for (std::int64_t k = 0; k < node.belief.size; ++k)
            outlook.reward +=
                node.belief.weight[k] * domain.blocks[a].reward[at(node.belief.index[k])];
    }
    num_bytes_ += num_actions_ * static_cast<std::int64_t>(sizeof(Outlook));
}

/// The action with the highest upper bound. Bounds of earlier visits stay valid, so only the action
/// that looks best is looked at again, until it has just been.
std::size_t Search::best_upper_action(std::int64_t number) {
    make_outlooks(nodes_[at(number)]);
    std::vector<char> is_fresh(at(num_actions_));
    for (;;) {
        auto& outlooks = nodes_[at(number)].outlooks;
        std::size_t best = 0;
        for (std::size_t a = 1; a < outlooks.size(); ++a)
            if (outlooks[a].upper > outlooks[best].upper) best = a;
        if (is_fresh[best]) return best;
        make_children(number, best);
        Outlook& outlook = nodes_[at(number)].outlooks[best];
        refresh_children(outlook, true);
        double value = 0.0;
        for (const auto& child : outlook.children)
            value += child.chance * nodes_[at(child.node)].upper;
        outlook.upper = std::min(outlook.upper, outlook.reward + discount_ * value);
        is_fresh[best] = 1;
    }
}

void Search::back_up_upper(std::int64_t number) {
    const double worth = kWorthKeeping * (upper() - lower());
    const std::size_t action = best_upper_action(number);
    Node& node = nodes_[at(number)];
    refresh_upper(node);
    const double value = node.outlooks[action].upper;
    if (value < node.upper - worth) {
        node.upper = value;
        push_point(node, number);
    } else {
        node.upper = std::min(node.upper, value);
    }
}

void Search::back_up_lower(std::int64_t number) {
    const double worth = kWorthKeeping * (upper() - lower());
    // Actions whose children were made are looked at each time, the others now and then.
    const bool look_at_all = is_power_of_two(++nodes_[at(number)].num_visits + 1);
    refresh_lower(nodes_[at(number)]);
    double most = -kInfinity;
    std::size_t best = 0;
    for (std::size_t a = 0; a < at(num_actions_); ++a) {
        const Node& node = nodes_[at(number)];
        if (node.outlooks[a].upper < node.lower) continue;
        if (!node.outlooks[a].has_children) {
            if (!look_at_all) continue;
            make_children(number, a);
        }
        Outlook& outlook = nodes_[at(number)].outlooks[a];
        refresh_children(outlook, false);
        double value = 0.0;
        for (const auto& child : outlook.children)
            value += child.chance * nodes_[at(child.node)].lower;
        outlook.lower = std::max(outlook.lower, outlook.reward + discount_ * value);
        if (outlook.lower > most) most = outlook.lower, best = a;
    }
    Node& node = nodes_[at(number)];
    if (most <= node.lower + worth) return;
    write_alpha(node, best);
    const std::int32_t domain = node.domain;
    AlphaList& list = alphas_[at(domain)];
    list.add(alpha_, static_cast<std::int32_t>(best));
    num_bytes_ += static_cast<std::int64_t>(alpha_.size() * 2 * sizeof(double));
    refresh_lower(node);
    if (list.values.count() >= list.prune_at) prune_alphas(domain);
}

/// Writes alpha_: the action at once, and what each child follows after the observation.
void Search::write_alpha(const Node& node, std::size_t action) {
    const Block& block = domains_[node.domain].blocks[action];
    next_value_.assign(block.next.size(), 0.0);
    auto child = node.outlooks[action].children.begin();
    const auto last = node.outlooks[action].children.end();
    for (std::size_t c = 0; c < block.channels.size(); ++c) {
        const Channel& channel = block.channels[c];
        const AlphaList& list = alphas_[at(channel.next_domain)];
        std::int32_t follows = list.usual;  // where the belief rules the observation out
        if (child != last && at(child->channel) == c) {
            follows = nodes_[at(child->node)].alpha;
            ++child;
        }
        const auto& row = list.rows[at(follows)];
        for (auto e = channel.begin; e < channel.end; ++e)
            next_value_[at(block.from[at(e)])] += block.chance[at(e)] * row[at(block.to[at(e)])];
    }
    alpha_.resize(block.reward.size());
    for (std::size_t s = 0; s < alpha_.size(); ++s) {
        double sum = 0.0;
        for (auto e = block.indptr[s]; e < block.indptr[s + 1]; ++e)
            sum += block.probability[at(e)] * next_value_[at(block.column[at(e)])];
        alpha_[s] = block.reward[s] + discount_ * sum;
    }
}

std::int64_t Search::num_alphas() const {
    std::int64_t count = 0;
    for (const auto& list : alphas_) count += list.values.count();
    return count;
}

std::int64_t Search::num_points() const {
    std::int64_t count = 0;
    for (const auto& list : points_)
        for (const double value : list.value) count += value < kInfinity;
    return count;
}

}  // namespace sparing::pomdp
