#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "sparing/pomdp_file.hpp"

namespace sparing::pomdp {

/// Rows of probabilities as statements set them, one after another; the last one counts.
class RowLog {
  public:
    RowLog(std::int64_t num_rows, std::uint64_t max_entries)
        : max_entries_(max_entries),
          valid_from_(static_cast<std::size_t>(num_rows)),
          line_(static_cast<std::size_t>(num_rows)) {}

    void set(std::int64_t row, std::int64_t column, double value, std::int64_t line) {
        line_[static_cast<std::size_t>(row)] = static_cast<std::uint32_t>(line);
        push(row, column, value);
    }
    /// Forgets what was set in the row.
    void clear(std::int64_t row, std::int64_t line) {
        const auto r = static_cast<std::size_t>(row);
        valid_from_[r] = entries_.size();
        line_[r] = static_cast<std::uint32_t>(line);
    }
    /// Sets an entry of a row that was cleared before; zeros need no entry.
    void add(std::int64_t row, std::int64_t column, double value) {
        if (value != 0.0) push(row, column, value);
    }
    std::int64_t line_of(std::int64_t row) const { return line_[static_cast<std::size_t>(row)]; }

    /// The rows in CSR form, not scaled yet.
    Rows rows() {
        Rows out;
        const std::size_t num_rows = line_.size();
        out.indptr.assign(num_rows + 1, 0);
        for (std::size_t e = 0; e < entries_.size(); ++e)
            if (e >= valid_from_[entries_[e].row]) ++out.indptr[entries_[e].row + 1];
        for (std::size_t r = 0; r < num_rows; ++r) out.indptr[r + 1] += out.indptr[r];
        std::vector<Cell> cells(static_cast<std::size_t>(out.indptr.back()));
        {
            std::vector<std::int64_t> next(out.indptr.begin(), out.indptr.end() - 1);
            for (std::size_t e = 0; e < entries_.size(); ++e) {
                const Entry& entry = entries_[e];
                if (e >= valid_from_[entry.row])
                    cells[static_cast<std::size_t>(next[entry.row]++)] = {entry.column,
                                                                          entry.value};
            }
        }
        std::vector<Entry>().swap(entries_);
        compress(cells, out);
        return out;
    }

  private:
    struct Entry {
        std::uint32_t row, column;
        double value;
    };
    struct Cell {
        std::uint32_t column;
        double value;
    };

    void push(std::int64_t row, std::int64_t column, double value) {
        if (entries_.size() >= max_entries_)
            throw TooLarge("more than " + std::to_string(max_entries_) +
                           " entries do not fit into memory");
        entries_.push_back(
            {static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(column), value});
    }

    /// Sorts each row by column; of several entries of a column the last one counts.
    static void compress(std::vector<Cell>& cells, Rows& out) {
        const auto by_column = [](const Cell& a, const Cell& b) { return a.column < b.column; };
        out.column.reserve(cells.size());
        out.probability.reserve(cells.size());
        std::int64_t begin = 0;
        for (std::size_t r = 0; r + 1 < out.indptr.size(); ++r) {
            const std::int64_t end = out.indptr[r + 1];
            const auto first = cells.begin() + begin, last = cells.begin() + end;
            if (!std::is_sorted(first, last, by_column)) std::stable_sort(first, last, by_column);
            for (auto cell = first; cell != last; ++cell) {
                if (cell + 1 != last && (cell + 1)->column == cell->column) continue;
                if (cell->value == 0.0) continue;
                out.column.push_back(static_cast<std::int32_t>(cell->column));
                out.probability.push_back(cell->value);
            }
            begin = end;
            out.indptr[r + 1] = static_cast<std::int64_t>(out.column.size());
        }
    }

    std::uint64_t max_entries_;
    std::vector<Entry> entries_;
    std::vector<std::uint64_t> valid_from_;  // [rows] entries before it do not count
    std::vector<std::uint32_t> line_;        // [rows] of the last statement
};

}  // namespace sparing::pomdp
