"""Hypothesis profiles: small by default, full sizes with `nox -s torture`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    deadline=None,  # the machine may be busy; nothing here asserts on seconds
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("torture", settings.get_profile("default"), max_examples=10_000)
settings.load_profile("default")
