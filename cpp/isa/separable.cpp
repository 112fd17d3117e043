// Compiled once per instruction set (SPARING_ISA) and scalar type (SPARING_REAL).
#include "argmin.hpp"
#include "step.hpp"

#define SPARING_JOIN(a, b, c) a##b##_##c
#define SPARING_NAME(isa, real) SPARING_JOIN(separable_, isa, real)
#define SPARING_TEXT(name) #name
#define SPARING_QUOTE(name) SPARING_TEXT(name)

namespace sparing {

const SeparableKernels<SPARING_REAL>* SPARING_NAME(SPARING_ISA, SPARING_REAL)();

const SeparableKernels<SPARING_REAL>* SPARING_NAME(SPARING_ISA, SPARING_REAL)() {
    using T = SPARING_REAL;
    static constexpr SeparableKernels<T> kernels{
        SPARING_QUOTE(SPARING_ISA),
        kWidth<T>,
        kLanes<T>,
        &choose_step<T>,
        &to_lanes<T>,
        &from_lanes<T>,
        &stream_from_lanes<T>,
        &to_lanes<IndexOf<T>, std::uint32_t>,
        &from_lanes<IndexOf<T>, std::uint32_t>,
        &finish<T>,
        &commit<T>,
        &stream<T>,
        &prefetch<T>,
        &fence,
        &argmin<T>,
        &argmin_first<T>,
        &compare<T>,
    };
    return &kernels;
}

}  // namespace sparing
