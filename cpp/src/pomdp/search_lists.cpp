#include <algorithm>
#include <limits>

#include "sparing/pomdp_search.hpp"

namespace sparing::pomdp {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t place) { return static_cast<std::size_t>(place); }

template <class T>
void compact(std::vector<T>& values, const std::vector<char>& keep) {
    std::size_t to = 0;
    for (std::size_t from = 0; from < values.size(); ++from)
        if (keep[from]) {
            if (to != from) values[to] = std::move(values[from]);
            ++to;
        }
    values.resize(to);
}

/// Where each entry goes, and at the end how many are left.
std::vector<std::int64_t> places(const std::vector<char>& keep) {
    std::vector<std::int64_t> place(keep.size() + 1);
    for (std::size_t k = 0; k < keep.size(); ++k) place[k + 1] = place[k] + (keep[k] ? 1 : 0);
    return place;
}

}  // namespace

void Search::add_alpha(std::int32_t domain, const std::vector<double>& alpha, std::int32_t action) {
    alphas_[at(domain)].add(alpha, action);
}

void Search::add_point(std::int32_t domain, std::span<const std::int32_t> index,
                       std::span<const double> weight, double value) {
    const std::int64_t number =
        node_of(domain, {index.begin(), index.end()}, {weight.begin(), weight.end()});
    Node& node = nodes_[at(number)];
    if (!(value < node.upper)) return;
    node.upper = value;
    push_point(node, number);
}

void Search::push_point(Node& node, std::int64_t number) {
    PointList& list = points_[at(node.domain)];
    if (node.point >= 0) {
        list.value[at(node.point)] = kInfinity;
        list.node[at(node.point)] = -1;
    }
    node.point = list.inverse.push();
    list.informed.push();
    for (std::int64_t k = 0; k < node.belief.size; ++k)
        list.inverse.at(node.point, node.belief.index[k]) =
            std::min(1.0 / node.belief.weight[k], 0.5 * kNever);
    for (std::int64_t a = 0; a < num_actions_; ++a)
        list.informed.at(node.point, a) = node.informed[a];
    list.value.push_back(node.upper);
    list.node.push_back(number);
    num_bytes_ += static_cast<std::int64_t>(domains_[node.domain].states.size()) * 8;
    if (list.inverse.count() >= list.prune_at) prune_points(node.domain);
}

/// Leaves out vectors that are best at no belief that is known.
void Search::prune_alphas(std::int32_t domain) {
    AlphaList& list = alphas_[at(domain)];
    std::vector<char> keep(at(list.values.count()));
    keep[at(list.usual)] = 1;
    for (const auto number : nodes_of_[at(domain)]) {
        const Node& node = nodes_[at(number)];
        if (node.alpha >= 0) keep[at(node.alpha)] = 1;
    }
    const auto place = places(keep);
    list.values.compact(keep);
    compact(list.rows, keep);
    compact(list.action, keep);
    list.usual = static_cast<std::int32_t>(place[at(list.usual)]);
    for (const auto number : nodes_of_[at(domain)]) {
        Node& node = nodes_[at(number)];
        if (node.alpha >= 0) node.alpha = static_cast<std::int32_t>(place[at(node.alpha)]);
        node.num_alphas_seen = place[at(node.num_alphas_seen)];
    }
    list.prune_at = std::max<std::int64_t>(128, 2 * list.values.count());
}

/// Leaves out points that others replaced, and those at which the others give as good a bound.
void Search::prune_points(std::int32_t domain) {
    PointList& list = points_[at(domain)];
    std::vector<char> keep(list.value.size());
    for (std::size_t i = 0; i < keep.size(); ++i) {
        if (!(list.value[i] < kInfinity)) continue;
        keep[i] = 1;
        Node probe = nodes_[at(list.node[i])];
        const double value = list.value[i];
        probe.upper = *std::max_element(probe.informed, probe.informed + num_actions_);
        probe.num_points_seen = 0;
        list.value[i] = kInfinity;  // without itself
        refresh_upper(probe);
        if (probe.upper <= value + 1e-12) {
            keep[i] = 0;
        } else {
            list.value[i] = value;
        }
    }
    for (std::size_t i = 0; i < keep.size(); ++i)
        if (!keep[i] && list.node[i] >= 0) nodes_[at(list.node[i])].point = -1;
    const auto place = places(keep);
    list.inverse.compact(keep);
    list.informed.compact(keep);
    compact(list.value, keep);
    compact(list.node, keep);
    for (const auto number : nodes_of_[at(domain)]) {
        Node& node = nodes_[at(number)];
        node.num_points_seen = place[at(node.num_points_seen)];
        if (node.point >= 0) node.point = place[at(node.point)];
    }
    list.prune_at = std::max<std::int64_t>(128, 2 * list.inverse.count());
}

}  // namespace sparing::pomdp
