#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "lexer.hpp"
#include "reward_rules.hpp"
#include "row_log.hpp"
#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {
namespace {

constexpr std::int64_t kMaxElements = 100'000'000;  // states, actions or observations
constexpr std::int64_t kMaxRows = (std::int64_t{1} << 32) - 1;
constexpr double kProbabilitySlack = 1e-5;
constexpr double kExact = 1e-12;  // what sums to one up to this stays as it is

/// States, actions or observations: how many there are, and which number a name has.
struct Elements {
    const char *one, *many;
    std::int64_t count = 0;
    std::vector<std::string> names;
    std::unordered_map<std::string_view, std::int64_t> number;
};

struct Range {
    std::int64_t first, last;
};

bool is_reserved(std::string_view word) {
    static constexpr std::string_view words[] = {
        "discount", "values", "states",   "actions", "observations", "T",       "O",      "R",
        "uniform",  "reset",  "identity", "start",   "include",      "exclude", "reward", "cost"};
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

class Reader {
  public:
    Reader(std::string_view text, double tolerance, std::uint64_t max_entries)
        : lexer_(text), tolerance_(tolerance), max_entries_(max_entries) {}

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
    Elements states_{"state", "states", 0, {}, {}}, actions_{"action", "actions", 0, {}, {}},
        observations_{"observation", "observations", 0, {}, {}};
    bool has_discount_ = false, has_values_ = false;
    std::string_view start_kind_;  // "", ":", "include" or "exclude"
    std::vector<Token> start_;
    std::int64_t start_line_ = 0;
    std::unique_ptr<RowLog> transition_, observation_;  // made once the preamble is over
    std::unique_ptr<RewardRules> rewards_;

    static void take_names(const Elements& elements, std::vector<std::string>& out, bool& named) {
        named = !elements.names.empty();
        out = elements.names;
        if (!named) out.resize(static_cast<std::size_t>(elements.count));
    }

    bool at_statement() const {
        const auto word = lexer_.peek().text;
        const auto second = lexer_.peek_second().text;
        if (word == "start" && (second == "include" || second == "exclude")) return true;
        return second == ":" && word != ":" && word != "*";
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
        if (word == "discount") return discount();
        if (word == "values") return values();
        if (word == "states") return elements(states_);
        if (word == "actions") return elements(actions_);
        if (word == "observations") return elements(observations_);
        if (word == "start") return start(token.line);
        fail(token.line,
             "expected discount, values, states, actions, observations, start, T, O or R; got " +
                 shown(word) + ".");
    }

    void discount() {
        lexer_.expect_colon("discount");
        const Token token = lexer_.peek();
        file_.discount = lexer_.number("discount");
        if (!(file_.discount >= 0.0 && file_.discount <= 1.0))
            fail(token.line, "discount must be from 0 to 1; got " + shown(token.text) + ".");
        has_discount_ = true;
    }

    void values() {
        lexer_.expect_colon("values");
        const Token token = lexer_.next();
        if (token.text != "reward" && token.text != "cost")
            fail(token.line, "values must be reward or cost; got " + shown(token.text) + ".");
        file_.is_reward = token.text == "reward";
        has_values_ = true;
    }

    void elements(Elements& of) {
        lexer_.expect_colon(of.many);
        const std::int64_t line = lexer_.peek().line;
        of.names.clear();
        of.number.clear();
        of.count = 0;
        if (Lexer::parse(lexer_.peek().text, of.count)) {
            const Token token = lexer_.next();
            if (of.count < 1 || of.count > kMaxElements)
                fail(line, std::string(of.many) + " must be from 1 to " +
                               std::to_string(kMaxElements) + "; got " + shown(token.text) + ".");
            return;
        }
        std::vector<std::string_view> words;
        while (!lexer_.done() && !at_statement()) {
            const Token token = lexer_.next();
            const char c = token.text.front();
            const bool is_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
            if (!is_name || is_reserved(token.text))
                fail(token.line, std::string(of.many) + ": a name must start with a letter and be" +
                                     " no keyword; got " + shown(token.text) + ".");
            if (!of.number.emplace(token.text, of.count).second)
                fail(token.line,
                     std::string(of.many) + ": " + shown(token.text) + " is there twice.");
            words.push_back(token.text);
            ++of.count;
        }
        if (words.empty()) fail(line, std::string(of.many) + ": expected a number or names.");
        of.names.assign(words.begin(), words.end());
    }

    void start(std::int64_t line) {
        start_.clear();
        start_line_ = line;
        start_kind_ = ":";
        if (lexer_.peek().text != ":") start_kind_ = lexer_.next().text;
        lexer_.expect_colon("start");
        while (!lexer_.done() && !at_statement()) start_.push_back(lexer_.next());
        if (start_.empty()) fail(line, "start: expected probabilities, uniform or states.");
    }

    /// The preamble is over: all that is needed must be there.
    void begin_tables(std::int64_t line) {
        if (!has_discount_) fail(line, "no discount is given.");
        for (const Elements* of : {&states_, &actions_, &observations_})
            if (of->count == 0) fail(line, std::string("no ") + of->many + " are given.");
        const double rows =
            static_cast<double>(states_.count) * static_cast<double>(actions_.count);
        if (rows > static_cast<double>(std::min<std::uint64_t>(max_entries_, kMaxRows)))
            throw TooLarge(std::to_string(states_.count) + " states and " +
                           std::to_string(actions_.count) + " actions do not fit into memory");
        resolve_start();
        transition_ = std::make_unique<RowLog>(states_.count * actions_.count, max_entries_);
        observation_ = std::make_unique<RowLog>(states_.count * actions_.count, max_entries_);
        rewards_ = std::make_unique<RewardRules>(max_entries_);
    }

    void resolve_start() {
        const auto size = static_cast<std::size_t>(states_.count);
        auto& start = file_.start;
        start.assign(size, 0.0);
        const auto uniform = [&] { std::fill(start.begin(), start.end(), 1.0); };
        double first = 0.0;
        if (start_kind_.empty()) {
            uniform();
        } else if (start_kind_ != ":") {
            if (start_kind_ == "exclude") uniform();
            for (const Token& token : start_)
                start[static_cast<std::size_t>(element("start", states_, token))] =
                    start_kind_ == "include" ? 1.0 : 0.0;
        } else if (start_.size() == 1 && start_[0].text == "uniform") {
            uniform();
        } else if (start_.size() == 1 &&
                   (states_.count > 1 || !Lexer::parse(start_[0].text, first))) {
            start[static_cast<std::size_t>(element("start", states_, start_[0]))] = 1.0;
        } else {
            start_probabilities(start);
        }
        double sum = 0.0;
        for (const double p : start) sum += p;
        if (!(sum > 0.0)) fail(start_line_, "start: no state is left.");
        if (std::abs(sum - 1.0) > kExact)
            for (double& p : start) p /= sum;
        start_.clear();
    }

    void start_probabilities(std::vector<double>& start) {
        if (start_.size() != start.size())
            fail(start_line_, "start: expected " + std::to_string(start.size()) +
                                  " probabilities; got " + std::to_string(start_.size()) + ".");
        double sum = 0.0;
        for (std::size_t s = 0; s < start.size(); ++s)
            sum += start[s] = probability("start", start_[s]);
        note_error(std::abs(sum - 1.0), start_line_, "start", sum);
    }

    static double probability(const char* what, const Token& token) {
        double value = 0.0;
        if (!Lexer::parse(token.text, value) || value < 0.0 || value > 1.0 + kProbabilitySlack)
            fail(token.line, std::string(what) + ": expected a probability from 0 to 1; got " +
                                 shown(token.text) + ".");
        return value;
    }

    static std::int64_t element(const char* what, const Elements& of, const Token& token) {
        std::int64_t number = 0;
        if (Lexer::parse(token.text, number) && number < of.count) return number;
        const auto found = of.number.find(token.text);
        if (found != of.number.end()) return found->second;
        fail(token.line, std::string(what) + ": expected " +
                             (of.names.empty() ? "" : std::string("the name of ")) +
                             (of.one[0] == 's' ? "a " : "an ") + of.one +
                             " or a number from 0 to " + std::to_string(of.count - 1) + "; got " +
                             shown(token.text) + ".");
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

    void note_error(double error, std::int64_t line, const std::string& where, double sum) {
        if (!(error <= tolerance_))
            fail(line, where + ": the probabilities sum to " + std::to_string(sum) + ", not 1.");
        file_.row_error = std::max(file_.row_error, error);
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
                note_error(error, std::max<std::int64_t>(log.line_of(r), 1),
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
