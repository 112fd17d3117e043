#include <algorithm>
#include <cmath>
#include <limits>

#include "sparing/parallel.hpp"
#include "sparing/pomdp_search.hpp"

namespace sparing::pomdp {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSame = 1e-14;        // beliefs that differ by less are one
constexpr double kNegligible = 1e-14;  // chance of an observation that is left out

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

std::uint64_t mixed(std::uint64_t x) {  // the finaliser of splitmix64 (Steele et al. 2014)
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

std::uint64_t hash_of(std::int32_t domain, const std::vector<std::int32_t>& index,
                      const std::vector<double>& weight) {
    auto hash = mixed(static_cast<std::uint64_t>(domain) + 1);
    for (std::size_t k = 0; k < index.size(); ++k) {
        hash = mixed(hash ^ static_cast<std::uint64_t>(index[k]));
        hash = mixed(hash ^ static_cast<std::uint64_t>(std::llround(weight[k] * 0x1p30)));
    }
    return hash;
}

}  // namespace

std::int64_t Search::node_of(std::int32_t domain, std::vector<std::int32_t>&& index,
                             std::vector<double>&& weight) {
    const auto size = static_cast<std::int64_t>(index.size());
    const auto hash = hash_of(domain, index, weight);
    const auto [first, last] = known_.equal_range(hash);
    for (auto found = first; found != last; ++found) {
        const Node& node = nodes_[at(found->second)];
        if (node.domain != domain || node.belief.size != size) continue;
        bool same = true;
        for (std::int64_t k = 0; same && k < size; ++k)
            same = node.belief.index[k] == index[at(k)] &&
                   std::abs(node.belief.weight[k] - weight[at(k)]) <= kSame;
        if (same) return found->second;
    }
    const auto number = static_cast<std::int64_t>(nodes_.size());
    index.shrink_to_fit();
    index_store_.push_back(std::move(index));
    weight.reserve(at(size + num_actions_));
    const double* vectors = informed_[at(domain)].data();
    const auto n = static_cast<std::int64_t>(domains_[domain].states.size());
    double most = -kInfinity;
    for (std::int64_t a = 0; a < num_actions_; ++a, vectors += n) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < size; ++k)
            sum += weight[at(k)] * vectors[index_store_.back()[at(k)]];
        weight.push_back(sum);
        most = std::max(most, sum);
    }
    weight_store_.push_back(std::move(weight));
    const double* const stored = weight_store_.back().data();
    Node& node = nodes_.emplace_back();
    node.domain = domain;
    node.belief = {index_store_.back().data(), stored, size};
    node.informed = stored + size;
    node.upper = most;
    node.lower = -kInfinity;
    nodes_of_[at(domain)].push_back(number);
    known_.emplace(hash, number);
    num_bytes_ += size * 12 + num_actions_ * 8 + static_cast<std::int64_t>(sizeof(Node)) + 128;
    return number;
}

/// Bayes' rule for every observation after an action.
void Search::make_children(std::int64_t number, std::size_t action) {
    if (nodes_[at(number)].outlooks[action].has_children) return;
    const Node& node = nodes_[at(number)];
    const Block& block = domains_[node.domain].blocks[action];
    predicted_.assign(block.next.size(), 0.0);
    for (std::int64_t k = 0; k < node.belief.size; ++k) {
        const auto s = at(node.belief.index[k]);
        for (auto e = block.indptr[s]; e < block.indptr[s + 1]; ++e)
            predicted_[at(block.column[at(e)])] += node.belief.weight[k] * block.probability[at(e)];
    }
    std::vector<Outlook::Child> children;
    for (std::size_t c = 0; c < block.channels.size(); ++c) {
        const Channel& channel = block.channels[c];
        std::vector<std::int32_t> index;
        std::vector<double> weight;
        double chance = 0.0;
        for (auto e = channel.begin; e < channel.end; ++e) {
            const double p = predicted_[at(block.from[at(e)])] * block.chance[at(e)];
            if (!(p > 0.0)) continue;
            index.push_back(block.to[at(e)]);
            weight.push_back(p);
            chance += p;
        }
        if (!(chance > kNegligible)) continue;
        for (double& w : weight) w /= chance;
        children.push_back({static_cast<std::int32_t>(c), chance,
                            node_of(channel.next_domain, std::move(index), std::move(weight))});
    }
    double total = 0.0;
    for (const auto& child : children) total += child.chance;
    for (auto& child : children) child.chance /= total;
    num_bytes_ += static_cast<std::int64_t>(children.size() * sizeof(Outlook::Child));
    Outlook& outlook = nodes_[at(number)].outlooks[action];
    outlook.children = std::move(children);
    outlook.has_children = true;
}

void Search::refresh_upper(Node& node) const {
    const PointList& list = points_[at(node.domain)];
    const std::int64_t count = list.inverse.count();
    if (node.num_points_seen == count) return;
    const double* const informed_end = node.informed + num_actions_;
    const double* const best = std::max_element(node.informed, informed_end);
    thread_local std::vector<std::int32_t> absent;
    absent.clear();
    const auto n = static_cast<std::int32_t>(domains_[node.domain].states.size());
    std::int64_t k = 0;
    for (std::int32_t s = 0; s < n; ++s) {
        if (k < node.belief.size && node.belief.index[k] == s) {
            ++k;
        } else {
            absent.push_back(s);
        }
    }
    double ratio[kLanes], slope[kLanes];
    for (std::int64_t c = node.num_points_seen / kLanes; c < list.inverse.num_chunks(); ++c) {
        const double* const informed = list.informed.chunk(c);
        const double* const row = informed + (best - node.informed) * kLanes;
        for (std::int64_t l = 0; l < kLanes; ++l) {
            const std::int64_t i = c * kLanes + l;
            const bool is_new = i >= node.num_points_seen && i < count;
            slope[l] = is_new && list.value[at(i)] < kInfinity ? row[l] - list.value[at(i)] : -1.0;
        }
        const RatioArgs args{list.inverse.chunk(c),
                             node.belief,
                             absent.data(),
                             static_cast<std::int64_t>(absent.size()),
                             slope,
                             *best - node.upper,
                             ratio};
        if (!kernels().ratio(args)) continue;
        for (std::int64_t l = 0; l < kLanes; ++l) {
            if (!(ratio[l] * slope[l] > *best - node.upper)) continue;
            double rest = -kInfinity;
            for (std::int64_t a = 0; a < num_actions_; ++a)
                rest = std::max(rest, node.informed[a] - ratio[l] * informed[a * kLanes + l]);
            node.upper = std::min(node.upper, ratio[l] * list.value[at(c * kLanes + l)] + rest);
        }
    }
    node.num_points_seen = count;
}

void Search::refresh_lower(Node& node) const {
    const AlphaList& list = alphas_[at(node.domain)];
    const std::int64_t count = list.values.count();
    if (node.num_alphas_seen == count) return;
    double product[kLanes];
    for (std::int64_t c = node.num_alphas_seen / kLanes; c < list.values.num_chunks(); ++c) {
        kernels().dot(list.values.chunk(c), node.belief, product);
        const std::int64_t first = std::max<std::int64_t>(node.num_alphas_seen - c * kLanes, 0);
        const std::int64_t last = std::min(count - c * kLanes, kLanes);
        for (std::int64_t l = first; l < last; ++l)
            if (product[l] > node.lower)
                node.lower = product[l], node.alpha = static_cast<std::int32_t>(c * kLanes + l);
    }
    node.num_alphas_seen = count;
}

void Search::refresh_children(const Outlook& outlook, bool upper) {
    stale_.clear();
    std::int64_t work = 0;
    for (const auto& child : outlook.children) {
        const Node& node = nodes_[at(child.node)];
        const std::int64_t count = upper ? points_[at(node.domain)].inverse.count()
                                         : alphas_[at(node.domain)].values.count();
        const std::int64_t seen = upper ? node.num_points_seen : node.num_alphas_seen;
        if (seen == count) continue;
        stale_.push_back(child.node);
        work += (count - seen + kLanes / 2) * node.belief.size;
    }
    std::sort(stale_.begin(), stale_.end());  // several observations may lead to one belief
    stale_.erase(std::unique(stale_.begin(), stale_.end()), stale_.end());
    parallel_for(static_cast<std::int64_t>(stale_.size()), work / 8, options_.num_threads,
                 [&](std::int64_t task) {
                     Node& node = nodes_[at(stale_[at(task)])];
                     if (upper) {
                         refresh_upper(node);
                     } else {
                         refresh_lower(node);
                     }
                 });
}

}  // namespace sparing::pomdp
