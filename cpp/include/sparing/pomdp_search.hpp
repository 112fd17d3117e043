#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "sparing/pomdp_bounds.hpp"
#include "sparing/pomdp_lists.hpp"
#include "sparing/pomdp_model.hpp"

namespace sparing::pomdp {

struct SearchOptions {
    bool improve_lower = true, improve_upper = true;
    double initial_tolerance = 1e-6;  // of the initial bounds
    // A trial ends where the gap is this share of the start's: wide trials serve the upper bound
    // more, deep ones the lower one, so they take turns.
    double trial_shares[2] = {0.9, 0.5};
    std::int64_t max_depth = 10'000;
    std::int64_t memory_limit = std::int64_t{4} << 30;  // [bytes]
    int num_threads = 1;
};

/// What is known of one action at a belief.
struct Outlook {
    struct Child {
        std::int32_t channel;
        double chance;
        std::int64_t node;
    };
    double upper, lower;          // bounds of its value; old ones stay valid
    double reward = 0.0;          // expected at once
    bool has_children = false;    // they are made when the action first looks best
    std::vector<Child> children;  // one per observation that can be
};

/// A belief of a domain with bounds of its value. The bounds take note of alpha vectors and points
/// one after the other, each once.
struct Node {
    std::int32_t domain;
    SparseBelief belief;
    const double* informed;  // [A] products with the vectors of the fast informed bound
    double upper, lower;
    std::int64_t num_points_seen = 0, num_alphas_seen = 0;
    std::int32_t alpha = -1;  // of the domain's list: where `lower` comes from
    std::int64_t point = -1;  // of the domain's list: its own
    std::int64_t num_visits = 0;
    std::vector<Outlook> outlooks;  // [A] once it was visited
};

/// Heuristic search with bounds on both sides (Smith and Simmons 2005; Kurniawati, Hsu and Lee
/// 2008): trials from the start go where the upper bound is highest and the gap is widest, and
/// improve both bounds on the way back. Beliefs that were met before are recognised, and what they
/// know is kept. Above, points are interpolated over the fast informed bound: with the largest
/// share r of point i in belief b, V(b) <= r v_i + max_a (q_a b - r q_a b_i), by convexity.
/// The result does not depend on the number of threads.
class Search {
  public:
    Search(const Model& model, const SearchOptions& options);

    /// Runs trials until time, number or gap is reached, and returns how many it ran.
    std::int64_t run(double seconds, std::int64_t max_trials, double gap);

    double lower() const { return nodes_[0].lower; }
    double upper() const { return nodes_[0].upper; }
    std::int64_t num_trials() const { return num_trials_; }
    std::int64_t num_nodes() const { return static_cast<std::int64_t>(nodes_.size()); }
    std::int64_t num_alphas() const;
    std::int64_t num_points() const;
    std::int64_t num_bytes() const { return num_bytes_; }
    bool is_full() const { return num_bytes_ >= options_.memory_limit; }
    const Domains& domains() const { return domains_; }
    const AlphaList& alphas(std::int32_t d) const { return alphas_[static_cast<std::size_t>(d)]; }
    const PointList& points(std::int32_t d) const { return points_[static_cast<std::size_t>(d)]; }

    void add_alpha(std::int32_t domain, const std::vector<double>& alpha, std::int32_t action);
    void add_point(std::int32_t domain, std::span<const std::int32_t> index,
                   std::span<const double> weight, double value);
    /// Takes note of what was added.
    void refresh_start();

  private:
    std::int64_t num_actions_;
    double discount_;
    SearchOptions options_;
    Domains domains_;
    std::vector<std::vector<double>> informed_;  // [domain] of [A, n]
    std::vector<AlphaList> alphas_;
    std::vector<PointList> points_;
    std::deque<Node> nodes_;
    std::vector<std::vector<std::int64_t>> nodes_of_;  // [domain]
    std::unordered_multimap<std::uint64_t, std::int64_t> known_;
    std::deque<std::vector<std::int32_t>> index_store_;
    std::deque<std::vector<double>> weight_store_;
    std::int64_t num_trials_ = 0, num_bytes_ = 0;
    std::vector<double> predicted_, next_value_, alpha_;  // scratch
    std::vector<std::int64_t> path_, stale_;

    using Clock = std::chrono::steady_clock;
    void trial();
    std::int64_t choose_child(std::int64_t node, std::size_t action, double aim);
    std::size_t best_upper_action(std::int64_t node);
    void back_up_upper(std::int64_t node);
    void back_up_lower(std::int64_t node);
    void write_alpha(const Node& node, std::size_t action);
    void make_outlooks(Node& node);
    void make_children(std::int64_t node, std::size_t action);
    std::int64_t node_of(std::int32_t domain, std::vector<std::int32_t>&& index,
                         std::vector<double>&& weight);
    void refresh_upper(Node& node) const;
    void refresh_lower(Node& node) const;
    void refresh_children(const Outlook& outlook, bool upper);
    void push_point(Node& node, std::int64_t number);
    void prune_alphas(std::int32_t domain);
    void prune_points(std::int32_t domain);
};

}  // namespace sparing::pomdp
