#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sparing {

/// A component as a network on counts sees it.
struct CountedComponent {
    std::int32_t slot;
    std::size_t type;
    std::vector<float> working, survival;  // [states]: works now; chance to work after the wear
};

/// A node of the structure: its parts are components and nodes before this one.
struct CountedNode {
    std::size_t required;
    std::vector<std::size_t> components, nodes;

    std::size_t num_parts() const { return components.size() + nodes.size(); }
};

/// What is decided at a point: a component, or (-1) something else, and the sort of choice.
struct CountedPoint {
    std::int32_t component = -1;
    std::size_t sort = 0;
};

/// What sparing.learn.typed_counts shows a network: the sort of choice; type and state of the
/// component that is decided; the share of each type in each state, of those decided and of those
/// still to be decided; and four margins per node of the structure.
struct TypedCounts {
    std::size_t num_sorts = 0, num_states = 0;
    std::size_t exact_parts = 0;  // up to which the number of working parts has its exact law
    std::vector<float> share;     // [types]: 1 / number of components
    std::vector<CountedComponent> components;
    std::vector<CountedNode> nodes;    // parts before what holds them
    std::vector<CountedPoint> points;  // by place of the network's points

    std::size_t width() const { return share.size() * num_states; }  // of one table of shares
    std::size_t num_features() const { return num_sorts + 3 * width() + 4 * nodes.size(); }
};

/// Fills observations; holds the scratch of one thread.
class CountsObserver {
  public:
    explicit CountsObserver(const TypedCounts& counts)
        : counts_(&counts),
          states_(counts.components.size()),
          up_(counts.nodes.size()),
          will_(counts.nodes.size()) {
        std::size_t most = 0;
        for (const CountedNode& node : counts.nodes) most = std::max(most, node.num_parts());
        reached_.resize(most + 1);
    }

    /// x [lanes, num_features] of the lanes `who`; slot s of lane l is coords[s * step + l].
    void observe(const CountedPoint& point, std::span<const std::uint32_t> who,
                 const std::int32_t* coords, std::size_t step, float* x) {
        const std::size_t size = counts_->num_features(), margins = 4 * counts_->nodes.size();
        for (const std::uint32_t lane : who) {
            for (std::size_t n = 0; n < states_.size(); ++n)
                states_[n] = static_cast<std::size_t>(
                    coords[static_cast<std::size_t>(counts_->components[n].slot) * step + lane]);
            std::fill_n(x, size, 0.0f);
            x[point.sort] = 1.0f;
            add_shares(point, x + counts_->num_sorts);
            for (std::size_t n = 0; n < counts_->nodes.size(); ++n)
                add_margins(n, x + size - margins + 4 * n);
            x += size;
        }
    }

  private:
    void add_shares(const CountedPoint& point, float* now) const {
        const std::size_t width = counts_->width(), states = counts_->num_states;
        float *const decided = now + width, *const open = decided + width;
        const auto at = static_cast<std::size_t>(std::max(point.component, 0));
        for (std::size_t n = 0; n < states_.size(); ++n)
            (n < at ? decided : open)[counts_->components[n].type * states + states_[n]] += 1.0f;
        for (std::size_t i = 0; i < width; ++i) {
            decided[i] *= counts_->share[i / states];
            open[i] *= counts_->share[i / states];
        }
        if (point.component >= 0) now[counts_->components[at].type * states + states_[at]] = 1.0f;
    }

    /// Working parts beyond those required, whether the node works, the chance that it will, and
    /// how many standard deviations that is from failing.
    void add_margins(std::size_t number, float* margins) {
        const CountedNode& node = counts_->nodes[number];
        const auto size = static_cast<float>(node.num_parts());
        const auto required = static_cast<float>(node.required);
        float up = 0.0f, mean = 0.0f, variance = 0.0f;
        each_part(node, [&](float works, float p) {
            up += works, mean += p, variance += p * (1.0f - p);
        });
        const float distance = (mean - required + 0.5f) / std::sqrt(variance + 0.05f);
        up_[number] = up >= required ? 1.0f : 0.0f;
        will_[number] = node.num_parts() <= counts_->exact_parts
                            ? at_least(node)
                            : 0.5f * std::erfc(-distance * 0.70710678f);
        margins[0] = (up - required) / size;
        margins[1] = up_[number];
        margins[2] = will_[number];
        margins[3] = std::clamp(0.5f * distance, -2.0f, 2.0f);
    }

    template <class Use>
    void each_part(const CountedNode& node, const Use& use) const {
        for (const std::size_t n : node.components) {
            const CountedComponent& component = counts_->components[n];
            use(component.working[states_[n]], component.survival[states_[n]]);
        }
        for (const std::size_t n : node.nodes) use(up_[n], will_[n]);
    }

    /// The chance that as many parts as required work.
    float at_least(const CountedNode& node) {
        float* const reached = reached_.data();
        std::size_t count = 0;
        reached[0] = 1.0f;
        each_part(node, [&](float, float p) {
            reached[count + 1] = 0.0f;
            for (std::size_t k = ++count; k > 0; --k)
                reached[k] = reached[k] * (1.0f - p) + reached[k - 1] * p;
            reached[0] *= 1.0f - p;
        });
        float sum = 0.0f;
        for (std::size_t k = node.required; k <= count; ++k) sum += reached[k];
        return sum;
    }

    const TypedCounts* counts_;
    std::vector<std::size_t> states_;  // [components] of one lane
    std::vector<float> up_, will_;     // [nodes]
    std::vector<float> reached_;       // [parts + 1]
};

}  // namespace sparing
