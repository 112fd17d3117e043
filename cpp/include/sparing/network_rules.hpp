#pragma once
#include <cstdint>

// Plain structs and pointers only: this header is compiled for several instruction sets, and a
// function shared by name could otherwise be linked from the wrong one.
namespace sparing::network {

inline constexpr int lanes = 64;  // replications that run side by side

/// A tree of locations with the stocks of one part. Arrays are [locations] unless it says else.
struct Network {
    std::int32_t num_locations, num_sites, periods;
    const std::int32_t* supplier;  // -1: external
    const std::int32_t* top_down;  // each location behind its supplier
    const std::int32_t* site;      // [sites] the location of each
    const std::int32_t *capacity, *backorders, *largest_order;
    const std::int32_t *initial, *first_quantity, *first_age;  // an order under way at the start
    const double *fixed, *unit, *holding, *downtime, *emergency;
    const double* weight;  // [periods] of the costs of each, or null: 1
};

/// What happens whatever is ordered, of `lanes` replications.
struct Luck {
    const std::uint16_t* failures;    // [periods, sites, lanes]
    const std::uint16_t* lead;        // [periods, locations, lanes] of an order placed then
    const std::uint16_t* first_lead;  // [locations, lanes] periods until the first order arrives
    const std::int64_t* belief;       // [periods, lanes] number of the belief state, or null
};

/// Order at most `quantity`, and up to `order_up_to`, where stock is at most `reorder_at`.
struct Rules {
    const std::int32_t *reorder_at, *order_up_to, *quantity;  // [locations]
    std::int32_t review;                                      // periods between reviews
};

/// Stocks at a review, [locations, lanes] each.
struct Stocks {
    const std::int32_t *stock, *ordered, *placed;  // placed: the period of the order
};

/// Fills wanted [locations, lanes] with what a table orders; it fits and nothing is checked.
struct Table {
    void (*decide)(const void* self, std::int32_t period, const Stocks& stocks, const Luck& luck,
                   std::int32_t* wanted);
    const void* self;  // null: rules decide
};

/// What is counted per location, in the order of the rows of `counts`.
enum Count { kOrders, kUnits, kHeld, kShort, kDown, kEmergencies, kFailures, kNumCounts };

/// Where results go. Counts must be 0 at the start.
struct Sums {
    std::int32_t* counts;  // [locations, kNumCounts, lanes]
    double* objective;     // [lanes] costs by the weight of their periods
    std::int32_t* stock;   // [periods, locations, lanes] at the ends of periods, or null
    double* paid;          // [periods, lanes] costs of each period, not weighted, or null
};

inline constexpr std::int64_t scratch_size(std::int64_t num_locations) {
    return (7 * num_locations + 1) * lanes;
}

/// The loops over lanes, compiled per instruction set; all sets give the same bits.
struct Kernels {
    /// One run of all periods; `scratch` holds `scratch_size(num_locations)` numbers.
    void (*run)(const Network&, const Luck&, const Rules&, const Table&, const Sums&,
                std::int32_t* scratch);
    /// Random words [4 * num_blocks, lanes] of a period for replications first, first + 1, …: word
    /// j of a replication is word j % 4 of Philox block j / 4 (see philox.hpp).
    void (*words)(std::uint32_t key0, std::uint32_t key1, std::uint32_t period, std::uint32_t first,
                  std::uint32_t num_blocks, std::uint32_t* words);
    /// lead [lanes]: how many of `thresholds` a word reaches.
    void (*leads)(const std::uint32_t* words, const std::uint32_t* thresholds, std::int32_t count,
                  std::uint16_t* lead);
};

Kernels kernels_baseline();
Kernels kernels_avx2();
Kernels kernels_avx512();

}  // namespace sparing::network
