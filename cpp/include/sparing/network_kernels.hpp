#pragma once
#include <cstddef>
#include <cstdint>

// Plain structs and pointers only: this header is compiled for several instruction sets.
namespace sparing {

inline constexpr std::size_t network_columns = 16;  // widths are padded to a multiple of it
inline constexpr std::size_t network_lanes = 12;    // and so are lanes, to a multiple of this

/// y[l] = base + sum over k of rows[index[l, k]]: a layer whose inputs are 0 or 1.
struct RowSum {
    const float *rows, *base;   // [any, padded], [padded]
    const std::int32_t* index;  // [lanes, count]
    std::size_t count, padded, lanes;
    float* y;  // [lanes, padded]
};

/// y[l] = bias + x[l] weight.
struct Dense {
    const float *x, *weight, *bias;  // [lanes, pitch], [inputs, padded], [padded]
    std::size_t inputs, pitch, padded, lanes;
    float* y;  // [lanes, padded]
};

/// x[l] = relu(normalised x[l] times scale plus offset), LayerNorm of Ba, Kiros and Hinton (2016);
/// without a scale relu alone. What stands behind `width` becomes 0 if scale and offset are.
struct Activation {
    float* x;                     // [lanes, padded]
    const float *scale, *offset;  // [padded] or null
    std::size_t width, padded, lanes;
};

struct NetworkKernels {
    const char* name;
    void (*row_sum)(const RowSum&);
    void (*dense)(const Dense&);
    void (*activate)(const Activation&);
};

/// The kernels of the widest vectors that this processor has.
const NetworkKernels& network_kernels();

}  // namespace sparing
