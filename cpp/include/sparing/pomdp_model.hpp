#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace sparing::pomdp {

/// CSR rows a * S + s: of transitions to next states, and of observations in next states.
struct RowSpans {
    std::span<const std::int64_t> indptr;  // [A * S + 1]
    std::span<const std::int32_t> column;
    std::span<const double> probability;
};

/// A partially observable decision process in the reward view: what is maximised.
struct Model {
    std::int64_t num_states, num_actions, num_observations;
    double discount;
    RowSpans transition, observation;
    std::span<const double> reward;   // [A, S]
    std::span<const double> start;    // [S]
    std::span<const double> floor;    // [S] what every policy earns at least from each state
    std::span<const double> ceiling;  // [S] and at most
};

/// An observation that may come after an action in a domain: it leads to one other domain.
struct Channel {
    std::int32_t observation, next_domain;
    std::int64_t begin, end;  // its entries in Block::from, to, chance
};

/// One action in a domain of n states, from which m states can come next.
struct Block {
    std::vector<std::int64_t> indptr;  // [n + 1] transitions, to places in `next`
    std::vector<std::int32_t> column;
    std::vector<double> probability;
    std::vector<std::int32_t> next;  // [m] states that can come next, rising
    std::vector<double> reward;      // [n]
    std::vector<Channel> channels;   // observations rise
    std::vector<std::int32_t> from;  // place in `next`
    std::vector<std::int32_t> to;    // place in the next domain
    std::vector<double> chance;      // of the observation in that next state
};

/// A set of states that is known to hold the true one.
struct Domain {
    std::vector<std::int32_t> states;  // [n], rising
    std::vector<Block> blocks;         // [A]
};

/// The domains that can be reached from the start. What is observed often says much about the state
/// with certainty (where the robot is), so beliefs and alpha vectors need only a small part of all
/// states. Domains are the classes of the finest partition such that an action and an observation
/// lead from one class into one class (the mixed observability of Ong, Png, Hsu and Lee 2010, found
/// in the model itself), and single sets in front of it, where the start lies in several classes.
class Domains {
  public:
    explicit Domains(const Model& model);
    std::int32_t start() const { return start_; }
    std::size_t size() const { return domains_.size(); }
    const Domain& operator[](std::int32_t d) const { return domains_[static_cast<std::size_t>(d)]; }

  private:
    std::int32_t start_ = 0;
    std::vector<Domain> domains_;

    bool build(const Model& model, const std::vector<std::int32_t>& class_of);
};

}  // namespace sparing::pomdp
