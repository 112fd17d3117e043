#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sparing/network_rules.hpp"
#include "sparing/philox.hpp"

namespace sparing::network {

/// How failures and lead times are drawn, and what is learned from them.
struct Law {
    double shape;                // of the Gamma belief; its rate is in `level_rate`
    std::int32_t truncate;       // failures of a site in a period count up to this
    std::int32_t most_failures;  // values of the failures so far are capped at this
    std::int32_t num_sites, num_locations, periods;
    std::span<const double> exposure;           // [periods * sites]
    std::span<const std::int32_t> bin_start;    // [sites + 1] into `multiplier`
    std::span<const std::int32_t> multiplier;   // by site and age bin
    std::span<const std::int32_t> first_bin;    // [sites]
    std::span<const std::int64_t> level_start;  // [periods * sites + 1] into `level_rate`
    std::span<const double> level_rate;         // rate of the belief by exposure so far
    std::span<const std::int64_t> next_start;   // [periods * sites] into `level_next`
    std::span<const std::int32_t> level_next;   // [bins, levels] where the exposure goes
    std::span<const std::int64_t> belief_size;  // [periods * 2] levels, failures at a review
    std::span<const std::int32_t> lead_start;   // [locations + 1] into `lead_chance`
    std::span<const double> lead_chance;        // by location: chance to arrive by each age
    std::span<const std::int32_t> first_age;    // [locations] of the order at the start, or 0
    std::span<const double> rates;  // [replications] true rates, NaN: drawn from what is believed
};

/// The luck of one block of replications. Every draw is a function of (seed, replication, period,
/// location), so policies meet the same.
class LuckBlock {
  public:
    LuckBlock(const Law& law, bool with_belief)
        : law_{law},
          failures_(std::size_t(law.periods) * law.num_sites * lanes),
          lead_(std::size_t(law.periods) * law.num_locations * lanes),
          first_lead_(std::size_t(law.num_locations) * lanes),
          belief_(with_belief ? std::size_t(law.periods) * lanes : 0) {}

    /// Draws replications first .. first + lanes - 1.
    void draw(std::uint64_t seed, std::int64_t first) {
        key_ = philox_key(seed);
        for (int l = 0; l < lanes; ++l) draw_lane(first + l, l);
    }

    [[nodiscard]] Luck luck() const {
        return {failures_.data(), lead_.data(), first_lead_.data(),
                belief_.empty() ? nullptr : belief_.data()};
    }

  private:
    /// Uniform draws of one replication and period.
    class Words {
      public:
        Words(PhiloxKey key, std::uint32_t replication, std::uint32_t period)
            : key_{key}, replication_{replication}, period_{period} {}
        double uniform(std::uint32_t number) {
            if (number / 4 != block_) {
                block_ = number / 4;
                words_ =
                    philox4x32(draw_counter(replication_, period_, block_, Stream::nature), key_);
            }
            return (words_[number % 4] + 0.5) * 0x1p-32;
        }

      private:
        PhiloxKey key_;
        std::uint32_t replication_, period_, block_ = ~0u;
        PhiloxCounter words_{};
    };

    void draw_lane(std::int64_t replication, int l) {
        const auto number = static_cast<std::uint32_t>(replication);
        const bool known = replication < std::int64_t(law_.rates.size());
        const double rate = known ? law_.rates[replication] : std::nan("");
        bins_.assign(law_.first_bin.begin(), law_.first_bin.end());
        failures_so_far_ = 0, level_ = 0;
        draw_first_leads(number, l);
        for (std::int32_t t = 0; t < law_.periods; ++t) {
            Words words{key_, number, static_cast<std::uint32_t>(t)};
            if (!belief_.empty()) belief_[std::size_t(t) * lanes + l] = belief(t);
            for (std::int32_t s = 0; s < law_.num_sites; ++s) {
                const auto d = fail(t, s, rate, words.uniform(std::uint32_t(s)));
                failures_[(std::size_t(t) * law_.num_sites + s) * lanes + l] =
                    static_cast<std::uint16_t>(d);
            }
            for (std::int32_t i = 0; i < law_.num_locations; ++i)
                lead_[(std::size_t(t) * law_.num_locations + i) * lanes + l] =
                    static_cast<std::uint16_t>(lead_time(i, 0, words));
        }
    }

    /// Periods until the order at the start arrives; beyond the horizon if there is none.
    void draw_first_leads(std::uint32_t replication, int l) {
        Words words{key_, replication, ~0u};
        for (std::int32_t i = 0; i < law_.num_locations; ++i) {
            const auto age = law_.first_age[i];
            first_lead_[std::size_t(i) * lanes + l] =
                static_cast<std::uint16_t>(age > 0 ? lead_time(i, age, words) - age : 0xFFFF);
        }
    }

    /// The age at which an order arrives that has not by `age`.
    std::int32_t lead_time(std::int32_t i, std::int32_t age, Words& words) const {
        const auto* by_age = law_.lead_chance.data() + law_.lead_start[i];
        const auto longest = law_.lead_start[i + 1] - law_.lead_start[i] - 1;
        if (age >= longest || (age == 0 && longest > 0 && by_age[longest - 1] == 0.0))
            return longest;
        const double before = age > 0 ? by_age[age - 1] : 0.0;
        const double u = before + (1.0 - before) * words.uniform(std::uint32_t(law_.num_sites + i));
        auto found = age;
        while (found < longest && u >= by_age[found]) ++found;
        return found;
    }

    /// Failures of site s in period t; age, exposure and failures so far go on.
    std::int32_t fail(std::int32_t t, std::int32_t s, double rate, double u) {
        const auto cell = std::size_t(t) * law_.num_sites + s;
        auto& bin = bins_[s];
        const auto bins = law_.bin_start[s + 1] - law_.bin_start[s];
        const double e = law_.exposure[cell] * law_.multiplier[law_.bin_start[s] + bin];
        const auto levels = law_.level_start[cell + 1] - law_.level_start[cell];
        const double b = law_.level_rate[law_.level_start[cell] + level_];
        const auto d = std::isnan(rate) ? predicted(law_.shape + failures_so_far_, b, e, u)
                                        : poisson(rate * e, u);
        level_ = law_.level_next[law_.next_start[cell] + bin * levels + level_];
        failures_so_far_ = std::min(failures_so_far_ + d, law_.most_failures);
        bin = d > 0 ? 0 : std::min(bin + 1, bins - 1);
        return d;
    }

    /// Negative binomial with shape a and success probability b / (b + e), the rest at `truncate`.
    std::int32_t predicted(double a, double b, double e, double u) const {
        const double share = e / (b + e);
        double chance = std::exp(-a * std::log1p(e / b)), reached = chance;
        std::int32_t d = 0;
        for (; d < law_.truncate && u >= reached; ++d) {
            chance *= (a + d) / (d + 1.0) * share;
            reached += chance;
        }
        return d;
    }

    std::int32_t poisson(double mean, double u) const {
        double chance = std::exp(-mean), reached = chance;
        std::int32_t d = 0;
        for (; d < law_.truncate && u >= reached; ++d) {
            chance *= mean / (d + 1.0);
            reached += chance;
        }
        return d;
    }

    /// Number of the belief state at a review: ages, exposure so far, failures so far, C order.
    std::int64_t belief(std::int32_t t) const {
        std::int64_t at = 0;
        for (std::int32_t s = 0; s < law_.num_sites; ++s)
            at = at * (law_.bin_start[s + 1] - law_.bin_start[s]) + bins_[s];
        at = at * law_.belief_size[2 * t] + level_;
        return at * law_.belief_size[2 * t + 1] + failures_so_far_;
    }

    const Law& law_;
    PhiloxKey key_{};
    std::vector<std::uint16_t> failures_, lead_, first_lead_;
    std::vector<std::int64_t> belief_;
    std::vector<std::int32_t> bins_;
    std::int32_t failures_so_far_ = 0, level_ = 0;
};

}  // namespace sparing::network
