#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <vector>

#include "sparing/separable.hpp"

namespace sparing {

/// An axis as the loops see it: neighbours with few states are multiplied out into one, as two
/// tables of two states cost as much as the one of four that they make.
struct MergedAxis {
    std::size_t size;
    std::size_t originals;                 // how many axes of the problem it stands for
    std::vector<double> chance, decision;  // empty: identity
};
std::vector<MergedAxis> merge_axes(const SeparableProblem& problem);

/// What the tables of an operation let a kernel leave out: entries on one side of the diagonals,
/// and those on them.
struct Pattern {
    Shape shape;
    bool idle;
};

/// A table (or a pair of tables on adjacent axes) of a group of axes.
template <class T>
struct Operation {
    using Step = typename SeparableKernels<T>::Step;
    Step run;
    // null where there is none:
    Step end;    // finishes or commits as well
    Step turn;   // from rows or to rows
    Step chain;  // goes on with an operation of the other rule
    const T *first, *second;
    std::size_t n1, n2, outer, below;
    Pattern pattern;
};

/// Whether `from` has a kernel that goes on with `to`, of rule `to_rule`.
template <class T>
bool chains(const Operation<T>& from, const Operation<T>& to, Rule to_rule);

/// Adjacent axes whose rows fit the first-level cache beside a few columns.
template <class T>
struct Group {
    std::size_t rows, outer, below;  // of the region (leading or trailing axes) it is part of
    std::vector<Operation<T>> expect, minimise;
};

/// All tables in T, and the groups that refer to them.
template <class T>
class GroupBuilder {
  public:
    GroupBuilder(const SeparableKernels<T>& kernels, const std::vector<MergedAxis>& axes)
        : kernels_(kernels), axes_(axes) {}

    /// Groups of at most `limit` rows for axes [begin, end), as few and as even as possible;
    /// one of a single row if there is no axis.
    std::vector<Group<T>> groups(std::size_t begin, std::size_t end, std::size_t limit);
    Group<T> group(std::size_t begin, std::size_t end);
    const T* table(std::size_t axis, Rule rule);

  private:
    std::vector<std::size_t> cuts(std::size_t begin, std::size_t end, std::size_t limit) const;
    std::vector<Operation<T>> operations(std::size_t begin, std::size_t end, Rule rule);
    bool present(std::size_t axis, Rule rule) const;

    const SeparableKernels<T>& kernels_;
    const std::vector<MergedAxis>& axes_;
    std::deque<std::vector<T>> tables_;
};

/// Which merged axes are leading, and the sizes that follow.
struct Split {
    std::size_t lead, mid;        // merged axes [0, lead), [lead, mid), [mid, N)
    std::size_t rows, cols;       // of the tensor as leading x trailing
    std::size_t mid_rows, inner;  // cols = mid_rows x inner
    std::size_t tile;             // columns of a tile of the leading pass
};
Split choose_split(const std::vector<MergedAxis>& axes, std::size_t itemsize);

}  // namespace sparing
