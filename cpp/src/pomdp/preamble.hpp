#pragma once
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lexer.hpp"
#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {

constexpr double kExact = 1e-12;  // what sums to one up to this stays as it is

/// States, actions or observations: how many there are, and which number a name has.
struct Elements {
    const char *one, *many;
    std::int64_t count = 0;
    std::vector<std::string> names;
    std::unordered_map<std::string_view, std::int64_t> number;
};

/// The number of an element that is named or numbered in the file.
std::int64_t element(const char* what, const Elements& of, const Token& token);

double probability(const char* what, const Token& token);

/// Notes by how much a row of probabilities misses one in `file`; fails above the tolerance.
void note_error(File& file, double tolerance, double error, std::int64_t line,
                const std::string& where, double sum);

/// What stands before the first T, O or R of a file: sizes, names, discount, values and start.
class Preamble {
  public:
    Preamble(Lexer& lexer, File& file, double tolerance)
        : lexer_(lexer), file_(file), tolerance_(tolerance) {}

    /// Reads the statement that begins with `token`; false if it is none of the preamble's.
    bool read(const Token& token);
    /// Fails unless all that is needed is there; `line` is that of what comes next.
    void check_complete(std::int64_t line) const;
    /// Makes the start the probabilities `file.start`.
    void resolve_start();

    Elements states{"state", "states", 0, {}, {}}, actions{"action", "actions", 0, {}, {}},
        observations{"observation", "observations", 0, {}, {}};

  private:
    Lexer& lexer_;
    File& file_;
    double tolerance_;
    bool has_discount_ = false;
    std::string_view start_kind_;  // "", ":", "include" or "exclude"
    std::vector<Token> start_;
    std::int64_t start_line_ = 0;

    bool at_statement() const;
    void discount();
    void values();
    void elements(Elements& of);
    void start(std::int64_t line);
    void start_probabilities(std::vector<double>& start);
};

bool is_reserved(std::string_view word);

}  // namespace sparing::pomdp
