#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "crew_system.hpp"

namespace sparing {

/// Two thresholds a type. The crew is sent if `callers` components or more are at or beyond
/// call[type], if the system is down, or if something must not stay as it is; it renews all that
/// are at or beyond renew[type], and these only.
struct Limits {
    std::vector<std::int32_t> renew, call;  // [types] states; num_states: never
    std::int64_t callers = 1;
};

class LimitRule : public CrewRule {
  public:
    LimitRule(CrewSystem system, Limits limits)
        : CrewRule(std::move(system)), limits_(std::move(limits)) {
        for (std::size_t t = 0; t < system_.types.size(); ++t) {
            works_.insert(works_.end(), system_.types[t].num_states, 1.0);
            works_.back() = 0.0;
        }
    }

    void decide(const std::int32_t* states, std::int32_t* post, std::size_t lanes) const override {
        WorkingChance works(system_);
        std::vector<std::int32_t> counts(system_.num_pairs());
        const std::size_t width = num_components();
        for (std::size_t l = 0; l < lanes; ++l, states += width, post += width) {
            system_.count(states, counts.data());
            const bool down = works(counts.data(), works_.data()) < 0.5;
            const bool sent = down || is_called(counts);
            for (std::size_t t = 0; t < system_.types.size(); ++t)
                for (const std::int32_t member : system_.types[t].members)
                    post[member] = left(t, states[member], sent, down);
        }
    }

  private:
    bool is_called(const std::vector<std::int32_t>& counts) const {
        std::int64_t callers = 0;
        for (std::size_t t = 0; t < system_.types.size(); ++t)
            for (std::size_t s = 0; s < system_.types[t].num_states; ++s) {
                const std::int32_t count = counts[system_.offsets[t] + s];
                if (count > 0 && std::isinf(cost_of_leaving(t, s))) return true;
                if (static_cast<std::int32_t>(s) >= limits_.call[t]) callers += count;
            }
        return callers >= limits_.callers;
    }

    std::int32_t left(std::size_t t, std::int32_t state, bool sent, bool down) const {
        const auto s = static_cast<std::size_t>(state);
        const bool must = std::isinf(cost_of_leaving(t, s)) ||
                          (down && system_.restore_when_down && s == system_.failed(t));
        return must || (sent && state >= limits_.renew[t]) ? 0 : state;
    }

    double cost_of_leaving(std::size_t t, std::size_t s) const {
        return system_.types[t].cost[s * system_.types[t].num_states + s];
    }

    Limits limits_;
    std::vector<double> works_;  // [pairs]
};

}  // namespace sparing
