#pragma once
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sparing {

/// Large blocks that are free, up to a gibibyte, oldest first: to map fresh pages can take longer
/// than a solve, and the next solve is often of the same size.
class FreeBlocks {
  public:
    static FreeBlocks& instance() {
        static FreeBlocks blocks;
        return blocks;
    }
    ~FreeBlocks() {
        for (const Block& b : blocks_) std::free(b.data);
    }

    /// A block of just this size, or null.
    void* take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        const auto at = std::ranges::find(blocks_, bytes, &Block::bytes);
        if (at == blocks_.end()) return nullptr;
        void* const data = at->data;
        blocks_.erase(at);
        held_ -= bytes;
        return data;
    }
    void give(void* data, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        blocks_.push_back({data, bytes});
        held_ += bytes;
        while (held_ > kMost) {
            std::free(blocks_.front().data);
            held_ -= blocks_.front().bytes;
            blocks_.erase(blocks_.begin());
        }
    }

  private:
    struct Block {
        void* data;
        std::size_t bytes;
    };
    static constexpr std::size_t kMost = std::size_t{1} << 30;
    std::mutex mutex_;
    std::vector<Block> blocks_;
    std::size_t held_ = 0;
};

/// An array on cache lines (large ones: on huge pages where the system gives them), not
/// initialised, with a little room behind the end.
template <class T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(std::size_t size) : size_(size) {
        const bool large = size * sizeof(T) >= kHuge / 8;
        const std::size_t align = large ? kHuge : 64;
        const std::size_t bytes = ((size * sizeof(T) + 64) / align + 1) * align;
        if (large) data_ = Data(static_cast<T*>(FreeBlocks::instance().take(bytes)), {bytes});
        if (data_) return;
        data_ = Data(static_cast<T*>(std::aligned_alloc(align, bytes)), {large ? bytes : 0});
        if (!data_) throw std::bad_alloc();
#if defined(__linux__)
        if (large) madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
    }

    T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

    /// Writes to every page, by all threads: first touch maps them, which takes longer than a
    /// sweep.
    void touch(int threads) {
        constexpr std::ptrdiff_t page = 4096 / sizeof(T);
        const auto n = static_cast<std::ptrdiff_t>(size_);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (std::ptrdiff_t i = 0; i < n; i += page) data_.get()[i] = T(0);
    }

  private:
    static constexpr std::size_t kHuge = std::size_t{2} << 20;
    struct Free {
        std::size_t kept = 0;  // bytes of a block that is worth keeping
        void operator()(T* p) const {
            if (kept > 0)
                FreeBlocks::instance().give(p, kept);
            else
                std::free(p);
        }
    };
    using Data = std::unique_ptr<T, Free>;
    Data data_;
    std::size_t size_ = 0;
};

}  // namespace sparing
