#pragma once
#include <vector>

#include "sparing/pomdp_model.hpp"

namespace sparing::pomdp {

/// Vectors [A][S] that bound the optimal value from below (blind policies: always the same action)
/// or from above (fast informed bound: the value is at most the largest of the A products).
using ActionVectors = std::vector<std::vector<double>>;

/// Values of the A blind policies (Hauskrecht 2000, sec. 4.2), from the floor up.
ActionVectors blind_policies(const Model& model, double tolerance, int num_threads);

/// The fast informed bound (Hauskrecht 2000, sec. 4.1.3), from the value of the fully observed
/// process down, which is found first, from the ceiling down.
ActionVectors fast_informed_bound(const Model& model, double tolerance, int num_threads);

}  // namespace sparing::pomdp
