#include "rollout_small_plain.inc"

namespace sparing::small {

void roll_avx2(const Program& program, const Range& range, std::uint32_t first,
               std::uint32_t* states, double* totals) {
    roll(program, range, first, states, totals);
}

}  // namespace sparing::small
