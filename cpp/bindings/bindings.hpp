#pragma once
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <span>

namespace py = pybind11;

// No forcecast: an array of another dtype or layout is refused, never copied.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class T>
std::span<const T> in(const Array<T>& a) {
    return {a.data(), static_cast<std::size_t>(a.size())};
}
template <class T>
std::span<T> out(Array<T>& a) {  // mutable_data throws on a read-only array
    return {a.mutable_data(), static_cast<std::size_t>(a.size())};
}
