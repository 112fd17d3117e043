#include "bindings.hpp"

PYBIND11_MODULE(_core, m) {
    m.doc() = "Kernels of sparing. Private: arguments are trusted, checks are made in Python.";
}
