#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {

/// A word, a colon, a star, or nothing at the end of the text.
struct Token {
    std::string_view text;
    std::int64_t line = 0;
};

[[noreturn]] inline void fail(std::int64_t line, const std::string& message) {
    throw SyntaxError("line " + std::to_string(line) + ": " + message);
}

/// A token as it is shown in messages: what is not printable, and what is too long, is left out.
inline std::string shown(std::string_view text) {
    if (text.empty()) return "the end of the file";
    std::string out = "'";
    for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
    return out + (text.size() > 40 ? "...'" : "'");
}

/// Splits the text into tokens with one token of foresight; comments run from # to the line's end.
class Lexer {
  public:
    explicit Lexer(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {
        current_ = scan();
        following_ = scan();
    }

    const Token& peek() const { return current_; }
    const Token& peek_second() const { return following_; }
    bool done() const { return current_.text.empty(); }

    Token next() {
        const Token token = current_;
        current_ = following_;
        following_ = scan();
        return token;
    }

    void expect_colon(std::string_view what) {
        const Token token = next();
        if (token.text != ":")
            fail(token.line, std::string(what) + ": expected ':'; got " + shown(token.text) + ".");
    }

    double number(const std::string& what) {
        const Token token = next();
        double value = 0.0;
        if (!parse(token.text, value))
            fail(token.line, what + ": expected a number; got " + shown(token.text) + ".");
        return value;
    }

    /// Whether `text` is a finite number, which `value` then is.
    static bool parse(std::string_view text, double& value) {
        if (!text.empty() && text.front() == '+') text.remove_prefix(1);
        if (text.empty()) return false;
        const char first = text.front() == '-' && text.size() > 1 ? text[1] : text.front();
        if (!(first == '.' || (first >= '0' && first <= '9'))) return false;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        return error == std::errc{} && stop == end && std::isfinite(value);
    }

    /// Whether `text` consists of digits only and fits into `value`.
    static bool parse(std::string_view text, std::int64_t& value) {
        if (text.empty() || text.front() < '0' || text.front() > '9') return false;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        return error == std::errc{} && stop == end;
    }

  private:
    static bool is_space(char c) { return static_cast<unsigned char>(c) <= ' '; }

    Token scan() {
        for (;; ++at_) {
            if (at_ == end_) return {{}, line_};
            if (*at_ == '#')
                while (at_ != end_ && *at_ != '\n') ++at_;
            if (at_ == end_) return {{}, line_};
            if (*at_ == '\n') ++line_;
            if (!is_space(*at_)) break;
        }
        const char* const begin = at_++;
        if (*begin != ':' && *begin != '*')
            while (at_ != end_ && !is_space(*at_) && *at_ != ':' && *at_ != '*' && *at_ != '#')
                ++at_;
        return {{begin, static_cast<std::size_t>(at_ - begin)}, line_};
    }

    const char *at_, *end_;
    std::int64_t line_ = 1;
    Token current_, following_;
};

}  // namespace sparing::pomdp
