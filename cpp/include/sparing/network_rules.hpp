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

/// One run of all periods; `scratch` holds `scratch_size(num_locations)` numbers.
using Kernel = void (*)(const Network&, const Luck&, const Rules&, const Table&, const Sums&,
                        std::int32_t* scratch);

inline constexpr std::int64_t scratch_size(std::int64_t num_locations) {
    return (7 * num_locations + 1) * lanes;
}

void run_baseline(const Network&, const Luck&, const Rules&, const Table&, const Sums&,
                  std::int32_t*);
void run_avx2(const Network&, const Luck&, const Rules&, const Table&, const Sums&, std::int32_t*);
void run_avx512(const Network&, const Luck&, const Rules&, const Table&, const Sums&,
                std::int32_t*);

}  // namespace sparing::network
