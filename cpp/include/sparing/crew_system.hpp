#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sparing {

/// Components that may be exchanged for one another: the same wear, costs and place.
struct ComponentType {
    std::size_t num_states = 0;
    std::vector<std::int32_t> members;  // their positions in the state
    std::vector<double> cost;  // [found, left]: of maintenance; inf where it cannot be done
};

/// A node of the structure: works if `required` of its components and inner groups do.
struct StructureGroup {
    std::size_t required = 0;
    std::vector<std::size_t> types, groups;  // groups stand behind the one that they are part of
};

/// A system as counts: what a rule for a crew is told.
struct CrewSystem {
    std::vector<ComponentType> types;
    std::vector<StructureGroup> groups;  // the first is the whole system
    std::vector<std::size_t> offsets;    // [types + 1] of (type, state) in flat arrays
    double setup_cost = 0.0;
    bool restore_when_down = false;  // a failed component must not stay failed while it is down

    std::size_t num_pairs() const { return offsets.back(); }
    std::size_t failed(std::size_t type) const { return types[type].num_states - 1; }

    void count(const std::int32_t* state, std::int32_t* counts) const {
        std::fill_n(counts, num_pairs(), 0);
        for (std::size_t t = 0; t < types.size(); ++t)
            for (const std::int32_t member : types[t].members)
                ++counts[offsets[t] + static_cast<std::size_t>(state[member])];
    }
};

/// The chance that a structure works whose parts work independently; holds the scratch.
class WorkingChance {
  public:
    explicit WorkingChance(const CrewSystem& system)
        : system_(&system), chance_(system.groups.size()) {
        std::size_t most = 0;
        for (const StructureGroup& group : system.groups) most = std::max(most, group.required);
        reached_.resize(most + 1);
    }

    /// One component of a pair that works with another chance than the rest.
    struct Special {
        std::size_t pair;
        double chance;
    };
    static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

    /// counts, chance [pairs]: how many components there are and the chance that each works.
    /// Poisson-binomial counts up to those required, group by group: O(components * required).
    double operator()(const std::int32_t* counts, const double* chance) {
        return with(counts, chance, {nobody, 0.0});
    }

    /// The same where one component or two work with chances of their own.
    double with(const std::int32_t* counts, const double* chance, Special one,
                Special other = {nobody, 0.0}) {
        for (std::size_t g = system_->groups.size(); g-- > 0;) {
            const StructureGroup& group = system_->groups[g];
            std::fill_n(reached_.begin(), group.required + 1, 0.0);
            reached_[0] = 1.0;
            for (const std::size_t t : group.types)
                for (std::size_t i = system_->offsets[t]; i < system_->offsets[t + 1]; ++i) {
                    const std::int32_t usual = counts[i] - (i == one.pair) - (i == other.pair);
                    for (std::int32_t n = 0; n < usual; ++n) add(group.required, chance[i]);
                    if (i == one.pair) add(group.required, one.chance);
                    if (i == other.pair) add(group.required, other.chance);
                }
            for (const std::size_t inner : group.groups) add(group.required, chance_[inner]);
            chance_[g] = reached_[group.required];
        }
        return chance_[0];
    }

  private:
    /// reached[k]: the chance of k working parts, of `required` or more at the end.
    void add(std::size_t required, double p) {
        double* at = reached_.data();
        at[required] += at[required - 1] * p;
        for (std::size_t k = required - 1; k > 0; --k) at[k] += (at[k - 1] - at[k]) * p;
        at[0] -= at[0] * p;
    }

    const CrewSystem* system_;
    std::vector<double> chance_;   // [groups]
    std::vector<double> reached_;  // [required + 1]
};

/// Decides for whole states; the same for any number of threads, as each state is by itself.
class CrewRule {
  public:
    explicit CrewRule(CrewSystem system) : system_(std::move(system)) {}
    CrewRule(const CrewRule&) = delete;
    CrewRule& operator=(const CrewRule&) = delete;
    virtual ~CrewRule() = default;

    /// post [lanes, components] from states [lanes, components].
    virtual void decide(const std::int32_t* states, std::int32_t* post,
                        std::size_t lanes) const = 0;

    const CrewSystem& system() const { return system_; }
    std::size_t num_components() const {
        std::size_t count = 0;
        for (const ComponentType& type : system_.types) count += type.members.size();
        return count;
    }

  protected:
    CrewSystem system_;
};

}  // namespace sparing
