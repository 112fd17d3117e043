#include "bindings.hpp"

void bind_explicit(py::module_& m);

PYBIND11_MODULE(_core, m) {
    m.doc() = "Kernels of sparing. Private: arguments are trusted, checks are made in Python.";
    bind_explicit(m);
}
