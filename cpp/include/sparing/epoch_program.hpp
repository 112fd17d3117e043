#pragma once
#include <cassert>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "sparing/blocked_run.hpp"
#include "sparing/buffer_slots.hpp"
#include "sparing/program_operations.hpp"

namespace sparing {

/// One epoch, ready to be swept backward.
template <class T>
class EpochProgram {
  public:
    EpochProgram(std::vector<std::int64_t> buffer_sizes, int num_threads)
        : sizes_(std::move(buffer_sizes)), num_threads_(num_threads) {}

    void add(Operation operation) {
        slots_ = {};
        if (auto* product = std::get_if<Product>(&operation))
            product->packing = packing_of(product->rows, product->riders);
        operations_.push_back(std::move(operation));
    }
    /// Run what leaves the leading axes alone block by block: in as many blocks as the least of
    /// `counts` that makes each at most `largest` elements. To be called behind the last `add`.
    void set_blocks(std::span<const std::int64_t> counts, std::int64_t largest) {
        groups_ = block_groups(operations_, sizes_, counts, largest);
        slots_ = {};
    }
    [[nodiscard]] std::int64_t size(int buffer) const { return sizes_[buffer]; }

    /// start = T(end), and per stage the post-decision states if `posts` has one span a stage.
    void run(std::span<const T> end, std::span<T> start,
             std::span<const std::span<std::uint32_t>> posts = {}) {
        assert(std::int64_t(end.size()) == sizes_[0] && std::int64_t(start.size()) == sizes_[1]);
        bind(end, start);
        keep_posts_ = false;
        auto group = posts.empty() ? groups_.begin() : groups_.end();
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            if (group != groups_.end() && group->first == i) {
                run_blocks(*group, operations_, sizes_, tensors_, num_threads_);
                i = group++->last - 1;
                continue;
            }
            std::visit([&](auto& op) { apply(op, posts); }, operations_[i]);
        }
        if (!posts.empty()) posts_.clear(), posts_.shrink_to_fit();
    }

  private:
    void bind(std::span<const T> end, std::span<T> start) {
        if (slots_.slot.empty()) slots_ = share_buffers(operations_, groups_, sizes_);
        scratch_.resize(slots_.size.size());
        for (std::size_t s = 0; s < scratch_.size(); ++s) scratch_[s].resize(slots_.size[s]);
        tensors_.assign(sizes_.size(), {});
        // Buffer 0 is only ever read: the lowering never writes to it.
        tensors_[0].value = const_cast<T*>(end.data());
        tensors_[1].value = start.data();
        for (std::size_t b = 2; b < sizes_.size(); ++b)
            if (slots_.slot[b] >= 0) tensors_[b].value = scratch_[slots_.slot[b]].data();
    }
    /// The output tensor of an operation, with room for post-decision states inside a stage.
    Tensor<T> output(int buffer) {
        tensors_[buffer].post = nullptr;
        if (!keep_posts_) return tensors_[buffer];
        posts_.resize(slots_.size.size() + 2);
        auto& posts = posts_[buffer < 2 ? buffer : slots_.slot[buffer] + 2];
        if (std::int64_t(posts.size()) < sizes_[buffer]) posts.resize(sizes_[buffer]);
        return {tensors_[buffer].value, posts.data()};
    }
    using Posts = std::span<const std::span<std::uint32_t>>;

    void apply(const Product& op, Posts) {
        const auto in = tensors_[op.in];
        const auto out = output(op.out);
        if (out.post)
            mode_product(op.rule, op.rows, op.riders, in, out, num_threads_);
        else
            fastest_product(op, op.riders, op.dense, in.value, out.value, num_threads_);
        tensors_[op.out] = out;
    }
    void apply(const AddCost& op, Posts) {
        add_cost(op.cost, tensors_[op.in].value, tensors_[op.out].value, num_threads_);
        pass_posts(op.in, op.out);
    }
    void apply(const Scale& op, Posts) {
        scale(op.factor, tensors_[op.in].value, tensors_[op.out].value, sizes_[op.out],
              num_threads_);
        pass_posts(op.in, op.out);
    }
    void apply(const TakeCheaper& op, Posts) {
        const auto in = tensors_[op.in];
        const auto out = op.first ? output(op.out) : tensors_[op.out];
        take_cheaper(op.cost, op.first, in, out, sizes_[op.out], num_threads_);
        tensors_[op.out] = out;
    }
    void apply(const StageEnd& op, Posts posts) {
        keep_posts_ = !posts.empty();
        tensors_[op.buffer].post = nullptr;
    }
    void apply(const StageStart& op, Posts posts) {
        if (keep_posts_) write_posts(tensors_[op.buffer].post, posts[op.stage]);
        keep_posts_ = false;
    }
    static void write_posts(const std::uint32_t* post, std::span<std::uint32_t> to) {
        for (std::size_t i = 0; i < to.size(); ++i)
            to[i] = post ? post[i] : static_cast<std::uint32_t>(i);
    }
    /// An elementwise operation leaves the post-decision states as they are.
    void pass_posts(int in, int out) {
        if (in == out) return;
        const auto* from = tensors_[in].post;
        tensors_[out].post = nullptr;
        if (!keep_posts_ || !from) return;
        tensors_[out] = output(out);
        std::copy_n(from, sizes_[out], tensors_[out].post);
    }

    std::vector<std::int64_t> sizes_;
    int num_threads_;
    std::vector<Operation> operations_;
    std::vector<BlockGroup> groups_;
    BufferSlots slots_;
    std::vector<std::vector<T>> scratch_;  // [slots]
    std::vector<std::vector<std::uint32_t>> posts_;
    std::vector<Tensor<T>> tensors_;
    bool keep_posts_ = false;
};

}  // namespace sparing
