#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/pomdp_lists.hpp"
#include "sparing/pomdp_model.hpp"

namespace sparing::pomdp {

/// Simulates a policy of alpha vectors: the action of the best vector at the belief is taken, the
/// true state moves, is observed, and the belief follows by Bayes' rule.
class Rollout {
  public:
    /// The arrays of the model must live as long as this does.
    explicit Rollout(const Model& model);

    const Domains& domains() const { return domains_; }
    void add_alpha(std::int32_t domain, const std::vector<double>& alpha, std::int32_t action) {
        alphas_[static_cast<std::size_t>(domain)].add(alpha, action);
    }
    /// Discounted rewards over `horizon` periods of the replications first, first + 1, ...: a
    /// function of (seed, replication) alone. Every domain must have vectors.
    void run(std::uint64_t seed, std::int64_t first, std::int64_t horizon, std::span<double> totals,
             int num_threads) const;

  private:
    Model model_;
    Domains domains_;
    std::vector<AlphaList> alphas_;

    double replication(std::uint64_t seed, std::int64_t number, std::int64_t horizon) const;
};

}  // namespace sparing::pomdp
