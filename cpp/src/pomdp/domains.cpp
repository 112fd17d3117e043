#include <algorithm>
#include <numeric>

#include "sparing/pomdp_model.hpp"

namespace sparing::pomdp {
namespace {

using States = std::vector<std::int32_t>;

/// Classes of states that are merged step by step.
class Merged {
  public:
    explicit Merged(std::int64_t size) : parent_(static_cast<std::size_t>(size)) {
        std::iota(parent_.begin(), parent_.end(), 0);
    }
    std::int32_t find(std::int32_t s) {
        while (parent_[static_cast<std::size_t>(s)] != s) {
            auto& p = parent_[static_cast<std::size_t>(s)];
            p = parent_[static_cast<std::size_t>(p)];
            s = p;
        }
        return s;
    }
    bool merge(std::int32_t a, std::int32_t b) {
        a = find(a), b = find(b);
        if (a == b) return false;
        parent_[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
        return true;
    }

  private:
    States parent_;
};

template <class Body>
void for_row(const RowSpans& rows, std::int64_t row, const Body& body) {
    const auto begin = static_cast<std::size_t>(rows.indptr[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(rows.indptr[static_cast<std::size_t>(row) + 1]);
    for (auto e = begin; e < end; ++e) body(rows.column[e], rows.probability[e]);
}

/// One pass over all actions: what a class of `from` and an observation lead to is merged.
bool merge_successors(const Model& m, Merged& from, Merged& merged) {
    States order(static_cast<std::size_t>(m.num_states)), root(order.size());
    std::iota(order.begin(), order.end(), 0);
    for (const auto s : order) root[static_cast<std::size_t>(s)] = from.find(s);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return root[static_cast<std::size_t>(a)] < root[static_cast<std::size_t>(b)];
    });
    const auto num_observations = static_cast<std::size_t>(m.num_observations);
    std::vector<std::int64_t> seen(num_observations, -1);  // stamp
    States first(num_observations);                        // a next state with that observation
    bool changed = false;
    std::int64_t stamp = 0;
    for (std::int64_t a = 0; a < m.num_actions; ++a) {
        std::int32_t current = -1;
        for (const auto s : order) {
            if (root[static_cast<std::size_t>(s)] != current)
                current = root[static_cast<std::size_t>(s)], ++stamp;
            for_row(m.transition, a * m.num_states + s, [&](std::int32_t next, double) {
                for_row(m.observation, a * m.num_states + next, [&](std::int32_t o, double) {
                    const auto at = static_cast<std::size_t>(o);
                    if (seen[at] != stamp) {
                        seen[at] = stamp, first[at] = next;
                    } else if (first[at] != next) {
                        changed = merged.merge(first[at], next) || changed;
                    }
                });
            });
        }
    }
    return changed;
}

/// What else is in one class, beside what follows from single states.
enum class Together { nothing, behind_start, start };

/// The class of each state in the finest partition that is closed.
States closed_classes(const Model& m, Together together) {
    Merged merged(m.num_states);
    States support;
    for (std::int32_t s = 0; s < m.num_states; ++s)
        if (m.start[static_cast<std::size_t>(s)] > 0.0) support.push_back(s);
    if (together == Together::behind_start) {  // as if the start were one class, for one step
        Merged once(m.num_states);
        for (const auto s : support) once.merge(support.front(), s);
        merge_successors(m, once, merged);
    }
    if (together == Together::start)
        for (const auto s : support) merged.merge(support.front(), s);
    while (merge_successors(m, merged, merged)) {
    }
    States out(static_cast<std::size_t>(m.num_states));
    for (std::int32_t s = 0; s < m.num_states; ++s)
        out[static_cast<std::size_t>(s)] = merged.find(s);
    return out;
}

/// Whatever can come next from the states of a domain under one action.
Block block_of(const Model& m, const States& states, std::int64_t a, States& place) {
    Block b;
    b.indptr.push_back(0);
    for (const auto s : states) {
        const std::int64_t row = a * m.num_states + s;
        b.reward.push_back(m.reward[static_cast<std::size_t>(row)]);
        for_row(m.transition, row, [&](std::int32_t next, double p) {
            b.column.push_back(next);
            b.probability.push_back(p);
        });
        b.indptr.push_back(static_cast<std::int64_t>(b.column.size()));
    }
    b.next = b.column;
    std::sort(b.next.begin(), b.next.end());
    b.next.erase(std::unique(b.next.begin(), b.next.end()), b.next.end());
    for (std::size_t j = 0; j < b.next.size(); ++j)
        place[static_cast<std::size_t>(b.next[j])] = static_cast<std::int32_t>(j);
    for (auto& c : b.column) c = place[static_cast<std::size_t>(c)];
    return b;
}

}  // namespace

Domains::Domains(const Model& model) {
    for (const auto together : {Together::nothing, Together::behind_start, Together::start}) {
        domains_.clear();
        if (build(model, closed_classes(model, together))) return;
    }
}

bool Domains::build(const Model& m, const std::vector<std::int32_t>& class_of) {
    const auto num_states = static_cast<std::size_t>(m.num_states);
    std::map<std::int32_t, States> members;
    for (std::int32_t s = 0; s < m.num_states; ++s)
        members[class_of[static_cast<std::size_t>(s)]].push_back(s);
    std::map<States, std::int32_t> number;
    std::size_t outside = 0;  // states of domains that are no class
    const auto domain_of = [&](States set) {
        const std::int32_t first = class_of[static_cast<std::size_t>(set.front())];
        const bool in_one = std::all_of(set.begin(), set.end(), [&](std::int32_t s) {
            return class_of[static_cast<std::size_t>(s)] == first;
        });
        if (in_one) set = members[first];
        const auto [found, is_new] =
            number.try_emplace(std::move(set), static_cast<std::int32_t>(domains_.size()));
        if (is_new) {
            domains_.push_back({found->first, {}});
            if (!in_one) outside += found->first.size();
        }
        return found->second;
    };
    States support;
    for (std::int32_t s = 0; s < m.num_states; ++s)
        if (m.start[static_cast<std::size_t>(s)] > 0.0) support.push_back(s);
    start_ = domain_of(support);
    States place(num_states);
    std::vector<std::vector<std::int64_t>> entries(static_cast<std::size_t>(m.num_observations));
    for (std::size_t d = 0; d < domains_.size(); ++d) {
        for (std::int64_t a = 0; a < m.num_actions; ++a) {
            Block block = block_of(m, domains_[d].states, a, place);
            // The next states of each observation: (place in next, chance).
            std::vector<std::int32_t> seen, from;
            std::vector<double> chance;
            for (std::size_t j = 0; j < block.next.size(); ++j)
                for_row(m.observation, a * m.num_states + block.next[j],
                        [&](std::int32_t o, double p) {
                            auto& list = entries[static_cast<std::size_t>(o)];
                            if (list.empty()) seen.push_back(o);
                            list.push_back(static_cast<std::int64_t>(from.size()));
                            from.push_back(static_cast<std::int32_t>(j));
                            chance.push_back(p);
                        });
            std::sort(seen.begin(), seen.end());
            for (const auto o : seen) {
                auto& list = entries[static_cast<std::size_t>(o)];
                States set;
                for (const auto e : list)
                    set.push_back(
                        block.next[static_cast<std::size_t>(from[static_cast<std::size_t>(e)])]);
                const std::int32_t next = domain_of(set);
                if (outside > 2 * num_states + 64) return false;
                const States& target = domains_[static_cast<std::size_t>(next)].states;
                const auto begin = static_cast<std::int64_t>(block.from.size());
                for (std::size_t k = 0; k < list.size(); ++k) {
                    const auto e = static_cast<std::size_t>(list[k]);
                    const auto at = std::lower_bound(target.begin(), target.end(), set[k]);
                    block.from.push_back(from[e]);
                    block.to.push_back(static_cast<std::int32_t>(at - target.begin()));
                    block.chance.push_back(chance[e]);
                }
                block.channels.push_back(
                    {o, next, begin, static_cast<std::int64_t>(block.from.size())});
                list.clear();
            }
            domains_[d].blocks.push_back(std::move(block));
        }
    }
    return true;
}

}  // namespace sparing::pomdp
