"""What is compiled once for several tests, and for the processes that they start."""

import os
from contextlib import contextmanager

import jax


@contextmanager
def shared_compilation(folder):
    """Keep what is compiled in `folder`, for this process and those that it starts."""
    names = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in names}
    environment = {name.upper(): str(value) for name, value in names.items()}
    for name, value in names.items():
        jax.config.update(name, value)
    os.environ.update(environment)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    for name in environment:
        del os.environ[name]
