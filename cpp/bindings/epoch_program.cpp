#include "sparing/epoch_program.hpp"

#include <pybind11/stl.h>

#include "bindings.hpp"

using namespace pybind11::literals;

namespace {

template <class T>
std::vector<T> copied(const Array<T>& a) {
    return {a.data(), a.data() + a.size()};
}

template <class T>
void bind_program(py::module_& m, const char* name) {
    using Program = sparing::EpochProgram<T>;
    using Indices = Array<std::int64_t>;
    using Numbers = Array<double>;
    py::class_<Program>(m, name)
        .def(py::init<std::vector<std::int64_t>, int>(), "buffer_sizes"_a, "num_threads"_a)
        .def(
            "add_product",
            [](Program& p, bool minimise, int in, int out, const Indices& indptr,
               const Indices& source, const Numbers& weight, const Numbers& start,
               const Indices& target, const Indices& count, const Indices& out_stride,
               const Indices& in_stride, std::int64_t lanes, const Numbers& dense,
               std::int64_t dense_size, std::int64_t dense_outer) {
                using sparing::Semiring;
                p.add(sparing::Product{
                    minimise ? Semiring::min_plus : Semiring::plus_times,
                    in,
                    out,
                    {copied(indptr), copied(source), copied(weight), copied(start), copied(target)},
                    {copied(count), copied(out_stride), copied(in_stride), lanes},
                    {dense_size, dense_outer, lanes, copied(dense)}});
            },
            "minimise"_a, "source_buffer"_a, "target_buffer"_a, "indptr"_a.noconvert(),
            "source"_a.noconvert(), "weight"_a.noconvert(), "start"_a.noconvert(),
            "target"_a.noconvert(), "count"_a.noconvert(), "out_stride"_a.noconvert(),
            "in_stride"_a.noconvert(), "lanes"_a, "dense"_a.noconvert(), "dense_size"_a,
            "dense_outer"_a)
        .def(
            "add_cost",
            [](Program& p, int in, int out, const Indices& outer, const Indices& inner,
               const Numbers& values) {
                p.add(sparing::AddCost{in, out, {copied(outer), copied(inner), copied(values)}});
            },
            "source_buffer"_a, "target_buffer"_a, "outer"_a.noconvert(), "inner"_a.noconvert(),
            "values"_a.noconvert())
        .def(
            "add_scale",
            [](Program& p, int in, int out, double factor) {
                p.add(sparing::Scale{in, out, factor});
            },
            "source_buffer"_a, "target_buffer"_a, "factor"_a)
        .def(
            "add_take_cheaper",
            [](Program& p, int in, int out, double cost, bool first) {
                p.add(sparing::TakeCheaper{in, out, cost, first});
            },
            "source_buffer"_a, "target_buffer"_a, "cost"_a, "first"_a)
        .def(
            "add_stage_end", [](Program& p, int buffer) { p.add(sparing::StageEnd{buffer}); },
            "buffer"_a)
        .def(
            "add_stage_start",
            [](Program& p, int buffer, int stage) { p.add(sparing::StageStart{buffer, stage}); },
            "buffer"_a, "stage"_a)
        .def(
            "set_blocks",
            [](Program& p, const std::vector<std::int64_t>& counts, std::int64_t largest) {
                p.set_blocks(counts, largest);
            },
            "counts"_a, "largest"_a)
        .def(
            "run",
            [](Program& p, const Array<T>& end, Array<T>& start,
               std::vector<Array<std::uint32_t>> posts) {
                const auto from = in(end);
                const auto to = out(start);
                std::vector<std::span<std::uint32_t>> spans;
                for (auto& post : posts) spans.push_back(out(post));
                const py::gil_scoped_release release;
                p.run(from, to, spans);
            },
            "end"_a.noconvert(), "start"_a.noconvert(), "posts"_a);
    m.def(
        "range_of_difference",
        [](const Array<T>& a, const Array<T>& b, int num_threads) {
            const auto x = in(a), y = in(b);
            const py::gil_scoped_release release;
            return sparing::range_of_difference(x.data(), y.data(),
                                                static_cast<std::int64_t>(x.size()), num_threads);
        },
        "a"_a.noconvert(), "b"_a.noconvert(), "num_threads"_a);
    m.def(
        "subtract",
        [](Array<T>& value, double shift, int num_threads) {
            const auto x = out(value);
            const py::gil_scoped_release release;
            sparing::subtract(shift, x.data(), static_cast<std::int64_t>(x.size()), num_threads);
        },
        "value"_a.noconvert(), "shift"_a, "num_threads"_a);
}

}  // namespace

void bind_epoch_program(py::module_& m) {
    bind_program<double>(m, "EpochProgram64");
    bind_program<float>(m, "EpochProgram32");
}
