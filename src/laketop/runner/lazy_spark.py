"""`spark` as a notebook finds it: opened when it is first used, not before."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from laketop.errors import EngineMissing, Refused
from laketop.shims.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from pyspark.sql import SparkSession


class SparkOnDemand:
    """Opens the task's Spark session once, and tells those who asked to know."""

    def __init__(self) -> None:
        self._session: SparkSession | None = None
        self._lock = threading.RLock()
        self._told: list[Callable[[SparkSession], None]] = []

    def when_opened(self, tell: Callable[[SparkSession], None]) -> None:
        """Call `tell` with the session once it is open."""
        self._told.append(tell)

    @property
    def is_open(self) -> bool:
        """Whether the session was opened."""
        return self._session is not None

    def session(self) -> SparkSession:
        """Return the session, opened if it is not.

        Errors: EngineMissing without SPARK_REMOTE.
        """
        with self._lock:
            if self._session is None:
                self._session = _open()
                for tell in self._told:
                    tell(self._session)
            return self._session


def _open() -> SparkSession:
    if not os.environ.get("SPARK_REMOTE"):
        raise EngineMissing(
            "this task has no engine: SPARK_REMOTE is not set", hint="start it by `laketop run`"
        )
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


def open_where_one_is_needed(on_demand: SparkOnDemand) -> None:
    """Let PySpark have the session of the task where it cannot do without an active one.

    On Databricks there is one from the start, and `pandas_udf("double")` asks it for the type.
    """

    def wrap(module: ModuleType) -> None:
        session: Any = module.SparkSession
        original = session.active

        def active(cls: Any) -> Any:
            is_there = cls.getActiveSession() is not None or cls._get_default_session() is not None
            if not (is_there or on_demand.is_open):  # one that was stopped is not opened again
                on_demand.session()
            return original()

        session.active = classmethod(active)

    after_import("pyspark.sql.connect.session", wrap)


class LazySpark:
    """Stands for the session until it is used; passes for one in `isinstance`."""

    def __init__(self, on_demand: SparkOnDemand) -> None:
        object.__setattr__(self, "_on_demand", on_demand)

    @property  # type: ignore[misc]  # a class that is known only later
    def __class__(self) -> type:
        return type(self._on_demand.session())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._on_demand.session(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._on_demand.session(), name, value)

    def __enter__(self) -> Any:
        return self._on_demand.session().__enter__()

    def __exit__(self, *error: object) -> None:
        self._on_demand.session().__exit__(*error)

    def __reduce__(self) -> Any:
        return self._on_demand.session().__reduce__()

    def __dir__(self) -> list[str]:
        return dir(self._on_demand.session())

    def __repr__(self) -> str:
        return repr(self._on_demand.session())


class NotOverConnect:
    """A name that Databricks defines on classic clusters only; any use of it is refused."""

    def __init__(self, name: str, instead: str) -> None:
        object.__setattr__(self, "_refusal", (name, instead))

    def __getattr__(self, attribute: str) -> Any:
        name, instead = self._refusal
        if attribute.startswith(("__", "_repr_", "_ipython_")):
            raise AttributeError(attribute)  # Python and IPython only look around
        raise Refused(f"{name}.{attribute}", hint=instead)

    def __repr__(self) -> str:
        name, instead = self._refusal
        return f"<{name}: not there over Spark Connect, {instead}>"


SC = NotOverConnect("sc", "there is no SparkContext over Spark Connect: use `spark`")
SQL_CONTEXT = NotOverConnect("sqlContext", "there is no SQLContext over Spark Connect: use `spark`")
