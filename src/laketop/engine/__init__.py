"""Spark for a project: the warm local engine, or whatever SPARK_REMOTE names."""

from __future__ import annotations

from laketop.engine.connect import Engine, RemoteEngine
from laketop.engine.local import EngineState, LocalEngine, is_free
from laketop.engine.runtime import Runtime

__all__ = ["Engine", "EngineState", "LocalEngine", "RemoteEngine", "Runtime", "is_free"]
