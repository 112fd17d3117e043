"""Puts this folder on the path, so that tests in every room can import the reference."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "sparing", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("sparing")
