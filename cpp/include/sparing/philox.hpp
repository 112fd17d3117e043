#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

namespace sparing {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline constexpr std::uint32_t philox_m0 = 0xD2511F53u, philox_m1 = 0xCD9E8D57u;
inline constexpr std::uint32_t philox_w0 = 0x9E3779B9u, philox_w1 = 0xBB67AE85u;

/// Philox4x32-10 of Salmon, Moraes, Dror and Shaw (2011), sec. 3.4: four random words that are a
/// function of counter and key alone.
inline PhiloxCounter philox4x32(PhiloxCounter c, PhiloxKey key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = std::uint64_t{philox_m0} * c[0];
        const std::uint64_t p1 = std::uint64_t{philox_m1} * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<std::uint32_t>(p0)};
        key[0] += philox_w0;
        key[1] += philox_w1;
    }
    return c;
}

/// Whose draws: nature's and a policy's never share a counter.
enum class Stream : std::uint32_t { nature = 0, policy = 1 };

/// Draw j of an epoch is word j % 4 of block j / 4.
inline PhiloxCounter draw_counter(std::uint32_t replication, std::uint32_t epoch,
                                  std::uint32_t block, Stream stream) {
    return {epoch, replication, block, static_cast<std::uint32_t>(stream)};
}

inline PhiloxKey philox_key(std::uint64_t seed) {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

/// The largest threshold is above every draw, so that an entry it follows is never reached.
inline constexpr std::uint32_t never = 0xFFFFFFFFu;

/// A word as a draw in [0, never).
inline std::uint32_t as_draw(std::uint32_t word) { return std::min(word, never - 1); }

}  // namespace sparing
