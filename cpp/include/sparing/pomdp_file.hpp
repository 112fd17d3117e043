#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sparing::pomdp {

/// What is wrong with a file: "line 7: ...".
struct SyntaxError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The file asks for more memory than it may have.
struct TooLarge : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Rows of probabilities; row a * S + s, columns rise within a row, no zeros are stored.
struct Rows {
    std::vector<std::int64_t> indptr;  // [A * S + 1]
    std::vector<std::int32_t> column;  // [nnz]
    std::vector<double> probability;   // [nnz] each row sums to one
};

/// A model in the format of Cassandra's pomdp-solve, as it is meant.
struct File {
    double discount = 0.0;
    bool is_reward = true;  // false: the values are costs
    std::vector<std::string> states, actions, observations;
    bool named[3] = {false, false, false};  // states, actions, observations; else numbers
    std::vector<double> start;              // [S]
    Rows transition, observation;           // observation: row a * S + next state
    std::vector<double> value;              // [A * S] expected over next states and observations
    double row_error = 0.0;                 // the largest |sum of a row - 1| before rows are scaled
};

/// Reads the whole text, or throws SyntaxError or TooLarge. Sums of rows may be off by `tolerance`,
/// as files print few digits; they are scaled to one. At most `max_entries` entries are stored.
File read(std::string_view text, double tolerance, std::uint64_t max_entries);

}  // namespace sparing::pomdp
