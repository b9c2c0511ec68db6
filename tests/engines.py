"""What tests say of the engines that they start for themselves."""

from __future__ import annotations

from pathlib import Path

from laketop.settings import Settings

SHORT_LIVED = {"LAKETOP_ENGINE_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""For an engine that answers a few statements and ends: a cold one does that in half the
processor's time without the JVM's second compiler."""

RUNTIME = Settings.read(Path.cwd()).runtime
"""The runtime that the tests run on: LAKETOP_RUNTIME chooses another."""
