#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "forward_program.hpp"
#include "network_kernels.hpp"
#include "typed_counts.hpp"

namespace sparing {

inline std::size_t padded(std::size_t size, std::size_t unit) {
    return (size + unit - 1) / unit * unit;
}

/// One layer; columns behind `width` are 0. The weight of the first is used on counts alone, as
/// inputs that are 0 or 1 are looked up.
struct NetworkLayer {
    std::size_t inputs = 0, width = 0;
    std::vector<float> weight, bias;   // [inputs, padded], [padded]
    std::vector<float> scale, offset;  // [padded], or empty without normalisation
};

struct Network {
    std::vector<float> rows;           // [features, padded width of the first layer]
    std::vector<NetworkLayer> layers;  // hidden ones, then the head with one output a choice
};

/// What an alternative needs: the combination of coordinates must be allowed.
struct NetworkCheck {
    std::vector<Read> reads;
    std::vector<std::uint8_t> alive;
};

/// Where a choice is met. Rows of a Decision and of a joint choice are found by `reads`; that of a
/// Branch is the bit mask of the alternatives whose checks hold.
struct NetworkPoint {
    std::vector<Read> reads;
    std::vector<std::int64_t> indptr;  // [rows + 1]
    std::vector<std::int32_t> choice;  // [entries] allowed, by rising number
    std::vector<std::int64_t> entry;   // [entries] of the node's table, or alternatives
    std::vector<float> base;           // [padded]: bias and the features of the point
    std::vector<std::pair<std::int32_t, std::int32_t>> lookups;  // (slot, network row of its 0)
    std::vector<std::vector<NetworkCheck>> checks;               // per alternative
    std::vector<std::int32_t> to;  // joint choices: [entries, end axes] coordinates
    std::vector<double> costs;     // joint choices: [kinds, entries]
};

/// A network and where it is asked: at the nodes by id, or jointly at each stage.
struct NetworkPolicy {
    Network network;
    bool joint = false;
    std::vector<NetworkPoint> points;   // by node id, or by stage
    std::optional<TypedCounts> counts;  // what the network sees, if not coordinates one-hot
};

/// Asks a network, many lanes at a time; holds the scratch of one thread.
class NetworkChooser {
  public:
    explicit NetworkChooser(const NetworkPolicy& policy)
        : policy_(&policy), network_(&policy.network), kernels_(&network_kernels()) {
        std::size_t widest = 0;
        for (const NetworkLayer& layer : network_->layers)
            widest = std::max({widest, layer.inputs, layer.bias.size()});
        x_.resize(batch * widest);
        y_.resize(batch * widest);
        if (policy.counts) observer_.emplace(*policy.counts);
    }

    /// picked[i]: the position in the rows of point `place` of the cheapest allowed choice of lane
    /// who[i], whose row is rows[i] (ties: the lowest choice). coords[s * step + l] is slot s of
    /// lane l.
    void choose(std::size_t place, std::span<const std::uint32_t> who, const std::int64_t* rows,
                const std::int32_t* coords, std::size_t step, std::int64_t* picked) {
        const NetworkPoint& point = policy_->points[place];
        for (std::size_t first = 0; first < who.size(); first += batch) {
            const std::size_t count = std::min(batch, who.size() - first);
            if (observer_)
                observe(place, who.subspan(first, count), coords, step);
            else
                look_up(point, who.subspan(first, count), coords, step);
            const std::size_t pitch = run(count);
            for (std::size_t i = 0; i < count; ++i)
                picked[first + i] = cheapest(point, rows[first + i], x_.data() + i * pitch);
        }
    }

  private:
    static constexpr std::size_t batch = 4 * network_lanes;

    /// The first layer's sums into x_.
    void look_up(const NetworkPoint& point, std::span<const std::uint32_t> who,
                 const std::int32_t* coords, std::size_t step) {
        index_.resize(who.size() * point.lookups.size());
        std::size_t at = 0;
        for (const std::uint32_t lane : who)
            for (const auto& [slot, row] : point.lookups)
                index_[at++] = row + coords[static_cast<std::size_t>(slot) * step + lane];
        kernels_->row_sum({network_->rows.data(), point.base.data(), index_.data(),
                           point.lookups.size(), network_->layers.front().bias.size(), who.size(),
                           x_.data()});
    }

    /// The same where the network sees counts.
    void observe(std::size_t place, std::span<const std::uint32_t> who, const std::int32_t* coords,
                 std::size_t step) {
        const NetworkLayer& first = network_->layers.front();
        observer_->observe(policy_->counts->points[place], who, coords, step, y_.data());
        kernels_->dense({y_.data(), first.weight.data(), first.bias.data(), first.inputs,
                         first.inputs, first.bias.size(), who.size(), x_.data()});
    }

    /// From the first layer's sums to the values [lanes, pitch] of all choices, in x_; returns the
    /// pitch.
    std::size_t run(std::size_t count) {
        std::size_t pitch = network_->layers.front().bias.size();
        for (std::size_t n = 1; n < network_->layers.size(); ++n) {
            const NetworkLayer &before = network_->layers[n - 1], &layer = network_->layers[n];
            kernels_->activate({x_.data(), before.scale.empty() ? nullptr : before.scale.data(),
                                before.offset.data(), before.width, pitch, count});
            const std::size_t width = layer.bias.size();
            kernels_->dense({x_.data(), layer.weight.data(), layer.bias.data(), layer.inputs, pitch,
                             width, count, y_.data()});
            x_.swap(y_);
            pitch = width;
        }
        return pitch;
    }

    static std::int64_t cheapest(const NetworkPoint& point, std::int64_t row, const float* values) {
        auto best = point.indptr[static_cast<std::size_t>(row)];
        const auto end = point.indptr[static_cast<std::size_t>(row) + 1];
        const auto value = [&](std::int64_t at) {
            return values[point.choice[static_cast<std::size_t>(at)]];
        };
        for (auto at = best + 1; at < end; ++at)
            if (value(at) < value(best)) best = at;
        return best;
    }

    const NetworkPolicy* policy_;
    const Network* network_;
    const NetworkKernels* kernels_;
    std::optional<CountsObserver> observer_;
    std::vector<std::int32_t> index_;  // [lanes, lookups]
    std::vector<float> x_, y_;
};

}  // namespace sparing
