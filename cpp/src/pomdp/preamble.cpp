#include "preamble.hpp"

#include <algorithm>
#include <cmath>

namespace sparing::pomdp {
namespace {

constexpr std::int64_t kMaxElements = 100'000'000;  // states, actions or observations
constexpr double kProbabilitySlack = 1e-5;

}  // namespace

bool is_reserved(std::string_view word) {
    static constexpr std::string_view words[] = {
        "discount", "values", "states",   "actions", "observations", "T",       "O",      "R",
        "uniform",  "reset",  "identity", "start",   "include",      "exclude", "reward", "cost"};
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

std::int64_t element(const char* what, const Elements& of, const Token& token) {
    std::int64_t number = 0;
    if (Lexer::parse(token.text, number) && number < of.count) return number;
    const auto found = of.number.find(token.text);
    if (found != of.number.end()) return found->second;
    fail(token.line, std::string(what) + ": expected " +
                         (of.names.empty() ? "" : std::string("the name of ")) +
                         (of.one[0] == 's' ? "a " : "an ") + of.one + " or a number from 0 to " +
                         std::to_string(of.count - 1) + "; got " + shown(token.text) + ".");
}

double probability(const char* what, const Token& token) {
    double value = 0.0;
    if (!Lexer::parse(token.text, value) || value < 0.0 || value > 1.0 + kProbabilitySlack)
        fail(token.line, std::string(what) + ": expected a probability from 0 to 1; got " +
                             shown(token.text) + ".");
    return value;
}

void note_error(File& file, double tolerance, double error, std::int64_t line,
                const std::string& where, double sum) {
    if (!(error <= tolerance))
        fail(line, where + ": the probabilities sum to " + std::to_string(sum) + ", not 1.");
    file.row_error = std::max(file.row_error, error);
}

bool Preamble::read(const Token& token) {
    const auto word = token.text;
    if (word == "discount") return discount(), true;
    if (word == "values") return values(), true;
    if (word == "states") return elements(states), true;
    if (word == "actions") return elements(actions), true;
    if (word == "observations") return elements(observations), true;
    if (word == "start") return start(token.line), true;
    return false;
}

void Preamble::check_complete(std::int64_t line) const {
    if (!has_discount_) fail(line, "no discount is given.");
    for (const Elements* of : {&states, &actions, &observations})
        if (of->count == 0) fail(line, std::string("no ") + of->many + " are given.");
}

bool Preamble::at_statement() const {
    const auto word = lexer_.peek().text;
    const auto second = lexer_.peek_second().text;
    if (word == "start" && (second == "include" || second == "exclude")) return true;
    return second == ":" && word != ":" && word != "*";
}

void Preamble::discount() {
    lexer_.expect_colon("discount");
    const Token token = lexer_.peek();
    file_.discount = lexer_.number("discount");
    if (!(file_.discount >= 0.0 && file_.discount <= 1.0))
        fail(token.line, "discount must be from 0 to 1; got " + shown(token.text) + ".");
    has_discount_ = true;
}

void Preamble::values() {
    lexer_.expect_colon("values");
    const Token token = lexer_.next();
    if (token.text != "reward" && token.text != "cost")
        fail(token.line, "values must be reward or cost; got " + shown(token.text) + ".");
    file_.is_reward = token.text == "reward";
}

void Preamble::elements(Elements& of) {
    lexer_.expect_colon(of.many);
    const std::int64_t line = lexer_.peek().line;
    of.names.clear();
    of.number.clear();
    of.count = 0;
    if (Lexer::parse(lexer_.peek().text, of.count)) {
        const Token token = lexer_.next();
        if (of.count < 1 || of.count > kMaxElements)
            fail(line, std::string(of.many) + " must be from 1 to " + std::to_string(kMaxElements) +
                           "; got " + shown(token.text) + ".");
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
            fail(token.line, std::string(of.many) + ": " + shown(token.text) + " is there twice.");
        words.push_back(token.text);
        ++of.count;
    }
    if (words.empty()) fail(line, std::string(of.many) + ": expected a number or names.");
    of.names.assign(words.begin(), words.end());
}

void Preamble::start(std::int64_t line) {
    start_.clear();
    start_line_ = line;
    start_kind_ = ":";
    if (lexer_.peek().text != ":") start_kind_ = lexer_.next().text;
    lexer_.expect_colon("start");
    while (!lexer_.done() && !at_statement()) start_.push_back(lexer_.next());
    if (start_.empty()) fail(line, "start: expected probabilities, uniform or states.");
}

void Preamble::resolve_start() {
    const auto size = static_cast<std::size_t>(states.count);
    auto& start = file_.start;
    start.assign(size, 0.0);
    const auto uniform = [&] { std::fill(start.begin(), start.end(), 1.0); };
    double first = 0.0;
    if (start_kind_.empty()) {
        uniform();
    } else if (start_kind_ != ":") {
        if (start_kind_ == "exclude") uniform();
        for (const Token& token : start_)
            start[static_cast<std::size_t>(element("start", states, token))] =
                start_kind_ == "include" ? 1.0 : 0.0;
    } else if (start_.size() == 1 && start_[0].text == "uniform") {
        uniform();
    } else if (start_.size() == 1 && (states.count > 1 || !Lexer::parse(start_[0].text, first))) {
        start[static_cast<std::size_t>(element("start", states, start_[0]))] = 1.0;
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

void Preamble::start_probabilities(std::vector<double>& start) {
    if (start_.size() != start.size())
        fail(start_line_, "start: expected " + std::to_string(start.size()) +
                              " probabilities; got " + std::to_string(start_.size()) + ".");
    double sum = 0.0;
    for (std::size_t s = 0; s < start.size(); ++s)
        sum += start[s] = probability("start", start_[s]);
    note_error(file_, tolerance_, std::abs(sum - 1.0), start_line_, "start", sum);
}

}  // namespace sparing::pomdp
