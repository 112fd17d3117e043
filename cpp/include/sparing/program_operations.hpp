#pragma once
#include <variant>

#include "sparing/dense_product.hpp"
#include "sparing/mode_product.hpp"
#include "sparing/packed_product.hpp"
#include "sparing/tensor_operations.hpp"

namespace sparing {

/// The operations of a lowered epoch, in backward order. Buffers are numbers: 0 is the value
/// behind the last node, 1 the value at the start, 2.. are scratch.
struct Product {
    Semiring rule;
    int in, out;
    Rows rows;
    Riders riders;
    DenseTable dense;   // the same table, where it is small, square and on one axis
    Packing packing{};  // how to do it where riders are not contiguous
};
struct AddCost {
    int in, out;
    ScoredCost cost;
};
struct Scale {
    int in, out;
    double factor;
};
struct TakeCheaper {
    int in, out;
    double cost;
    bool first;
};
/// The backward start and end of a stage: between them the post-decision state is carried.
struct StageEnd {
    int buffer;
};
struct StageStart {
    int buffer;
    int stage;
};

using Operation = std::variant<Product, AddCost, Scale, TakeCheaper, StageEnd, StageStart>;

/// One product by the fastest loop that its table and riders allow; no post-decision states.
template <class T>
void fastest_product(const Product& op, const Riders& riders, const DenseTable& dense, const T* in,
                     T* out, int num_threads) {
    if (dense_product(op.rule, dense, in, out, num_threads)) return;
    if (op.packing.pays())
        packed_product(op.rule, op.rows, riders, op.packing, in, out, num_threads);
    else
        mode_product(op.rule, op.rows, riders, Tensor<T>{const_cast<T*>(in), nullptr},
                     Tensor<T>{out, nullptr}, num_threads);
}

}  // namespace sparing
