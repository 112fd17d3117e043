#pragma once
#include <cmath>
#include <limits>

namespace sparing {

/// (+, x): an entry's weight is a probability; a row starts at its expected cost.
struct PlusTimes {
    template <class T>
    static T include(T sum, T probability, T value) {
        return std::fma(probability, value, sum);
    }
};

/// (min, +): an entry's weight is a cost; a row starts at +inf.
struct MinPlus {
    template <class T>
    static T include(T best, T cost, T value) {
        const T path = cost + value;
        return path < best ? path : best;
    }
};

}  // namespace sparing
