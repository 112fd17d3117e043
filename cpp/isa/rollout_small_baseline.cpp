// Plain loops, for processors without a kernel of their own.
#include "sparing/rollout_small.hpp"

namespace sparing::small {
namespace {

using Word = std::uint32_t;

struct Counter {
    Word w0, w1, w2, w3;
};

/// Philox4x32-10 (see philox.hpp) of the counter (epoch, replication, 0, 0).
inline Counter philox(const Range& range, Word epoch, Word replication) {
    Word k0 = range.key[0], k1 = range.key[1];
    Counter c{epoch, replication, 0, 0};
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c.w0;
        const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c.w2;
        c = {static_cast<Word>(p1 >> 32) ^ c.w1 ^ k0, static_cast<Word>(p1),
             static_cast<Word>(p0 >> 32) ^ c.w3 ^ k1, static_cast<Word>(p0)};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

inline Word drawn(const Axis& axis, Word rows, Word word) {
    const Word row = (rows >> axis.shift) & 15u;
    const Word draw = word < 0xFFFFFFFEu ? word : 0xFFFFFFFEu;
    const Word* threshold = axis.thresholds + row;
    Word passed = 0;
    for (int j = 0; j < axis.num_thresholds; ++j) passed += draw >= threshold[16 * j];
    return passed * axis.stride;
}

inline void pay(const Program& program, Word state, Word next, double weight, double* totals) {
    double sum = 0.0;
    for (int n = 0; n < program.num_terms; ++n) {
        const Term& term = program.terms[n];
        sum += term.values[term.behind ? next : state];
        if (!term.ends_kind) continue;
        *totals += weight * sum;
        sum = 0.0;
        totals += lanes;
    }
}

}  // namespace

/// One lane after another: a lane's counter and state stay in registers.
void roll_baseline(const Program& program, const Range& range, std::uint32_t first,
                   std::uint32_t* states, double* totals) {
    for (int l = 0; l < lanes; ++l) {
        Word state = states[l];
        for (Word t = 0; t < range.num_epochs; ++t) {
            const Counter c = philox(range, range.first_epoch + t, first + static_cast<Word>(l));
            const Word words[max_axes] = {c.w0, c.w1, c.w2, c.w3};
            const Word rows = program.rows[state];
            Word next = program.rest ? program.rest[state] : 0u;
            for (int i = 0; i < program.num_axes; ++i)
                next += drawn(program.axes[i], rows, words[i]);
            const double weight = range.epoch_weights ? range.epoch_weights[t] : 1.0;
            if (range.counted) pay(program, state, next, weight, totals + l);
            state = next;
        }
        states[l] = state;
    }
}

}  // namespace sparing::small
