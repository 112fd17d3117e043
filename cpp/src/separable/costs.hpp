#pragma once
#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include "sparing/separable.hpp"

namespace sparing {

/// A sum of cost terms on a tensor seen as rows x columns: a number per row plus tables with a
/// row of values per class of rows. Terms on one side only never grow to the size of the tensor.
template <class T>
struct CostForm {
    struct Table {
        std::vector<std::uint32_t> row_class;  // [rows]
        std::vector<T> values;                 // [classes][pitch], padded
    };
    std::vector<double> row;  // [rows]
    std::vector<T> number;    // [rows] the same in T
    std::vector<Table> tables;
    std::size_t pitch = 0;
    bool any = false;        // false: the sum is zero
    double magnitude = 0.0;  // of its finite entries at most

    std::size_t count() const { return tables.size(); }
    /// The tables as a kernel takes them, for a tile that starts at row r and column c.
    const TableRows<T>* at(std::size_t r, std::size_t c, std::vector<TableRows<T>>& out) const {
        out.resize(tables.size());
        for (std::size_t k = 0; k < tables.size(); ++k)
            out[k] = {tables[k].row_class.data() + r, tables[k].values.data() + c, pitch};
        return out.data();
    }
};

struct ScaledTerms {
    std::span<const CostTerm> terms;
    double factor;
};

/// Where the states of axes [begin, end) point in the values of a term, in C order.
inline std::vector<std::size_t> term_offsets(const CostTerm& term,
                                             std::span<const std::size_t> sizes, std::size_t begin,
                                             std::size_t end) {
    std::vector<std::size_t> offsets{0}, grown;
    for (std::size_t axis = begin; axis < end; ++axis) {
        std::vector<std::size_t> step(sizes[axis], 0);
        std::size_t stride = 1;
        for (std::size_t k = term.axes.size(); k-- > 0; stride *= term.counts[k]) {
            if (term.axes[k] != axis) continue;
            for (std::size_t s = 0; s < step.size(); ++s)
                step[s] =
                    stride *
                    (term.groups[k].empty() ? s : static_cast<std::size_t>(term.groups[k][s]));
        }
        grown.clear();
        grown.reserve(offsets.size() * step.size());
        for (const std::size_t o : offsets)
            for (const std::size_t s : step) grown.push_back(o + s);
        offsets.swap(grown);
    }
    return offsets;
}

/// Rows whose keys are equal form a class; classes are numbered as they appear.
inline std::vector<std::uint32_t> row_classes(const std::vector<std::size_t>& keys,
                                              std::vector<std::size_t>& distinct) {
    std::map<std::size_t, std::uint32_t> number;
    std::vector<std::uint32_t> out(keys.size());
    for (std::size_t r = 0; r < keys.size(); ++r) {
        const auto [at, is_new] =
            number.try_emplace(keys[r], static_cast<std::uint32_t>(distinct.size()));
        if (is_new) distinct.push_back(keys[r]);
        out[r] = at->second;
    }
    return out;
}

template <class T>
class CostBuilder {
  public:
    /// The first `lead` axes are the rows.
    CostBuilder(std::span<const std::size_t> sizes, std::size_t lead, std::size_t padding)
        : sizes_(sizes), lead_(lead) {
        std::size_t rows = 1, cols = 1;
        for (std::size_t i = 0; i < sizes.size(); ++i) (i < lead ? rows : cols) *= sizes[i];
        form_.row.assign(rows, 0.0);
        cols_ = cols;
        form_.pitch = (cols + padding - 1) / padding * padding;
    }

    CostBuilder& add(ScaledTerms scaled) {
        for (const CostTerm& term : scaled.terms) add(term, scaled.factor);
        return *this;
    }

    /// With tables of zeros up to `fewest`.
    CostForm<T> build(std::size_t fewest = 0) {
        while (drafts_.size() < fewest)
            drafts_.push_back(
                {std::vector<std::uint32_t>(form_.row.size()), std::vector<double>(form_.pitch)});
        for (Draft& d : drafts_) {
            typename CostForm<T>::Table table{std::move(d.row_class),
                                              std::vector<T>(d.values.size())};
            std::ranges::transform(d.values, table.values.begin(),
                                   [](double v) { return static_cast<T>(v); });
            form_.tables.push_back(std::move(table));
        }
        form_.number.resize(form_.row.size());
        std::ranges::transform(form_.row, form_.number.begin(),
                               [](double v) { return static_cast<T>(v); });
        return std::move(form_);
    }

  private:
    struct Draft {
        std::vector<std::uint32_t> row_class;
        std::vector<double> values;
    };

    void add(const CostTerm& term, double factor) {
        form_.any = true;
        double largest = 0.0;
        for (const double v : term.values)
            if (std::isfinite(v)) largest = std::max(largest, std::abs(factor * v));
        form_.magnitude += largest;
        const auto by_row = term_offsets(term, sizes_, 0, lead_);
        const auto by_col = term_offsets(term, sizes_, lead_, sizes_.size());
        if (std::ranges::all_of(by_col, [](std::size_t o) { return o == 0; })) {
            for (std::size_t r = 0; r < by_row.size(); ++r)
                form_.row[r] += factor * term.values[by_row[r]];
            return;
        }
        std::vector<std::size_t> distinct;
        auto classes = row_classes(by_row, distinct);
        Draft& draft = find(std::move(classes), distinct.size());
        for (std::size_t k = 0; k < distinct.size(); ++k)
            for (std::size_t c = 0; c < cols_; ++c)
                draft.values[k * form_.pitch + c] += factor * term.values[distinct[k] + by_col[c]];
    }

    /// Terms that tell the same rows apart share a table.
    Draft& find(std::vector<std::uint32_t> classes, std::size_t count) {
        for (Draft& d : drafts_)
            if (d.row_class == classes) return d;
        drafts_.push_back({std::move(classes), std::vector<double>(count * form_.pitch, 0.0)});
        return drafts_.back();
    }

    std::span<const std::size_t> sizes_;
    std::size_t lead_, cols_ = 1;
    CostForm<T> form_;
    std::vector<Draft> drafts_;
};

}  // namespace sparing
