"""What tests say of the engines that they start for themselves."""

from __future__ import annotations

SHORT_LIVED = {"LAKETOP_ENGINE_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""For an engine that answers a few statements and ends: a cold one does that in half the
processor's time without the JVM's second compiler."""
