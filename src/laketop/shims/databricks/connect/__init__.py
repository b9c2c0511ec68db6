"""`databricks.connect`: DatabricksSession, which opens the session of the local engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from laketop.errors import EngineMissing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["DatabricksSession"]


class _Builder:
    # What says where to connect to is accepted and ignored: the engine is the local one.

    def __init__(self) -> None:
        self._options: dict[str, str] = {}

    def remote(self, *_args: Any, **_kwargs: Any) -> _Builder:
        """Accept host, cluster_id, token: the local engine stands in."""
        return self

    def profile(self, _profile: str) -> _Builder:
        """Accept a profile: the local engine stands in."""
        return self

    def serverless(self, enabled: bool = True) -> _Builder:  # noqa: ARG002 - the platform's signature
        """Accept serverless compute: the local engine stands in."""
        return self

    def clusterId(self, _cluster_id: str) -> _Builder:  # noqa: N802 - the platform's name
        """Accept a cluster: the local engine stands in."""
        return self

    def sdkConfig(self, _config: Any) -> _Builder:  # noqa: N802 - the platform's name
        """Accept a configuration of the SDK: the local engine stands in."""
        return self

    def host(self, _host: str) -> _Builder:
        """Accept a host: the local engine stands in."""
        return self

    def token(self, _token: str) -> _Builder:
        """Accept a token: the local engine stands in."""
        return self

    def userAgent(self, _user_agent: str) -> _Builder:  # noqa: N802 - the platform's name
        """Accept a user agent, which nothing reads."""
        return self

    def validateSession(self, _enabled: bool = True) -> _Builder:  # noqa: N802 - the platform's name
        """Accept the wish; the local engine is asked as soon as the session opens."""
        return self

    def appName(self, name: str) -> _Builder:  # noqa: N802 - the platform's name
        """Name the application."""
        return self.config("spark.app.name", name)

    def config(self, key: str, value: Any) -> _Builder:
        """Set a conf of the session."""
        self._options[key] = str(value)
        return self

    def getOrCreate(self) -> SparkSession:  # noqa: N802 - the platform's name
        """Return the session of this process, opened if there is none.

        Errors: EngineMissing without SPARK_REMOTE.
        """
        session: SparkSession = self._builder().getOrCreate()
        return session

    def create(self) -> SparkSession:
        """Open a new session.

        Errors: EngineMissing without SPARK_REMOTE.
        """
        session: SparkSession = self._builder().create()
        return session

    def _builder(self) -> Any:
        remote = os.environ.get("SPARK_REMOTE")
        if remote is None:
            raise EngineMissing(
                "no engine to connect to: SPARK_REMOTE is not set",
                hint="run this by `laketop run`, or set what `laketop env` prints",
            )
        from pyspark.sql import SparkSession

        builder: Any = SparkSession.builder.remote(remote)
        for key, value in self._options.items():
            builder = builder.config(key, value)
        return builder


class _Builders:
    # A fresh builder each time `DatabricksSession.builder` is read, as in pyspark.

    def __get__(self, instance: object, owner: type) -> _Builder:
        return _Builder()


class DatabricksSession:
    """The way to a Spark session that code written for Databricks Connect takes."""

    Builder = _Builder
    builder = _Builders()
