#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "sparing/pomdp_kernels.hpp"

namespace sparing::pomdp {

/// Numbers [count, n] kept as chunks [n, kLanes]: the loops run over vectors, so that a belief
/// needs only the rows in which it is not zero.
class LaneTable {
  public:
    LaneTable(std::int64_t size, double empty) : size_(size), empty_(empty) {}
    std::int64_t count() const { return count_; }
    std::int64_t num_chunks() const { return static_cast<std::int64_t>(chunks_.size()); }
    const double* chunk(std::int64_t c) const {
        return chunks_[static_cast<std::size_t>(c)].data();
    }
    double& at(std::int64_t lane, std::int64_t row) {
        return chunks_[static_cast<std::size_t>(lane / kLanes)]
                      [static_cast<std::size_t>(row * kLanes + lane % kLanes)];
    }
    double at(std::int64_t lane, std::int64_t row) const {
        return chunks_[static_cast<std::size_t>(lane / kLanes)]
                      [static_cast<std::size_t>(row * kLanes + lane % kLanes)];
    }
    /// Adds a vector of `empty`.
    std::int64_t push() {
        if (count_ % kLanes == 0)
            chunks_.emplace_back(static_cast<std::size_t>(size_ * kLanes), empty_);
        return count_++;
    }
    /// Keeps the lanes that `keep` marks, in their order.
    void compact(const std::vector<char>& keep) {
        std::int64_t to = 0;
        for (std::int64_t from = 0; from < count_; ++from) {
            if (!keep[static_cast<std::size_t>(from)]) continue;
            if (to != from)
                for (std::int64_t row = 0; row < size_; ++row) at(to, row) = at(from, row);
            ++to;
        }
        count_ = to;
        chunks_.resize(static_cast<std::size_t>((to + kLanes - 1) / kLanes));
        for (std::int64_t lane = to; lane < num_chunks() * kLanes; ++lane)
            for (std::int64_t row = 0; row < size_; ++row) at(lane, row) = empty_;
    }

  private:
    std::int64_t size_, count_ = 0;
    double empty_;
    std::vector<std::vector<double>> chunks_;
};

/// Alpha vectors of one domain: each bounds the optimal value from below.
struct AlphaList {
    explicit AlphaList(std::int64_t n) : values(n, 0.0) {}
    LaneTable values;                       // [count, n]
    std::vector<std::vector<double>> rows;  // the same, each vector in one piece
    std::vector<std::int32_t> action;       // [count]
    std::int32_t usual = 0;  // the one that is best where all states are equally likely
    double usual_sum = -std::numeric_limits<double>::infinity();
    std::int64_t prune_at = 128;

    std::int32_t add(const std::vector<double>& alpha, std::int32_t chosen) {
        const std::int64_t lane = values.push();
        double sum = 0.0;
        for (std::size_t s = 0; s < alpha.size(); ++s) {
            values.at(lane, static_cast<std::int64_t>(s)) = alpha[s];
            sum += alpha[s];
        }
        rows.push_back(alpha);
        action.push_back(chosen);
        if (sum > usual_sum) usual_sum = sum, usual = static_cast<std::int32_t>(lane);
        return static_cast<std::int32_t>(lane);
    }
};

/// Beliefs of one domain at which an upper bound of the optimal value is known.
struct PointList {
    PointList(std::int64_t n, std::int64_t num_actions)
        : inverse(n, kNever), informed(num_actions, 0.0) {}
    LaneTable inverse;          // [count, n] 1 / probability, or kNever
    LaneTable informed;         // [count, A] products with the vectors of the fast informed bound
    std::vector<double> value;  // [count] the upper bound; +inf for points that others replaced
    std::vector<std::int64_t> node;  // [count] the node whose point it is, or -1
    std::int64_t prune_at = 128;
};

}  // namespace sparing::pomdp
