#include "reward_rules.hpp"

#include <algorithm>
#include <string>
#include <tuple>

namespace sparing::pomdp {
namespace {

template <class Rule>
auto place(const Rule& rule) {
    return std::make_tuple(rule.action, rule.state, rule.next);
}

}  // namespace

void RewardRules::add(std::int64_t action, std::int64_t state, std::int64_t next,
                      std::int64_t observation, double value) {
    if (count_ >= max_rules_)
        throw TooLarge("more than " + std::to_string(max_rules_) +
                       " rewards do not fit into memory");
    const int pattern = (action != any ? 1 : 0) + (state != any ? 2 : 0) + (next != any ? 4 : 0);
    rules_[static_cast<std::size_t>(pattern)].push_back(
        {static_cast<std::int32_t>(action), static_cast<std::int32_t>(state),
         static_cast<std::int32_t>(next), static_cast<std::int32_t>(observation), value, count_++});
}

void RewardRules::sort() {
    const auto before = [](const Rule& a, const Rule& b) { return place(a) < place(b); };
    for (auto& rules : rules_)
        if (!std::is_sorted(rules.begin(), rules.end(), before))
            std::stable_sort(rules.begin(), rules.end(), before);
}

RewardRules::Span RewardRules::find(int pattern, std::int32_t action, std::int32_t state,
                                    std::int32_t next) const {
    const auto& rules = rules_[static_cast<std::size_t>(pattern)];
    const auto wanted = std::make_tuple(pattern & 1 ? action : any, pattern & 2 ? state : any,
                                        pattern & 4 ? next : any);
    const auto first =
        std::lower_bound(rules.begin(), rules.end(), wanted,
                         [](const Rule& rule, const auto& key) { return place(rule) < key; });
    auto last = first;
    while (last != rules.end() && place(*last) == wanted) ++last;
    return {rules.data() + (first - rules.begin()), rules.data() + (last - rules.begin())};
}

std::vector<double> RewardRules::expected(std::int64_t num_actions, std::int64_t num_states,
                                          std::int64_t num_observations, const Rows& transition,
                                          const Rows& observation) {
    sort();
    std::vector<double> out(static_cast<std::size_t>(num_actions * num_states));
    std::vector<double> chance(static_cast<std::size_t>(num_observations));  // of each observation
    std::vector<double> value(chance.size());
    std::vector<std::uint64_t> order(chance.size());  // 1 + order of the rule that set `value`
    std::vector<std::int32_t> touched;

    // The value of one next state, given the lists of rules that fit it.
    const auto of_next = [&](const Span* spans, int num_spans, std::int64_t row) {
        std::uint64_t base_order = 0;
        double base = 0.0;
        bool by_observation = false;
        for (int k = 0; k < num_spans; ++k)
            for (const Rule* r = spans[k].first; r != spans[k].last; ++r) {
                if (r->observation != any) {
                    by_observation = true;
                } else if (r->order + 1 > base_order) {
                    base_order = r->order + 1, base = r->value;
                }
            }
        if (!by_observation) return base;
        touched.clear();
        for (int k = 0; k < num_spans; ++k)
            for (const Rule* r = spans[k].first; r != spans[k].last; ++r) {
                if (r->observation == any || r->order + 1 < base_order) continue;
                const auto o = static_cast<std::size_t>(r->observation);
                if (order[o] == 0) touched.push_back(r->observation);
                if (r->order + 1 > order[o]) order[o] = r->order + 1, value[o] = r->value;
            }
        const auto begin = static_cast<std::size_t>(observation.indptr[row]);
        const auto end = static_cast<std::size_t>(observation.indptr[row + 1]);
        double sum = base;
        for (std::size_t e = begin; e < end; ++e) {
            const auto o = static_cast<std::size_t>(observation.column[e]);
            if (order[o] != 0) sum += observation.probability[e] * (value[o] - base);
        }
        for (const auto o : touched) order[static_cast<std::size_t>(o)] = 0;
        return sum;
    };

    const bool by_next = std::any_of(rules_.begin() + 4, rules_.end(),
                                     [](const auto& rules) { return !rules.empty(); });
    const auto names_observation = [](const Span& span) {
        return std::any_of(span.first, span.last,
                           [](const Rule& rule) { return rule.observation != any; });
    };
    for (std::int32_t a = 0; a < num_actions; ++a) {
        for (std::int32_t s = 0; s < num_states; ++s) {
            Span spans[8];
            int common = 0;
            for (int pattern = 0; pattern < 4; ++pattern) {
                if (rules_[static_cast<std::size_t>(pattern)].empty()) continue;
                const Span found = find(pattern, a, s, any);
                if (found.first != found.last) spans[common++] = found;
            }
            const std::int64_t row = std::int64_t{a} * num_states + s;
            double sum = 0.0;
            if (!by_next && std::none_of(spans, spans + common, names_observation)) {
                out[static_cast<std::size_t>(row)] = of_next(spans, common, row);
                continue;  // the same behind all next states: no digit is lost
            }
            for (auto e = transition.indptr[row]; e < transition.indptr[row + 1]; ++e) {
                const auto next = transition.column[static_cast<std::size_t>(e)];
                int count = common;
                for (int pattern = 4; pattern < 8; ++pattern) {
                    if (rules_[static_cast<std::size_t>(pattern)].empty()) continue;
                    const Span found = find(pattern, a, s, next);
                    if (found.first != found.last) spans[count++] = found;
                }
                sum += transition.probability[static_cast<std::size_t>(e)] *
                       of_next(spans, count, std::int64_t{a} * num_states + next);
            }
            out[static_cast<std::size_t>(row)] = sum;
        }
    }
    return out;
}

}  // namespace sparing::pomdp
