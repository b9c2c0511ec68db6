"""Sessions of SQL: what one statement sets, the next one finds.

Source: databricks-sql-connector, `use_sea=True`; Databricks docs, SQL configuration parameters.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from laketop.engine.connect import RemoteEngine, tells_of_an_end
from laketop.errors import LaketopError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IDLE_MS = 3_600_000
"""How long a session is kept that has no statement."""
_SETTINGS = {
    "ansi_mode": "spark.sql.ansi.enabled",
    "legacy_time_parser_policy": "spark.sql.legacy.timeParserPolicy",
    "max_file_partition_bytes": "spark.sql.files.maxPartitionBytes",
    "timezone": "spark.sql.session.timeZone",
}
"""The setting of the engine for each SQL parameter."""
_WITHOUT_EFFECT = {
    "enable_photon": None,
    "query_tags": None,
    "read_only_external_metastore": "false",
    "statement_timeout": "0",
    "use_cached_result": None,
}
"""Parameters that change no answer here, and the value that they must have, None = any."""


def settings_of(sent: Mapping[str, Any]) -> dict[str, str]:
    """Return the engine's settings for SQL parameters of any case.

    Errors: ValueError that names a parameter or a value that cannot be had here.

    >>> settings_of({"TIMEZONE": "UTC", "use_cached_result": "true"})
    {'spark.sql.session.timeZone': 'UTC'}
    """
    found = {}
    for name, value in sent.items():
        word, text = name.lower(), str(value)
        if word in _SETTINGS:
            found[_SETTINGS[word]] = text
        elif word not in _WITHOUT_EFFECT:
            known = ", ".join(sorted(_SETTINGS.keys() | _WITHOUT_EFFECT.keys()))
            raise ValueError(f"the parameter {name!r} is none of {known}")
        elif _WITHOUT_EFFECT[word] not in {None, text.lower()}:
            raise ValueError(f"{name} is always {_WITHOUT_EFFECT[word]} here, not {text!r}")
    return found


class SqlSession:
    """A session of the engine that is opened by its first statement.

    A schema that is not there yet is the session's own once it is: clients make it first. `clock`
    tells how long it has been idle, and goes on steadily.
    """

    def __init__(
        self,
        *,
        user: str,
        catalog: str | None,
        schema: str | None,
        settings: Mapping[str, str],
        clock: Callable[[], int],
    ) -> None:
        self.user = user
        self._catalog = catalog
        self._first_schema = self._schema = schema
        self._settings = settings
        self._clock = clock
        self._used_ms = clock()
        self._running = 0
        self._guard = threading.Lock()
        self._spark: SparkSession | None = None
        self._has_ended = False

    def is_idle(self) -> bool:
        """Tell whether it has had no statement for so long that it ends."""
        return not self._running and self._clock() - self._used_ms > IDLE_MS

    @contextlib.contextmanager
    def opened(self, remote: Callable[[], str]) -> Iterator[SparkSession]:
        """Return the engine's session for a statement; `remote` gives the engine's address.

        Errors: LaketopError without an engine, or for a session that has ended; what the engine
        says of a catalog or a setting.
        """
        address = remote()
        with self._guard:
            spark = self._ready(address)
            self._running += 1
        try:
            yield spark
        except Exception as error:
            if tells_of_an_end(f"{type(error).__name__}: {error}"):
                self._lose(spark)
            raise
        finally:
            with self._guard:
                self._running -= 1
                self._used_ms = self._clock()

    def _lose(self, spark: SparkSession) -> None:
        """Let the next statement open the session anew, as it was when it was opened first."""
        with self._guard:
            if self._spark is spark:
                self._spark, self._schema = None, self._first_schema

    def leave_schema(self) -> None:
        """Forget the schema that was not there: the client has chosen another one."""
        self._first_schema = self._schema = None

    def end(self) -> None:
        """End it and what it runs; not waited for."""
        self._has_ended = True
        threading.Thread(target=self._end, name="laketop-sql-session", daemon=True).start()

    def _end(self) -> None:
        with self._guard:
            spark, self._spark = self._spark, None
        if spark is not None:
            with contextlib.suppress(Exception):  # the engine may be gone
                spark.interruptAll()
            with contextlib.suppress(Exception):
                spark.stop()

    def _ready(self, address: str) -> SparkSession:
        if self._has_ended:
            raise LaketopError("the session of the statement has ended")
        if self._spark is None:
            self._spark = self._open(address)
        if self._schema is not None and self._spark.catalog.databaseExists(self._schema):
            self._spark.catalog.setCurrentDatabase(self._schema)
            self._schema = None
        return self._spark

    def _open(self, address: str) -> SparkSession:
        spark = RemoteEngine(address).session()
        try:
            for name, value in self._settings.items():
                spark.conf.set(name, value)
            if self._catalog is not None:
                spark.catalog.setCurrentCatalog(self._catalog)
        except BaseException:
            spark.stop()
            raise
        return spark
