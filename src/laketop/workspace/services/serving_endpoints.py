"""Serving endpoints: versions of models behind an URL, each loaded by a process of its own."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import logging
import random
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.errors.platform import (
    BadRequest,
    DeadlineExceeded,
    InternalError,
    InvalidParameterValue,
    NotFound,
    ResourceAlreadyExists,
    ResourceConflict,
)
from databricks.sdk.errors.platform import NotImplemented as NotServed
from databricks.sdk.service.serving import ServingEndpoint

from laketop.workspace.inference_tables import (
    AUTO_CAPTURE,
    GATEWAY,
    Exchange,
    entity_id,
    sent_of,
    table_of,
)
from laketop.workspace.payload_log import PayloadLog
from laketop.workspace.scorers import Answer, Scorer, ScorerFailed, Scorers, Served, TooSlow, clean
from laketop.workspace.served import Config, Entity, check_endpoint_name, choose, config_of
from laketop.workspace.service import Fields, Reply, Request, Service, route
from laketop.workspace.system_tables import SERVED_ENTITIES, served_entity_row

if TYPE_CHECKING:
    from laketop.workspace.workspace import Workspace

_QUERIES_AT_ONCE = 32
_READABLE = 80
"""How much of a model's name goes into the names of its scorers' files."""
_LOG_BYTES = 256 * 1024
_FIRST_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 10.0

log = logging.getLogger("laketop.workspace")

Got = TypeVar("Got")

Objects = list[dict[str, Any]]
"""A list of JSON objects; in the class below, `list` is what the client calls that route."""

Record = dict[str, Any]
"""An endpoint as it is kept: `config` serves, `pending` is on its way or has `failed`."""


class ServingEndpoints(Service):
    """Endpoints, their configurations, and the queries that they answer."""

    answer_seconds = 297.0
    """How long a model may think about one request; as on Databricks."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._scorers = Scorers(
            home=workspace.state / "serving",
            logs=workspace.state / "logs" / "serving",
            environment=dict(clean(workspace.settings.environment)),
        )
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()
        self._draws = random.Random(0)  # noqa: S311 - shares traffic out, keeps no secret
        self._queries = anyio.CapacityLimiter(_QUERIES_AT_ONCE)
        self.payloads = PayloadLog(workspace)

    def start(self) -> None:
        """Take up the deployments, and the rows, that an earlier process left unfinished."""
        if self.payloads.waits():
            self.payloads.begin()
        with self.store.transaction(write=False):
            unfinished = [
                (name, record["pending"]["deployment"])
                for name, record in self.table("endpoints").items()
                if _update_of(record) == "IN_PROGRESS"
            ]
        for name, deployment in unfinished:
            self._in_background(functools.partial(self._deploy, name, deployment))

    def shutdown(self) -> None:
        """End every scorer; what was being deployed is taken up at the next start."""
        self._closing.set()
        self.payloads.close()
        self._scorers.close()
        for thread in list(self._threads):
            thread.join()

    # What clients manage

    @route("POST /api/2.0/serving-endpoints", hold="check_config")
    def create(  # noqa: PLR0917 - the fields of the request
        self,
        name: str,
        config: dict[str, Any] | None = None,
        tags: Objects | None = None,
        description: str | None = None,
        ai_gateway: dict[str, Any] | None = None,
        rate_limits: Objects | None = None,
        route_optimized: bool | None = None,
    ) -> Record:
        """Create an endpoint and begin to load what it serves."""
        check_endpoint_name(name)
        _refuse(rate_limits=rate_limits, route_optimized=route_optimized)
        endpoints = self.table("endpoints")
        if name in endpoints:
            raise ResourceAlreadyExists(f"Endpoint with name '{name}' already exists.")
        now = self.workspace.now_ms()
        record: Record = {
            "id": uuid.uuid4().hex,
            "creator": self.workspace.user,
            "created_ms": now,
            "description": description,
            "tags": tags or [],
            "config": None,
            "pending": None,
            "failed": None,
            "tables": {},
        }
        self._capture(name, record, GATEWAY, ai_gateway)
        if config is not None:
            self._capture(name, record, AUTO_CAPTURE, config.get(AUTO_CAPTURE))
            self._begin(name, record, config_of(config))
        record["updated_ms"] = now
        endpoints[name] = record
        return self._told(name, record)

    @route("PUT /api/2.0/serving-endpoints/{name}/config", hold="check_update")
    def update_config(
        self,
        name: str,
        served_entities: Objects | None = None,
        served_models: Objects | None = None,
        traffic_config: dict[str, Any] | None = None,
        auto_capture_config: dict[str, Any] | None = None,
    ) -> Record:
        """Begin to load another configuration; the one before serves until that is done."""
        record = self._permitted(name, "CAN_MANAGE")
        if _update_of(record) == "IN_PROGRESS":
            raise ResourceConflict(f"Endpoint '{name}' is being updated; wait until it is done.")
        sent = _config_sent(served_entities, served_models, traffic_config, auto_capture_config)
        if auto_capture_config is not None:
            self._capture(name, record, AUTO_CAPTURE, auto_capture_config)
        self._begin(name, record, config_of(sent))
        record["updated_ms"] = self.workspace.now_ms()
        self.table("endpoints")[name] = record
        return self._told(name, record)

    @route("PUT /api/2.0/serving-endpoints/{name}/ai-gateway")
    def put_ai_gateway(self, name: str, fields: Fields) -> dict[str, Any]:
        """Keep requests and answers in an inference table from now on, or no longer."""
        record = self._permitted(name, "CAN_MANAGE")
        self._capture(name, record, GATEWAY, {k: v for k, v in fields.items() if k != "name"})
        record["updated_ms"] = self.workspace.now_ms()
        self.table("endpoints")[name] = record
        return _gateway_told(record)

    def _capture(self, name: str, record: Record, form: str, told: Any) -> None:
        """Let the requests of an endpoint go to the inference table that a client tells of."""
        kept = record.setdefault("tables", {})
        before, sent = kept.get(form), sent_of(form, told)
        if sent is None:
            kept.pop(form, None)
            return
        table = table_of(form, sent, name)
        if before is None:
            self.payloads.check(table)
        elif table_of(form, before, name) != table:
            raise InvalidParameterValue(
                f"The inference table of '{name}' is {table_of(form, before, name).full_name};"
                " disable it before you name another."
            )
        kept[form] = sent

    @route("GET /api/2.0/serving-endpoints")
    def list(self) -> dict[str, Any]:
        """Return what there is to know at a glance of the endpoints that the caller may view."""
        return {"endpoints": [ServingEndpoint.from_dict(one).as_dict() for one in self.seen()]}

    def seen(self) -> Any:
        """Return every endpoint that the caller may view as `get` does, by name."""
        allows = self.workspace.permissions.allows
        return [one for one in self.every() if allows("serving-endpoints", one["id"], "CAN_VIEW")]

    def every(self) -> Any:
        """Return every endpoint as `get` does, by name."""
        return [self._told(name, record) for name, record in self.table("endpoints").items()]

    @route("GET /api/2.0/serving-endpoints/{name}")
    def get(self, name: str) -> Record:
        """Return an endpoint."""
        return self._told(name, self._permitted(name, "CAN_VIEW"))

    @route("DELETE /api/2.0/serving-endpoints/{name}")
    def delete(self, name: str) -> None:
        """Delete an endpoint; what only it served is stopped."""
        record = self._permitted(name, "CAN_MANAGE")
        del self.table("endpoints")[name]
        self.workspace.permissions.forget("serving-endpoints", record["id"])
        self.store.after_commit(lambda: self._in_background(self._tidy))

    @route("GET /api/2.0/serving-endpoints/{name}/served-models/{served_model_name}/logs")
    def logs(self, name: str, served_model_name: str) -> dict[str, str]:
        """Return the end of what a served model's process has printed."""
        record = self._permitted(name, "CAN_VIEW")
        for config in (record["pending"], record["config"]):
            for entity in [] if config is None else config["entities"]:
                if entity["name"] == served_model_name:
                    return {"logs": self._log_of(entity.get("key"))}
        raise NotFound(f"Served entity '{served_model_name}' of '{name}' does not exist.")

    async def check_config(
        self, name: str, config: dict[str, Any] | None = None, **_others: Any
    ) -> None:
        """Check what is to be served before the transaction: the registry takes its time."""
        check_endpoint_name(name)
        if config is not None:
            await self._check_versions(config_of(config))

    async def check_update(
        self,
        name: str,
        served_entities: Objects | None = None,
        served_models: Objects | None = None,
        traffic_config: dict[str, Any] | None = None,
        auto_capture_config: dict[str, Any] | None = None,
    ) -> None:
        """Check what is to be served before the transaction: the registry takes its time."""
        check_endpoint_name(name)
        await anyio.to_thread.run_sync(self._check_manager, name)
        sent = _config_sent(served_entities, served_models, traffic_config, auto_capture_config)
        await self._check_versions(config_of(sent))

    # What callers ask

    @route(
        "POST /serving-endpoints/{name}/invocations",
        "POST /serving-endpoints/{name}/served-models/{served_model_name}/invocations",
        raw=True,
    )
    async def query(
        self, request: Request, name: str, served_model_name: str | None = None
    ) -> Reply:
        """Answer with the predictions of one of the endpoint's models."""
        entity, answer = await anyio.to_thread.run_sync(
            self._queried, name, served_model_name, request, limiter=self._queries
        )
        headers = {"content-type": answer.content_type, "served-model-name": entity.name}
        return Reply(answer.body, answer.status, headers)

    def _queried(self, name: str, wanted: str | None, request: Request) -> tuple[Entity, Answer]:
        with self.store.transaction(write=False):
            record = self._permitted(name, "CAN_QUERY")
        if record["config"] is None:
            raise BadRequest(
                f"Endpoint '{name}' is not ready: its state is {_update_of(record)}.",
                error_code="INVALID_STATE",
            )
        config = _config_kept(record["config"])
        is_asked = record.get("tables") or len(config.entities) > 1
        client_id = _client_request_id(request.body) if is_asked else None
        entity = self._chosen(config, name, wanted, client_id)
        exchange = Exchange(
            endpoint=name,
            entity_id=_id_of(record, entity),
            model=entity.model,
            version=entity.version,
            requester=self.workspace.user,
            client_request_id=client_id,
            at_ms=self.workspace.now_ms(),
            request=request.body,
        )
        began = time.monotonic()
        status, answer = 500, None
        try:
            answer = self._answered(record, entity, request)
            status = answer.status
        except DeadlineExceeded:
            status = 504
            raise
        finally:
            took_ms = round(1000 * (time.monotonic() - began))
            body = None if answer is None else answer.body
            self._keep(record, exchange.ended(status, body, took_ms=took_ms))
        return entity, answer

    def _answered(self, record: Record, entity: Entity, request: Request) -> Answer:
        try:
            scorer = self._scorer(entity, _keys(record["config"]).get(entity.name))
            kind = request.headers.get("content-type", "")
            return scorer.post(request.body, kind, seconds=self.answer_seconds)
        except TooSlow as error:
            raise DeadlineExceeded(f"Served entity '{entity.name}': {error}.") from error
        except ScorerFailed as error:
            raise InternalError(f"Served entity '{entity.name}' failed: {error}.") from error

    def _keep(self, record: Record, exchange: Exchange) -> None:
        """Let an exchange wait for the inference tables; without room for it the answer goes on."""
        for form, sent in record.get("tables", {}).items():
            table = table_of(form, sent, exchange.endpoint)
            try:
                self.payloads.add(table, record["creator"], exchange)
            except (OSError, sqlite3.Error):
                log.exception("a request to %r is not kept", exchange.endpoint)

    def _chosen(
        self, config: Config, name: str, wanted: str | None, request_id: str | None
    ) -> Entity:
        if wanted is None:
            return choose(config, request_id=request_id, draw=self._draws.random())
        for entity in config.entities:
            if entity.name == wanted:
                return entity
        raise NotFound(f"Served entity '{wanted}' of '{name}' does not exist.")

    # How a configuration comes into force

    def _begin(self, name: str, record: Record, config: Config) -> None:
        current = record["config"] or record["pending"]
        version = 1 if current is None else current["version"] + 1
        now, user, deployment = self.workspace.now_ms(), self.workspace.user, uuid.uuid4().hex
        record["failed"] = None
        record["pending"] = {
            "version": version,
            "deployment": deployment,
            "start_ms": now,
            "entities": [
                {**dataclasses.asdict(entity), "creator": user, "created_ms": now}
                for entity in config.entities
            ],
            "shares": dict(config.shares),
        }
        deploy = functools.partial(self._deploy, name, deployment)
        self.store.after_commit(lambda: self._in_background(deploy))

    def _deploy(self, name: str, deployment: str) -> None:
        pending = self._insist(functools.partial(self._unsettled, name, deployment))
        if pending is None:
            return
        keys, failed = self._load(name, pending)
        self._insist(functools.partial(self._settle, name, deployment, keys, failed))
        if not self._closing.is_set():
            self._tidy()

    def _load(self, name: str, pending: Record) -> tuple[dict[str, str], dict[str, str] | None]:
        """Load what is pending; return the keys of its scorers, and what failed."""
        keys: dict[str, str] = {}
        at = name
        try:
            for entity in _config_kept(pending).entities:
                at = entity.name
                served = self._served(entity)
                keys[at] = _key(entity, served)
                self._scorers.get(keys[at], served).wait_until_ready()
        except (ScorerFailed, DatabricksError, OSError) as error:
            return keys, {"entity": at, "message": str(error)}
        except Exception as error:  # a fault of laketop's own; nobody else hears of it
            log.exception("endpoint %r: %r could not be deployed", name, at)
            line = next(iter(str(error).splitlines()), "no more is known")
            message = f"it could not be deployed: {line} ({type(error).__name__})"
            return keys, {"entity": at, "message": message}
        return keys, None

    def _insist(self, act: Callable[[], Got]) -> Got | None:
        """Return what `act` returns, tried until it works; None if the workspace shuts down."""
        wait_seconds = _FIRST_RETRY_SECONDS
        while not self._closing.is_set():
            try:
                return act()
            except Exception:  # the records may be busy, or the disk full, for a while
                log.exception("a deployment's state could not be read or written; trying again")
            self._closing.wait(wait_seconds)
            wait_seconds = min(2 * wait_seconds, _LONGEST_RETRY_SECONDS)
        return None

    def _unsettled(self, name: str, deployment: str) -> Record | None:
        with self.store.transaction(write=False):
            return self._pending(name, deployment)

    def _settle(
        self, name: str, deployment: str, keys: Mapping[str, str], failed: dict[str, str] | None
    ) -> None:
        with self.store.transaction(write=True):
            pending = self._pending(name, deployment)
            if pending is None:
                return
            for entity in pending["entities"]:
                entity["key"] = keys.get(entity["name"])
            record = self._record(name)
            if failed is None:
                record.update(config=pending, pending=None)
                self._note_entities(name, record)
            else:
                record.update(pending=pending, failed=failed)
            self.table("endpoints")[name] = record

    def _note_entities(self, name: str, record: Record) -> None:
        """Note what serves from now on, by the ids that inference tables hold."""
        config, now_ms = record["config"], self.workspace.now_ms()
        for kept, entity in zip(config["entities"], _config_kept(config).entities, strict=True):
            row = {
                "workspace_id": self.workspace.workspace_id,
                "served_entity_id": _id_of(record, entity),
                "created_by": kept["creator"],
                "endpoint_name": name,
                "endpoint_id": record["id"],
                "served_entity_name": entity.name,
                "entity_name": entity.model,
                "entity_version": str(entity.version),
                "endpoint_config_version": config["version"],
            }
            self.payloads.note(SERVED_ENTITIES, served_entity_row(row, now_ms=now_ms))

    def _pending(self, name: str, deployment: str) -> Record | None:
        """Return the configuration on its way, None if it was deleted or replaced meanwhile."""
        record = self.table("endpoints").get(name)
        pending: Record | None = None if record is None else record["pending"]
        if pending is None or pending["deployment"] != deployment:
            return None
        return pending

    def _tidy(self) -> None:
        """Stop the scorers that no endpoint needs."""
        with self.store.transaction(write=False):
            records = list(self.table("endpoints").values())
        if any(_update_of(record) == "IN_PROGRESS" for record in records):
            return
        self._scorers.keep_only(
            {
                key
                for record in records
                if record["config"]
                for key in _keys(record["config"]).values()
            }
        )

    def _scorer(self, entity: Entity, key: str | None) -> Scorer:
        # The registry is asked only when there is something to start.
        running = None if key is None else self._scorers.running(key)
        if running is not None:
            return running
        served = self._served(entity)
        return self._scorers.get(_key(entity, served), served)

    def _served(self, entity: Entity) -> Served:
        folder, files = self.workspace.model_registry.files_of(entity.model, entity.version)
        online = self.workspace.feature_store.file
        return Served(folder, files, entity.environment_vars, online)

    def _check_manager(self, name: str) -> None:
        with self.store.transaction(write=False):
            self._permitted(name, "CAN_MANAGE")

    async def _check_versions(self, config: Config) -> None:
        for entity in config.entities:
            await anyio.to_thread.run_sync(self._served, entity)

    def _record(self, name: str) -> Record:
        record: Record | None = self.table("endpoints").get(name)
        if record is None:
            raise NotFound(
                f"Endpoint with name '{name}' does not exist.", error_code="RESOURCE_DOES_NOT_EXIST"
            )
        return record

    def _permitted(self, name: str, level: str) -> Record:
        """Return an endpoint on which the caller has a level. Errors: PermissionDenied if not."""
        record = self._record(name)
        self.workspace.permissions.require("serving-endpoints", record["id"], level)
        return record

    def _told(self, name: str, record: Record) -> Record:
        config, pending = record["config"], record["pending"]
        told = {
            "name": name,
            "id": record["id"],
            "creator": record["creator"],
            "creation_timestamp": record["created_ms"],
            "last_updated_timestamp": record["updated_ms"],
            "description": record["description"],
            "tags": record["tags"],
            "state": {
                "ready": "NOT_READY" if config is None else "READY",
                "config_update": _update_of(record),
            },
            "permission_level": "CAN_MANAGE",
            GATEWAY: _gateway_told(record) or None,
        }
        if config is not None:
            told["config"] = _config_told(config, {"deployment": "DEPLOYMENT_READY"})
        if pending is not None:
            told["pending_config"] = _config_told(pending, _pending_state(record))
            told["pending_config"]["start_time"] = pending["start_ms"]
        for shown in ("config", "pending_config"):
            if shown in told and AUTO_CAPTURE in record.get("tables", {}):
                told[shown][AUTO_CAPTURE] = self._captured(name, record)
        return {field: value for field, value in told.items() if value is not None}

    def _captured(self, name: str, record: Record) -> dict[str, Any]:
        sent = record["tables"][AUTO_CAPTURE]
        table = table_of(AUTO_CAPTURE, sent, name)
        problem = self.payloads.problem(table)
        state = {"status": "READY"} if problem is None else {"status": "FAILED"}
        told = {"name": table.name, **state, **({"status_message": problem} if problem else {})}
        return {"enabled": True, **sent, "state": {"payload_table": told}}

    def _log_of(self, key: str | None) -> str:
        file = None if key is None else self._scorers.log_file(key)
        if file is None or not file.is_file():
            return ""
        with file.open("rb") as stream:
            stream.seek(max(file.stat().st_size - _LOG_BYTES, 0))
            return stream.read().decode("utf-8", "replace")

    def _in_background(self, act: Callable[[], None]) -> None:
        def run() -> None:
            try:
                act()
            except Exception:  # the thread's boundary
                log.exception("serving endpoints failed in the background")
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="serving endpoints")
        self._threads.add(thread)
        thread.start()


def _refuse(**fields: Any) -> None:
    for field, value in fields.items():
        if value:
            raise NotServed(f"Field {field!r} of a serving endpoint is not served here.")


def _config_sent(
    served_entities: Any, served_models: Any, traffic_config: Any, auto_capture_config: Any
) -> dict[str, Any]:
    return {
        "served_entities": served_entities,
        "served_models": served_models,
        "traffic_config": traffic_config,
        "auto_capture_config": auto_capture_config,
    }


def _client_request_id(body: bytes) -> str | None:
    try:
        found = json.loads(body).get("client_request_id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _key(entity: Entity, served: Served) -> str:
    """Return a name that another version, other files or other variables do not have."""
    told = [entity.model, entity.version, dict(served.files), dict(served.variables)]
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    readable = re.sub(r"[^a-z0-9_.\-]", "_", entity.model)[-_READABLE:]
    return f"{readable}-{entity.version}-{digest[:12]}"


def _keys(config: Record) -> dict[str, str]:
    """Return the key of each entity's scorer, by the entity's name."""
    return {entity["name"]: entity["key"] for entity in config["entities"] if entity.get("key")}


def _config_kept(config: Record) -> Config:
    fields = [field.name for field in dataclasses.fields(Entity)]
    return Config(
        entities=tuple(Entity(**{f: kept[f] for f in fields}) for kept in config["entities"]),
        shares=config["shares"],
    )


def _update_of(record: Record) -> str:
    if record["failed"] is not None:
        return "UPDATE_FAILED"
    return "NOT_UPDATING" if record["pending"] is None else "IN_PROGRESS"


def _gateway_told(record: Record) -> dict[str, Any]:
    sent = record.get("tables", {}).get(GATEWAY)
    return {} if sent is None else {"inference_table_config": sent}


def _id_of(record: Record, entity: Entity) -> str:
    return entity_id(record["id"], entity.name, entity.model, entity.version)


def _pending_state(record: Record) -> dict[str, str]:
    failed = record["failed"]
    if failed is None:
        return {"deployment": "DEPLOYMENT_CREATING"}
    return {
        "deployment": "DEPLOYMENT_FAILED",
        "deployment_state_message": f"{failed['entity']}: {failed['message']}",
    }


def _config_told(config: Record, state: dict[str, str]) -> dict[str, Any]:
    entities = [_entity_told(entity, state) for entity in config["entities"]]
    return {
        "config_version": config["version"],
        "served_entities": entities,
        "served_models": [
            {
                **{k: v for k, v in entity.items() if not k.startswith("entity_")},
                "model_name": entity["entity_name"],
                "model_version": entity["entity_version"],
            }
            for entity in entities
        ],
        "traffic_config": {
            "routes": [
                {
                    "served_entity_name": name,
                    "served_model_name": name,
                    "traffic_percentage": share,
                }
                for name, share in config["shares"].items()
            ]
        },
    }


def _entity_told(entity: Record, state: dict[str, str]) -> dict[str, Any]:
    told = {
        "name": entity["name"],
        "entity_name": entity["model"],
        "entity_version": str(entity["version"]),
        "type": "UC_MODEL",
        "workload_size": entity["workload_size"],
        "workload_type": "CPU",
        "scale_to_zero_enabled": entity["scale_to_zero_enabled"],
        "environment_vars": entity["environment_vars"] or None,
        "creator": entity["creator"],
        "creation_timestamp": entity["created_ms"],
        "state": state,
    }
    return {field: value for field, value in told.items() if value is not None}
