"""Online stores: feature tables published for look-ups by key, through the workspace's REST API.

The workspace is the one that databricks-sdk finds, which comes with MLflow, here as on Databricks.
Source: the documented Feature Store API, `/api/2.0/feature-store`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from laketop.errors import LaketopError, NotFound

_API = "/api/2.0/feature-store"
_LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class OnlineStore:
    """An online store, as the workspace knows it.

    `capacity` is CU_1, CU_2, CU_4 or CU_8; `state` is AVAILABLE once it can be published to.
    """

    name: str
    capacity: str
    state: str = ""
    read_replica_count: int = 0
    creator: str | None = None
    creation_time: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> OnlineStore:
        """Return what the workspace told."""
        return cls(**{name: told[name] for name in cls.__dataclass_fields__ if name in told})


@dataclass(frozen=True, kw_only=True)
class PublishedTable:
    """What `publish_table` made; `pipeline_id` is None where no pipeline is needed."""

    online_table_name: str
    pipeline_id: str | None = None


class OnlineStores:
    """The methods of the feature client that concern online stores."""

    def create_online_store(
        self, *, name: str, capacity: str, read_replica_count: int | None = None
    ) -> OnlineStore:
        """Make an online store.

        Errors: LaketopError for a name that is taken, and for another capacity than CU_1, CU_2,
        CU_4 and CU_8.
        """
        body = {"name": name, "capacity": capacity, "read_replica_count": read_replica_count}
        return OnlineStore.of(asked("POST", "/online-stores", _given(body)))

    def get_online_store(self, *, name: str) -> OnlineStore:
        """Return an online store.

        Errors: NotFound.
        """
        return OnlineStore.of(asked("GET", _place(name), missing=("online store", name)))

    def list_online_stores(self) -> list[OnlineStore]:
        """Return every online store."""
        found: list[OnlineStore] = []
        token = ""
        while True:
            query = f"?page_token={quote(token, safe='')}" if token else ""
            page = asked("GET", f"/online-stores{query}")
            found.extend(map(OnlineStore.of, page.get("online_stores", ())))
            token = page.get("next_page_token") or ""
            if not token:
                return found

    def update_online_store(
        self, *, name: str, capacity: str | None = None, read_replica_count: int | None = None
    ) -> OnlineStore:
        """Change what is given of an online store.

        Errors: NotFound; ValueError when nothing is given.
        """
        body = _given({"capacity": capacity, "read_replica_count": read_replica_count})
        if not body:
            raise ValueError(f"give the capacity or read_replica_count of {name!r}")
        path = f"{_place(name)}?update_mask={','.join(body)}"
        sent = {"name": name, **body}
        return OnlineStore.of(asked("PATCH", path, sent, missing=("online store", name)))

    def delete_online_store(self, *, name: str) -> None:
        """Delete an online store.

        Errors: NotFound; LaketopError while it holds online tables.
        """
        asked("DELETE", _place(name), missing=("online store", name))

    def publish_table(
        self,
        *,
        online_store: OnlineStore,
        source_table_name: str,
        online_table_name: str,
        publish_mode: str = "TRIGGERED",
        streaming: bool | None = None,
    ) -> PublishedTable:
        """Bring the online table of a feature table up to date, made where there is none.

        The newest row of each key is published. SNAPSHOT copies every row; TRIGGERED what changed
        since the time before; CONTINUOUS also all that changes from then on. `streaming` is the
        older name of CONTINUOUS. Models whose features are published can be served with keys only.
        Errors: LaketopError for a store, schema or source that is not there, a source without a
        change data feed in other modes than SNAPSHOT, keys that are NULL, come twice, or are
        neither text, whole numbers nor booleans.
        """
        spec = {
            "online_store": online_store.name,
            "online_table_name": online_table_name,
            "publish_mode": "CONTINUOUS" if streaming else publish_mode,
        }
        path = f"/tables/{quote(source_table_name, safe='')}/publish"
        told = asked("POST", path, {"publish_spec": spec})
        return PublishedTable(
            online_table_name=told["online_table_name"], pipeline_id=told.get("pipeline_id")
        )

    def drop_online_table(self, *, name: str, online_store: OnlineStore) -> None:
        """Drop an online table of this store; its source stays.

        Errors: NotFound when store or table are not there.
        """
        self.get_online_store(name=online_store.name)
        path = f"/online-tables/{quote(name, safe='')}"
        asked("DELETE", path, missing=("online table", name))


def asked(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    missing: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the workspace answers.

    Errors: NotFound, of the kind and name in `missing`, where it has no such thing; LaketopError
    with its own sentence for all else, also where no workspace is configured.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.config import Config
    from databricks.sdk.errors.base import DatabricksError

    try:
        config = Config(http_timeout_seconds=_LONGEST_SECONDS, retry_timeout_seconds=1)
        client = WorkspaceClient(config=config).api_client
        told = client.do(method, _API + path, body=None if body is None else dict(body))
    except (DatabricksError, ValueError, OSError) as error:
        raise failure_of(error, missing) from error
    return told if isinstance(told, dict) else {}


def failure_of(error: Exception, missing: tuple[str, str] | None = None) -> LaketopError:
    """Return what `asked` raises where databricks-sdk has raised `error`.

    A throttled answer, 429 or 503, is the cause of the TimeoutError with which the SDK gives up.
    """
    from databricks.sdk.errors.base import DatabricksError

    told = error if isinstance(error, DatabricksError) else error.__cause__
    if not isinstance(told, DatabricksError):  # no credentials, or nobody who listens
        return LaketopError(
            f"online stores are kept by a workspace, and none answers: {told or error}",
            hint="set DATABRICKS_HOST and DATABRICKS_TOKEN",
        )
    if missing is not None and told.error_code == "RESOURCE_DOES_NOT_EXIST":
        return NotFound(*missing)
    return LaketopError(str(told))


def _place(store: str) -> str:
    return f"/online-stores/{quote(store, safe='')}"


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
