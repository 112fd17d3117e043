#pragma once
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sparing/parallel.hpp"
#include "sparing/philox.hpp"

namespace sparing::load_sharing {

/// What is counted in a simulation, in the order of the columns of its totals.
enum Kind : std::size_t {
    kInspections,
    kFailures,
    kDown,
    kSetUps,
    kReplaced,
    kFailedReplaced,
    kOrders,
    kOrdered,
    kEmergency,
    kOnHand,
    kPositions,
    kEpochs,
    kDuration,
    kNumKinds
};

/// A system of single components and the table that decides for it.
struct System {
    std::int64_t size, conditions, required;
    std::span<const double> rates;          // [conditions * conditions]
    std::span<const double> speed;          // [size + 1] by components that work
    double interval;                        // between inspections
    double delivery_rate;                   // of exponential lead times, if lead_time < 0
    double lead_time;                       // of every order, if >= 0
    bool fixed_grid;                        // inspections at multiples of the interval
    double step;                            // of the remaining times that the policy is told
    std::int64_t clock_steps, lead_steps;   // 1 where the policy is told none
    std::span<const std::int64_t> keys;     // [counts] rising: counts as digits to base size + 1
    std::span<const std::int64_t> vectors;  // [counts * conditions], falling
    std::span<const std::int64_t> hand, on_order;  // [stocks]
    std::span<const std::int64_t> stock_of;        // [(capacity + 1)^2 * (lead_steps + 1)]
    std::span<const std::int64_t> posts;  // [clocks * counts * stocks] of post-decision states
    std::int64_t capacity;
};

/// Uniform draws in (0, 1), in the order asked for: a function of (seed, replication) alone.
class Draws {
  public:
    Draws(std::uint64_t seed, std::uint32_t replication)
        : key_{philox_key(seed)}, replication_{replication} {}

    double uniform() {
        if (next_ == 4) {
            words_ = philox4x32(
                {static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32),
                 replication_, static_cast<std::uint32_t>(Stream::nature)},
                key_);
            ++block_;
            next_ = 0;
        }
        const double high = words_[next_] >> 5, low = words_[next_ + 1] >> 6;
        next_ += 2;
        return (high * 67108864.0 + low + 0.5) * 0x1p-53;
    }

    double exponential(double rate) { return -std::log(uniform()) / rate; }

  private:
    PhiloxKey key_;
    std::uint32_t replication_;
    std::uint64_t block_ = 0;
    PhiloxCounter words_{};
    std::size_t next_ = 4;
};

/// One replication: components that wear one by one, orders under way, a clock.
class Replication {
  public:
    Replication(const System& system, std::uint64_t seed, std::uint32_t number, double warm_up,
                double horizon, std::span<double> totals)
        : s_{system},
          draws_{seed, number},
          warm_up_{warm_up},
          horizon_{horizon},
          totals_{totals},
          condition_(static_cast<std::size_t>(system.size), 0),
          count_(static_cast<std::size_t>(system.conditions), 0) {
        count_[0] = system.size;
        for (std::int64_t i = 0; i < s_.conditions; ++i) {
            double leave = 0.0;
            for (std::int64_t j = 0; j < s_.conditions; ++j) leave += rate(i, j);
            leave_.push_back(leave);
        }
    }

    void run() {
        inspected_ = true;
        decide();
        while (now_ < horizon_) {
            if (working() < s_.required) {  // left down: only the order can change that
                pass_to(delivery_);
                deliver();
                decide();
                continue;
            }
            double wear = 0.0;
            for (const auto c : condition_) wear += leave_[static_cast<std::size_t>(c)];
            wear *= s_.speed[static_cast<std::size_t>(working())];
            const double worn = now_ + draws_.exponential(wear);
            const double next = std::min({worn, inspection_, delivery_});
            pass_to(next);
            if (now_ >= horizon_) break;
            if (next == inspection_) {
                if (delivery_ <= inspection_) deliver();  // it came to the very moment
                inspected_ = true;
                decide();
            } else if (next == delivery_) {
                deliver();
            } else if (wear_one(); working() < s_.required) {
                count(kFailures, 1.0);
                decide();
            }
        }
    }

  private:
    double rate(std::int64_t i, std::int64_t j) const {
        return s_.rates[static_cast<std::size_t>(i * s_.conditions + j)];
    }
    std::int64_t working() const { return s_.size - count_.back(); }

    void count(Kind kind, double amount) {
        if (now_ >= warm_up_ && now_ < horizon_) totals_[kind] += amount;
    }

    /// Lets time pass: what is held, and whether the system is down, adds up inside the window.
    void pass_to(double time) {
        const double length = std::min(time, horizon_) - std::max(now_, warm_up_);
        if (length > 0.0) {
            totals_[kDuration] += length;
            totals_[kOnHand] += length * static_cast<double>(hand_);
            totals_[kPositions] += length * static_cast<double>(s_.size);
            if (working() < s_.required) totals_[kDown] += length;
        }
        now_ = time;
    }

    void deliver() {
        hand_ += on_order_;
        on_order_ = 0;
        delivery_ = std::numeric_limits<double>::infinity();
    }

    /// One component moves: which one by its rate, then where to.
    void wear_one() {
        double total = 0.0;
        for (const auto c : condition_) total += leave_[static_cast<std::size_t>(c)];
        double left = draws_.uniform() * total;
        std::size_t which = condition_.size();
        for (std::size_t i = 0; i < condition_.size(); ++i) {
            const double leave = leave_[static_cast<std::size_t>(condition_[i])];
            if (leave <= 0.0) continue;
            which = i;  // the last that can move takes what rounding leaves over
            left -= leave;
            if (left < 0.0) break;
        }
        const auto from = condition_[which];
        left = draws_.uniform() * leave_[static_cast<std::size_t>(from)];
        std::int64_t to = from;
        for (std::int64_t j = from + 1; j < s_.conditions; ++j) {
            if (rate(from, j) <= 0.0) continue;
            to = j;
            left -= rate(from, j);
            if (left < 0.0) break;
        }
        condition_[which] = to;
        --count_[static_cast<std::size_t>(from)];
        ++count_[static_cast<std::size_t>(to)];
    }

    /// A remaining time as the steps that the policy is told, at least 1.
    std::int64_t steps(double time, std::int64_t most) const {
        return std::clamp<std::int64_t>(std::llround(time / s_.step), 1, most);
    }

    /// The number of the state that the policy sees.
    std::size_t state() const {
        std::int64_t key = 0;
        for (const auto c : count_) key = key * (s_.size + 1) + c;
        const auto place = std::lower_bound(s_.keys.begin(), s_.keys.end(), key) - s_.keys.begin();
        const auto counts = static_cast<std::int64_t>(s_.keys.size()) - 1 - place;
        std::int64_t lead = 0, clock = 0;
        if (on_order_ > 0 && s_.lead_time >= 0.0) lead = steps(delivery_ - now_, s_.lead_steps);
        if (s_.fixed_grid && !inspected_)
            clock = s_.clock_steps - steps(inspection_ - now_, s_.clock_steps);
        const auto stock = s_.stock_of[static_cast<std::size_t>(
            (hand_ * (s_.capacity + 1) + on_order_) * (s_.lead_steps + 1) + lead)];
        const auto num_counts = static_cast<std::int64_t>(s_.keys.size());
        const auto num_stocks = static_cast<std::int64_t>(s_.hand.size());
        return static_cast<std::size_t>((clock * num_counts + counts) * num_stocks + stock);
    }

    /// An epoch: what the table says is done to components, in the order of their places.
    void decide() {
        if (now_ >= horizon_) return;
        count(kEpochs, 1.0);
        if (!s_.fixed_grid) {
            inspection_ = now_ + s_.interval;
        } else {
            while (grid_ * s_.interval <= now_) grid_ += 1.0;
            inspection_ = grid_ * s_.interval;
        }
        const auto num_stocks = static_cast<std::int64_t>(s_.hand.size());
        const auto post =
            s_.posts[state()] % (static_cast<std::int64_t>(s_.keys.size()) * num_stocks);
        const auto* after =
            &s_.vectors[static_cast<std::size_t>(post / num_stocks * s_.conditions)];
        const auto stock = static_cast<std::size_t>(post % num_stocks);
        std::int64_t replaced = 0, failed = 0;
        for (std::int64_t c = 1; c < s_.conditions; ++c) {
            auto todo = count_[static_cast<std::size_t>(c)] - after[c];
            assert(todo >= 0);
            replaced += todo;
            if (c + 1 == s_.conditions) failed = todo;
            for (auto& condition : condition_) {
                if (todo == 0) break;
                if (condition == c) condition = 0, --todo;
            }
        }
        for (std::int64_t c = 0; c < s_.conditions; ++c)
            count_[static_cast<std::size_t>(c)] = after[c];
        const auto ordered = s_.on_order[stock] - on_order_;
        const auto emergency = std::max<std::int64_t>(replaced - hand_, 0);
        hand_ = s_.hand[stock];
        count(kSetUps, replaced > 0 ? 1.0 : 0.0);
        count(kReplaced, static_cast<double>(replaced));
        count(kFailedReplaced, static_cast<double>(failed));
        count(kEmergency, static_cast<double>(emergency));
        if (ordered > 0) {
            on_order_ += ordered;
            count(kOrders, 1.0);
            count(kOrdered, static_cast<double>(ordered));
            delivery_ =
                now_ + (s_.lead_time >= 0.0 ? s_.lead_time : draws_.exponential(s_.delivery_rate));
        }
        if (working() >= s_.required) count(kInspections, 1.0);
        inspected_ = false;
    }

    const System& s_;
    Draws draws_;
    double warm_up_, horizon_;
    std::span<double> totals_;
    std::vector<std::int64_t> condition_;  // [size] of each component
    std::vector<std::int64_t> count_;      // [conditions]
    std::vector<double> leave_;            // [conditions] rate of leaving each
    std::int64_t hand_ = 0, on_order_ = 0;
    double now_ = 0.0, inspection_ = 0.0, grid_ = 0.0;
    double delivery_ = std::numeric_limits<double>::infinity();
    bool inspected_ = true;
};

/// Runs replications [0, R) from all new and no spares, each for itself; adds to totals
/// [R * kNumKinds] what happens from `warm_up` to `horizon`. The same for any number of threads.
inline void simulate(const System& system, std::uint64_t seed, double warm_up, double horizon,
                     std::span<double> totals, int num_threads) {
    const auto replications = static_cast<std::int64_t>(totals.size() / kNumKinds);
    parallel_for(replications, std::numeric_limits<std::int64_t>::max(), num_threads,
                 [&](std::int64_t number) {
                     const auto row =
                         totals.subspan(static_cast<std::size_t>(number) * kNumKinds, kNumKinds);
                     Replication(system, seed, static_cast<std::uint32_t>(number), warm_up, horizon,
                                 row)
                         .run();
                 });
}

}  // namespace sparing::load_sharing
