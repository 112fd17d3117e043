#pragma once
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "forward_program.hpp"
#include "network.hpp"

namespace sparing {

/// Lets a network decide for lanes side by side: slot s of lane l is coords[s * lanes + l], the
/// cost of kind k in this epoch is costs[k * lanes + l].
class NetworkLanes {
  public:
    NetworkLanes(const ForwardProgram& program, const NetworkPolicy& policy, std::int32_t* coords,
                 double* costs, std::size_t lanes)
        : program_(program),
          policy_(policy),
          chooser_(policy),
          coords_(coords),
          costs_(costs),
          lanes_(lanes),
          everyone_(lanes) {
        std::iota(everyone_.begin(), everyone_.end(), 0u);
    }

    /// Pass a Decision or Branch of the program.
    void run_node(const ForwardNode& node) { pass(node, everyone_); }

    /// Take the joint choice of a stage that ends on `end`.
    void run_stage(std::size_t stage, const AxisLayout& end) {
        const NetworkPoint& point = policy_.points[stage];
        const std::vector<std::int64_t> at = choices(stage, everyone_);
        for (std::size_t l = 0; l < lanes_; ++l) {
            const auto entry = static_cast<std::size_t>(at[l]);
            for (std::size_t a = 0; a < end.size(); ++a)
                coords_[static_cast<std::size_t>(end[a].slot) * lanes_ + l] =
                    point.to[entry * end.size() + a];
            for (std::size_t k = 0; k < program_.num_kinds; ++k)
                costs_[k * lanes_ + l] += point.costs[k * point.choice.size() + entry];
        }
    }

  private:
    using Who = std::span<const std::uint32_t>;

    void pass(const ForwardNode& node, Who who) {
        if (node.type == NodeType::branch) return pass_branch(node, who);
        if (node.type == NodeType::decision) return decide(node, who);
        for (const std::uint32_t l : who) {
            const std::int64_t row = node.row(coords_ + l, lanes_);
            if (node.type == NodeType::cost) {
                pay(node, l, static_cast<std::size_t>(row));
                continue;
            }
            const std::size_t entry = node.entries(row).first;  // a move
            node.write(entry, coords_ + l, lanes_);
            pay(node, l, entry);
        }
    }

    void decide(const ForwardNode& node, Who who) {
        const NetworkPoint& point = policy_.points[node.id];
        const std::vector<std::int64_t> at = choices(node.id, who);
        for (std::size_t i = 0; i < who.size(); ++i) {
            const auto entry =
                static_cast<std::size_t>(point.entry[static_cast<std::size_t>(at[i])]);
            node.write(entry, coords_ + who[i], lanes_);
            pay(node, who[i], entry);
        }
    }

    void pass_branch(const ForwardNode& node, Who who) {
        const std::vector<std::int64_t> at = choices(node.id, who);
        std::vector<std::vector<std::uint32_t>> takers(node.alternatives.size());
        for (std::size_t i = 0; i < who.size(); ++i) {
            const auto taken = static_cast<std::size_t>(
                policy_.points[node.id].entry[static_cast<std::size_t>(at[i])]);
            pay(node, who[i], taken);
            takers[taken].push_back(who[i]);
        }
        for (std::size_t a = 0; a < takers.size(); ++a)
            for (const ForwardNode& inner : node.alternatives[a]) pass(inner, takers[a]);
    }

    /// Positions in the rows of a point: of the only choice, or of the one the network prefers.
    std::vector<std::int64_t> choices(std::size_t place, Who who) {
        const NetworkPoint& point = policy_.points[place];
        std::vector<std::int64_t> at(who.size()), rows, picked;
        std::vector<std::uint32_t> asking, places;
        for (std::size_t i = 0; i < who.size(); ++i) {
            const std::int64_t row = row_of(point, who[i]);
            at[i] = point.indptr[static_cast<std::size_t>(row)];
            if (point.indptr[static_cast<std::size_t>(row) + 1] - at[i] < 2) continue;
            asking.push_back(who[i]);
            places.push_back(static_cast<std::uint32_t>(i));
            rows.push_back(row);
        }
        picked.resize(asking.size());
        chooser_.choose(place, asking, rows.data(), coords_, lanes_, picked.data());
        for (std::size_t i = 0; i < asking.size(); ++i) at[places[i]] = picked[i];
        return at;
    }

    std::int64_t row_of(const NetworkPoint& point, std::size_t l) const {
        std::int64_t row = offset(point.reads, l);
        for (std::size_t a = 0; a < point.checks.size(); ++a) {
            bool holds = true;
            for (const NetworkCheck& check : point.checks[a])
                holds = holds && check.alive[static_cast<std::size_t>(offset(check.reads, l))];
            row += std::int64_t{holds} << a;
        }
        return row;
    }

    std::int64_t offset(const std::vector<Read>& reads, std::size_t l) const {
        std::int64_t sum = 0;
        for (const Read& read : reads)
            sum += read.stride * coords_[static_cast<std::size_t>(read.slot) * lanes_ + l];
        return sum;
    }

    void pay(const ForwardNode& node, std::size_t l, std::size_t at) {
        for (const KindCost& cost : node.costs)
            costs_[static_cast<std::size_t>(cost.kind) * lanes_ + l] += cost.values[at];
    }

    const ForwardProgram& program_;
    const NetworkPolicy& policy_;
    NetworkChooser chooser_;
    std::int32_t* coords_;
    double* costs_;
    std::size_t lanes_;
    std::vector<std::uint32_t> everyone_;
};

}  // namespace sparing
