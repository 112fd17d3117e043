#pragma once
#include <omp.h>

#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sparing {

/// An array on cache lines (large ones: on huge pages where the system gives them), not
/// initialised, with a little room behind the end.
template <class T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(std::size_t size) : size_(size) {
        const std::size_t align = size * sizeof(T) < kHuge / 8 ? 64 : kHuge;
        const std::size_t bytes = ((size * sizeof(T) + 64) / align + 1) * align;
        data_.reset(static_cast<T*>(std::aligned_alloc(align, bytes)));
        if (!data_) throw std::bad_alloc();
#if defined(__linux__)
        if (align == kHuge) madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
    }

    T* data() const { return data_.get(); }
    std::size_t size() const { return size_; }

    /// Zeros, written by all threads: first touch maps the pages, which takes longer than a sweep.
    void clear(int threads) {
        const auto n = static_cast<std::ptrdiff_t>(size_);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (std::ptrdiff_t i = 0; i < n; ++i) data_.get()[i] = T(0);
    }

  private:
    static constexpr std::size_t kHuge = std::size_t{2} << 20;
    struct Free {
        void operator()(T* p) const { std::free(p); }
    };
    std::unique_ptr<T, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace sparing
