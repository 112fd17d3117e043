#include "bindings.hpp"

void bind_component_belief(py::module_& m);
void bind_base_stock(py::module_& m);
void bind_crew_rules(py::module_& m);
void bind_epoch_program(py::module_& m);
void bind_failure_step(py::module_& m);
void bind_explicit(py::module_& m);
void bind_load_sharing(py::module_& m);
void bind_pomdp(py::module_& m);
void bind_network(py::module_& m);
void bind_ration(py::module_& m);
void bind_ration_learned(py::module_& m);
void bind_rollout(py::module_& m);
void bind_separable(py::module_& m);
void bind_transient(py::module_& m);

PYBIND11_MODULE(_core, m) {
    m.doc() = "Kernels of sparing. Private: arguments are trusted, checks are made in Python.";
    bind_component_belief(m);
    bind_base_stock(m);
    bind_crew_rules(m);
    bind_epoch_program(m);
    bind_explicit(m);
    bind_failure_step(m);
    bind_load_sharing(m);
    bind_pomdp(m);
    bind_network(m);
    bind_ration(m);
    bind_ration_learned(m);
    bind_rollout(m);
    bind_separable(m);
    bind_transient(m);
}
