#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {

/// Rewards as statements set them: for an action, state, next state and observation, each of which
/// may be `any`. The last statement that fits counts.
class RewardRules {
  public:
    static constexpr std::int32_t any = -1;

    explicit RewardRules(std::uint64_t max_rules) : max_rules_(max_rules) {}

    void add(std::int64_t action, std::int64_t state, std::int64_t next, std::int64_t observation,
             double value);

    /// Expected values [A * S] over next states and observations.
    std::vector<double> expected(std::int64_t num_actions, std::int64_t num_states,
                                 std::int64_t num_observations, const Rows& transition,
                                 const Rows& observation);

  private:
    struct Rule {
        std::int32_t action, state, next, observation;
        double value;
        std::uint64_t order;
    };
    struct Span {
        const Rule *first, *last;  // in the order of the file
    };
    /// One list per pattern: bit 0 set: the action is given; bit 1: the state; bit 2: the next one.
    std::array<std::vector<Rule>, 8> rules_;
    std::uint64_t max_rules_, count_ = 0;

    void sort();
    Span find(int pattern, std::int32_t action, std::int32_t state, std::int32_t next) const;
};

}  // namespace sparing::pomdp
