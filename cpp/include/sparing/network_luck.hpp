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
    double shape;                // of the Gamma belief; its rate b is in `decay` and `share`
    std::int32_t truncate;       // failures of a site in a period count up to this
    std::int32_t most_failures;  // values of the failures so far are capped at this
    std::int32_t num_sites, num_locations, periods;
    std::span<const double> exposure;           // [periods * sites]
    std::span<const std::int32_t> bin_start;    // [sites + 1] into `multiplier`
    std::span<const std::int32_t> multiplier;   // by site and age bin
    std::span<const std::int32_t> first_bin;    // [sites]
    std::span<const std::int32_t> num_levels;   // [periods * sites] values of exposure so far
    std::span<const std::int64_t> next_start;   // [periods * sites] into the next three
    std::span<const std::int32_t> level_next;   // [bins, levels] where the exposure so far goes
    std::span<const double> decay, share;       // [bins, levels] log(1 + e / b) and e / (b + e)
    std::span<const std::int64_t> belief_size;  // [periods * 2] levels, failures at a review
    std::span<const std::int32_t> lead_start;   // [locations + 1] into `lead_chance`
    std::span<const double> lead_chance;        // by location: chance to arrive by each age
    std::span<const std::int32_t> first_age;    // [locations] of the order at the start, or 0
    std::span<const double> rates;  // [replications] true rates, NaN: drawn from what is believed
    std::span<const std::int32_t> given;  // [periods * sites] failures that came, or empty: drawn
};

/// Thresholds below which a word means no failure, for the first few counts of failures so far:
/// most draws then need no exponential. Empty where there would be too many.
class QuietTable {
  public:
    static constexpr std::int32_t counts = 256;
    static constexpr std::size_t largest = 1 << 21;

    explicit QuietTable(const Law& law) {
        if (law.decay.size() * counts > largest) return;
        thresholds_.reserve(law.decay.size() * counts);
        for (const double decay : law.decay) {
            const double next = std::exp(-decay);
            double chance = std::exp(-law.shape * decay) * 0x1p32;
            for (std::int32_t n = 0; n < counts; ++n, chance *= next)
                thresholds_.push_back(static_cast<std::uint32_t>(
                    std::clamp(std::ceil(chance - 0.5), 0.0, 0x1p32 - 1.0)));
        }
    }

    [[nodiscard]] bool is_quiet(std::int64_t at, std::int32_t seen, std::uint32_t word) const {
        return seen < counts && !thresholds_.empty() &&
               word < thresholds_[std::size_t(at) * counts + std::size_t(seen)];
    }

  private:
    std::vector<std::uint32_t> thresholds_;
};

/// The luck of one block of replications. Every draw is a function of (seed, replication, period,
/// location), so policies meet the same.
class LuckBlock {
  public:
    LuckBlock(const Law& law, const QuietTable& quiet, bool with_belief)
        : law_{law},
          quiet_{quiet},
          num_blocks_{static_cast<std::uint32_t>(law.num_sites + law.num_locations + 3) / 4},
          failures_(std::size_t(law.periods) * law.num_sites * lanes),
          lead_(std::size_t(law.periods) * law.num_locations * lanes),
          first_lead_(std::size_t(law.num_locations) * lanes, 0xFFFF),
          words_(std::size_t(num_blocks_) * 4 * lanes),
          belief_(with_belief ? std::size_t(law.periods) * lanes : 0) {
        for (const double chance : law.lead_chance)
            thresholds_.push_back(static_cast<std::uint32_t>(
                std::clamp(std::ceil(chance * 0x1p32 - 0.5), 0.0, 0x1p32 - 1.0)));
    }

    /// Draws replications first .. first + lanes - 1.
    void draw(std::uint64_t seed, std::int64_t first, const Kernels& kernels) {
        const auto key = philox_key(seed);
        const auto number = static_cast<std::uint32_t>(first);
        start(first);
        kernels.words(key[0], key[1], ~0u, number, num_blocks_, words_.data());
        for (std::int32_t i = 0; i < law_.num_locations; ++i)
            if (law_.first_age[i] > 0) draw_first_leads(i);
        for (std::int32_t t = 0; t < law_.periods; ++t) {
            kernels.words(key[0], key[1], static_cast<std::uint32_t>(t), number, num_blocks_,
                          words_.data());
            for (int l = 0; l < lanes && !belief_.empty(); ++l)
                belief_[std::size_t(t) * lanes + l] = belief(t, l);
            for (std::int32_t s = 0; s < law_.num_sites; ++s) fail(t, s);
            for (std::int32_t i = 0; i < law_.num_locations; ++i)
                kernels.leads(words_of(law_.num_sites + i), &thresholds_[law_.lead_start[i]],
                              longest(i),
                              &lead_[(std::size_t(t) * law_.num_locations + i) * lanes]);
        }
    }

    [[nodiscard]] Luck luck() const {
        return {failures_.data(), lead_.data(), first_lead_.data(),
                belief_.empty() ? nullptr : belief_.data()};
    }

  private:
    [[nodiscard]] const std::uint32_t* words_of(std::int32_t number) const {
        return &words_[std::size_t(number) * lanes];
    }
    [[nodiscard]] std::int32_t longest(std::int32_t i) const {
        return law_.lead_start[i + 1] - law_.lead_start[i] - 1;
    }

    void start(std::int64_t first) {
        bins_.resize(std::size_t(law_.num_sites) * lanes);
        for (std::int32_t s = 0; s < law_.num_sites; ++s)
            std::fill_n(&bins_[std::size_t(s) * lanes], lanes, law_.first_bin[s]);
        for (int l = 0; l < lanes; ++l) {
            const bool known = first + l < std::int64_t(law_.rates.size());
            rates_[l] = known ? law_.rates[first + l] : std::nan("");
            seen_[l] = level_[l] = 0;
        }
        any_rate_ = std::any_of(rates_, rates_ + lanes, [](double r) { return !std::isnan(r); });
    }

    /// Periods until the order at the start arrives, given that it has not by its age.
    void draw_first_leads(std::int32_t i) {
        const auto age = law_.first_age[i];
        const auto* by_age = law_.lead_chance.data() + law_.lead_start[i];
        const double before = by_age[age - 1];
        for (int l = 0; l < lanes; ++l) {
            const double u = before + (1.0 - before) * uniform(words_of(law_.num_sites + i)[l]);
            auto found = age;
            while (found < longest(i) && u >= by_age[found]) ++found;
            first_lead_[std::size_t(i) * lanes + l] = static_cast<std::uint16_t>(found - age);
        }
    }

    static double uniform(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

    /// Failures of site s in period t; age, exposure and failures so far go on.
    void fail(std::int32_t t, std::int32_t s) {
        const auto cell = std::size_t(t) * law_.num_sites + s;
        const auto* words = words_of(s);
        auto* const out = &failures_[cell * lanes];
        auto* const bins = &bins_[std::size_t(s) * lanes];
        const auto last_bin = law_.bin_start[s + 1] - law_.bin_start[s] - 1;
        const auto* multiplier = law_.multiplier.data() + law_.bin_start[s];
        if (last_bin == 0 && law_.num_levels[cell] == 1 && !any_rate_ && law_.given.empty())
            return fail_plainly(cell, s);
        for (int l = 0; l < lanes; ++l) {
            const auto at =
                law_.next_start[cell] + std::int64_t{bins[l]} * law_.num_levels[cell] + level_[l];
            std::int32_t d = 0;
            if (!law_.given.empty())
                d = law_.given[cell];
            else if (!std::isnan(rates_[l]))
                d = poisson(rates_[l] * law_.exposure[cell] * multiplier[bins[l]],
                            uniform(words[l]));
            else if (!quiet_.is_quiet(at, seen_[l], words[l]))
                d = predicted(law_.shape + seen_[l], at, uniform(words[l]));
            level_[l] = law_.level_next[at];
            seen_[l] = std::min(seen_[l] + std::min(d, law_.truncate), law_.most_failures);
            bins[l] = d > 0 ? 0 : std::min(bins[l] + 1, last_bin);
            out[l] = static_cast<std::uint16_t>(d);
        }
    }

    /// The same where neither ages nor exposures differ: all lanes at once, then those with
    /// failures.
    void fail_plainly(std::size_t cell, std::int32_t s) {
        const auto* words = words_of(s);
        const auto at = law_.next_start[cell];
        auto* const out = &failures_[cell * lanes];
        std::fill_n(out, lanes, std::uint16_t{0});
        for (int l = 0; l < lanes; ++l) {
            if (quiet_.is_quiet(at, seen_[l], words[l])) continue;
            const auto d = predicted(law_.shape + seen_[l], at, uniform(words[l]));
            seen_[l] = std::min(seen_[l] + d, law_.most_failures);
            out[l] = static_cast<std::uint16_t>(d);
        }
    }

    /// Negative binomial with shape a and failure share e / (b + e), the rest at `truncate`.
    [[nodiscard]] std::int32_t predicted(double a, std::int64_t at, double u) const {
        double chance = std::exp(-a * law_.decay[at]), reached = chance;
        std::int32_t d = 0;
        for (; d < law_.truncate && u >= reached; ++d) {
            chance *= (a + d) / (d + 1.0) * law_.share[at];
            reached += chance;
        }
        return d;
    }

    [[nodiscard]] std::int32_t poisson(double mean, double u) const {
        double chance = std::exp(-mean), reached = chance;
        std::int32_t d = 0;
        for (; d < law_.truncate && u >= reached; ++d) {
            chance *= mean / (d + 1.0);
            reached += chance;
        }
        return d;
    }

    /// Number of the belief state at a review: ages, exposure so far, failures so far, C order.
    [[nodiscard]] std::int64_t belief(std::int32_t t, int l) const {
        std::int64_t at = 0;
        for (std::int32_t s = 0; s < law_.num_sites; ++s)
            at = at * (law_.bin_start[s + 1] - law_.bin_start[s]) +
                 bins_[std::size_t(s) * lanes + l];
        at = at * law_.belief_size[2 * t] + level_[l];
        return at * law_.belief_size[2 * t + 1] + seen_[l];
    }

    const Law& law_;
    const QuietTable& quiet_;
    std::uint32_t num_blocks_;
    std::vector<std::uint16_t> failures_, lead_, first_lead_;
    std::vector<std::uint32_t> words_, thresholds_;
    std::vector<std::int64_t> belief_;
    std::vector<std::int32_t> bins_;  // [sites, lanes]
    std::int32_t seen_[lanes] = {}, level_[lanes] = {};
    double rates_[lanes] = {};
    bool any_rate_ = false;
};

}  // namespace sparing::network
