#include <algorithm>
#include <cmath>
#include <memory>

#include "preamble.hpp"
#include "reward_rules.hpp"
#include "row_log.hpp"
#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {
namespace {

constexpr std::int64_t kMaxRows = (std::int64_t{1} << 32) - 1;

struct Range {
    std::int64_t first, last;
};

class Reader {
  public:
    Reader(std::string_view text, double tolerance, std::uint64_t max_entries)
        : lexer_(text),
          tolerance_(tolerance),
          max_entries_(max_entries),
          preamble_(lexer_, file_, tolerance) {}

    File read() {
        while (!lexer_.done()) statement();
        if (!transition_) begin_tables(lexer_.peek().line);
        file_.transition = transition_->rows();
        scale("T", *transition_, file_.transition, "from state");
        file_.observation = observation_->rows();
        scale("O", *observation_, file_.observation, "in next state");
        file_.value = rewards_->expected(actions_.count, states_.count, observations_.count,
                                         file_.transition, file_.observation);
        take_names(states_, file_.states, file_.named[0]);
        take_names(actions_, file_.actions, file_.named[1]);
        take_names(observations_, file_.observations, file_.named[2]);
        return std::move(file_);
    }

  private:
    Lexer lexer_;
    double tolerance_;
    std::uint64_t max_entries_;
    File file_;
    Preamble preamble_;
    const Elements &states_ = preamble_.states, &actions_ = preamble_.actions,
                   &observations_ = preamble_.observations;
    std::unique_ptr<RowLog> transition_, observation_;  // made once the preamble is over
    std::unique_ptr<RewardRules> rewards_;

    static void take_names(const Elements& elements, std::vector<std::string>& out, bool& named) {
        named = !elements.names.empty();
        out = elements.names;
        if (!named) out.resize(static_cast<std::size_t>(elements.count));
    }

    void statement() {
        const Token token = lexer_.next();
        const auto word = token.text;
        if (word == "T" || word == "O" || word == "R") {
            if (!transition_) begin_tables(token.line);
            lexer_.expect_colon(word);
            if (word == "T") return probabilities("T", *transition_, states_, token.line);
            if (word == "O") return probabilities("O", *observation_, observations_, token.line);
            return reward(token.line);
        }
        if (transition_ && !is_reserved(word))
            fail(token.line, "expected T, O or R; got " + shown(word) + ".");
        if (transition_) fail(token.line, shown(word) + " must stand before the first T, O or R.");
        if (preamble_.read(token)) return;
        fail(token.line,
             "expected discount, values, states, actions, observations, start, T, O or R; got " +
                 shown(word) + ".");
    }

    /// The preamble is over: all that is needed must be there.
    void begin_tables(std::int64_t line) {
        preamble_.check_complete(line);
        const double rows =
            static_cast<double>(states_.count) * static_cast<double>(actions_.count);
        if (rows > static_cast<double>(std::min<std::uint64_t>(max_entries_, kMaxRows)))
            throw TooLarge(std::to_string(states_.count) + " states and " +
                           std::to_string(actions_.count) + " actions do not fit into memory");
        preamble_.resolve_start();
        transition_ = std::make_unique<RowLog>(states_.count * actions_.count, max_entries_);
        observation_ = std::make_unique<RowLog>(states_.count * actions_.count, max_entries_);
        rewards_ = std::make_unique<RewardRules>(max_entries_);
    }

    /// One element, or all of them by a star.
    Range range(const char* what, const Elements& of) {
        const Token token = lexer_.next();
        if (token.text == "*") return {0, of.count};
        const std::int64_t number = element(what, of, token);
        return {number, number + 1};
    }

    bool colon_follows() {
        if (lexer_.peek().text != ":") return false;
        lexer_.next();
        return true;
    }

    bool keyword_follows(std::string_view word) {
        if (lexer_.peek().text != word) return false;
        lexer_.next();
        return true;
    }

    template <class Body>
    void for_rows(Range actions, Range states, const Body& body) const {
        for (auto a = actions.first; a < actions.last; ++a)
            for (auto s = states.first; s < states.last; ++s) body(a * states_.count + s);
    }

    /// T or O: of an action a table, of an action and a state a row, or a single entry.
    void probabilities(const char* what, RowLog& log, const Elements& columns, std::int64_t line) {
        const Range actions = range(what, actions_);
        if (!colon_follows()) return table(what, log, columns, actions, line);
        const Range states = range(what, states_);
        if (!colon_follows()) return row(what, log, columns, actions, states, line);
        const Range column = range(what, columns);
        const double p = probability(what, lexer_.next());
        const bool whole = column.last - column.first == columns.count;
        for_rows(actions, states, [&](std::int64_t r) {
            if (whole) log.clear(r, line);
            for (auto c = column.first; c < column.last; ++c) {
                if (whole) {
                    log.add(r, c, p);
                } else {
                    log.set(r, c, p, line);
                }
            }
        });
    }

    void table(const char* what, RowLog& log, const Elements& columns, Range actions,
               std::int64_t line) {
        const Range all{0, states_.count};
        if (keyword_follows("uniform")) return uniform_rows(log, columns, actions, all, line);
        if (what[0] == 'T' && keyword_follows("identity"))
            return for_rows(actions, all, [&](std::int64_t r) {
                log.clear(r, line);
                log.add(r, r % states_.count, 1.0);
            });
        for (auto s = all.first; s < all.last; ++s)
            numbers_row(what, log, columns, actions, {s, s + 1}, line);
    }

    void row(const char* what, RowLog& log, const Elements& columns, Range actions, Range states,
             std::int64_t line) {
        if (keyword_follows("uniform")) return uniform_rows(log, columns, actions, states, line);
        if (what[0] == 'T' && keyword_follows("reset"))
            return for_rows(actions, states, [&](std::int64_t r) {
                log.clear(r, line);
                for (std::int64_t c = 0; c < states_.count; ++c)
                    log.add(r, c, file_.start[static_cast<std::size_t>(c)]);
            });
        numbers_row(what, log, columns, actions, states, line);
    }

    void uniform_rows(RowLog& log, const Elements& columns, Range actions, Range states,
                      std::int64_t line) {
        const double p = 1.0 / static_cast<double>(columns.count);
        for_rows(actions, states, [&](std::int64_t r) {
            log.clear(r, line);
            for (std::int64_t c = 0; c < columns.count; ++c) log.add(r, c, p);
        });
    }

    void numbers_row(const char* what, RowLog& log, const Elements& columns, Range actions,
                     Range states, std::int64_t line) {
        for_rows(actions, states, [&](std::int64_t r) { log.clear(r, line); });
        for (std::int64_t c = 0; c < columns.count; ++c) {
            const double p = probability(what, lexer_.next());
            if (p != 0.0) for_rows(actions, states, [&](std::int64_t r) { log.add(r, c, p); });
        }
    }

    /// A number of the rule: the element, or `any` for all of them.
    static std::int64_t rule_of(Range range, const Elements& of) {
        return range.last - range.first == of.count ? RewardRules::any : range.first;
    }

    void reward(std::int64_t line) {
        const auto action = rule_of(range("R", actions_), actions_);
        if (!colon_follows())
            fail(line, "R: expected ':' and a state; got " + shown(lexer_.peek().text) + ".");
        const auto state = rule_of(range("R", states_), states_);
        if (!colon_follows()) {
            for (std::int64_t next = 0; next < states_.count; ++next)
                reward_row(action, state, next);
            return;
        }
        const auto next = rule_of(range("R", states_), states_);
        if (!colon_follows()) return reward_row(action, state, next);
        const auto observation = rule_of(range("R", observations_), observations_);
        rewards_->add(action, state, next, observation, lexer_.number("R"));
    }

    void reward_row(std::int64_t action, std::int64_t state, std::int64_t next) {
        std::vector<double> values(
            static_cast<std::size_t>(std::min<std::int64_t>(observations_.count, 1 << 16)));
        values.clear();
        for (std::int64_t o = 0; o < observations_.count; ++o) values.push_back(lexer_.number("R"));
        const bool constant = std::all_of(values.begin(), values.end(),
                                          [&](double value) { return value == values.front(); });
        if (constant) return rewards_->add(action, state, next, RewardRules::any, values.front());
        for (std::size_t o = 0; o < values.size(); ++o)
            rewards_->add(action, state, next, static_cast<std::int64_t>(o), values[o]);
    }

    static std::string called(const Elements& of, std::int64_t number) {
        return of.names.empty() ? std::to_string(number)
                                : "'" + of.names[static_cast<std::size_t>(number)] + "'";
    }

    /// Checks the sums of the rows and scales them to one.
    void scale(const char* what, const RowLog& log, Rows& rows, const char* of_state) {
        for (std::int64_t r = 0; r < states_.count * actions_.count; ++r) {
            const auto begin = static_cast<std::size_t>(rows.indptr[static_cast<std::size_t>(r)]);
            const auto end = static_cast<std::size_t>(rows.indptr[static_cast<std::size_t>(r) + 1]);
            double sum = 0.0;
            for (auto e = begin; e < end; ++e) sum += rows.probability[e];
            const double error = std::abs(sum - 1.0);
            if (!(error <= tolerance_))
                note_error(file_, tolerance_, error, std::max<std::int64_t>(log.line_of(r), 1),
                           std::string(what) + ": action " + called(actions_, r / states_.count) +
                               " " + of_state + " " + called(states_, r % states_.count) +
                               (log.line_of(r) == 0 ? " is never given" : ""),
                           sum);
            file_.row_error = std::max(file_.row_error, error);
            if (error > kExact)
                for (auto e = begin; e < end; ++e) rows.probability[e] /= sum;
        }
    }
};

}  // namespace

File read(std::string_view text, double tolerance, std::uint64_t max_entries) {
    return Reader(text, tolerance, max_entries).read();
}

}  // namespace sparing::pomdp
