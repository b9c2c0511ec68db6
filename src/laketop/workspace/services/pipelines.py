"""Pipelines: kept as they were sent, and run by nobody."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from databricks.sdk.errors.platform import (
    InvalidParameterValue,
    ResourceConflict,
    ResourceDoesNotExist,
)
from databricks.sdk.service.pipelines import PipelineSpec

from laketop.workspace.kept import Kept, Record, fields_of, iso
from laketop.workspace.permitted import CREATOR, PermittedService
from laketop.workspace.service import Fields, route

_MOST_LISTED = 100
_NAME_LIKE = re.compile(r"\s*name\s+LIKE\s+'((?:[^']|'')*)'\s*", re.IGNORECASE)


class Pipelines(PermittedService):
    """Pipelines, which stay idle: there is no update to list, and none can be started.

    Source: databricks-sdk, `pipelines.PipelinesAPI`.
    """

    kind = "Pipeline"
    shape = PipelineSpec
    objects = "pipelines"
    id_field = "pipeline_id"

    @property
    def _events(self) -> Kept:
        return Kept(self.table("events"), "Event", PipelineSpec)

    @route("POST /api/2.0/pipelines")
    def create(
        self, fields: Fields, dry_run: bool = False, allow_duplicate_names: bool = False
    ) -> dict[str, Any]:
        """Keep a pipeline; with `dry_run` only tell what it would be."""
        spec = self._spec(fields)
        if not allow_duplicate_names:
            self._check_name(spec["name"], None)
        if dry_run:
            return {"effective_settings": spec}
        id_, user = str(uuid.uuid4()), self.workspace.user
        made: Record = {"pipeline_id": id_, CREATOR: user}
        made["run_as_user_name"] = self._run_as(fields)
        made |= {"spec": {**spec, "id": id_}, "last_modified": self.workspace.now_ms()}
        self._kept.add(id_, made)
        self._tell(made, f"User {user} created the pipeline.")
        return {"pipeline_id": id_}

    @route("GET /api/2.0/pipelines/{pipeline_id}")
    def get(self, pipeline_id: str) -> Record:
        """Return a pipeline."""
        found = self._require(pipeline_id, "CAN_VIEW")
        return {**found, "name": found["spec"]["name"], "state": "IDLE"}

    @route("GET /api/2.0/pipelines")
    def list_pipelines(
        self,
        max_results: int = 25,
        page_token: str | None = None,
        filter: str | None = None,  # noqa: A002 - the name on the wire
        order_by: str | None = None,
    ) -> dict[str, Any]:
        """Return the pipelines that the caller may see, by pages, by id unless by name."""
        if not 1 <= max_results <= _MOST_LISTED:
            raise InvalidParameterValue(f"max_results is not from 1 to {_MOST_LISTED}.")
        seen, wanted = self._allowed("CAN_VIEW"), _wanted(filter)
        found = [o for o in self._kept.all() if wanted.fullmatch(o["spec"]["name"]) and seen(o)]
        field, is_down = _order(order_by)
        keys = {f"{o['spec'].get(field)} {o['pipeline_id']}": o for o in found}
        # A token is the last key of a page, whichever way the keys go.
        names = sorted(keys, reverse=is_down)
        start = names.index(page_token) + 1 if page_token in keys else 0
        page = names[start : start + max_results]
        more = {"next_page_token": page[-1]} if names[start + max_results :] else {}
        return {"statuses": [_status(keys[name]) for name in page], **more}

    @route("PUT /api/2.0/pipelines/{pipeline_id}")
    def update(
        self,
        pipeline_id: str,
        fields: Fields,
        allow_duplicate_names: bool = False,
        expected_last_modified: int | None = None,
    ) -> None:
        """Replace a pipeline. Errors: ResourceConflict if it has changed since it was read."""
        old = self._require(pipeline_id, "CAN_MANAGE")
        if expected_last_modified not in {None, old["last_modified"]}:
            raise ResourceConflict(f"Pipeline '{pipeline_id}' was changed since it was read.")
        spec = {**self._spec(fields), "id": pipeline_id}
        if not allow_duplicate_names:
            self._check_name(spec["name"], pipeline_id)
        new = {**old, "spec": spec, "last_modified": self.workspace.now_ms()}
        if fields.get("run_as"):
            new["run_as_user_name"] = self._run_as(fields)
        self._kept.put(pipeline_id, new)
        self._tell(new, f"User {self.workspace.user} edited the pipeline.")

    @route("DELETE /api/2.0/pipelines/{pipeline_id}")
    def delete(self, pipeline_id: str) -> None:
        """Forget a pipeline and what happened to it."""
        self._require(pipeline_id, "CAN_MANAGE")
        self._forget(pipeline_id)
        for event in self._events.all():
            if event["origin"]["pipeline_id"] == pipeline_id:
                self._events.remove(_key(event))

    @route("POST /api/2.0/pipelines/{pipeline_id}/stop")
    def stop(self, pipeline_id: str) -> None:
        """Do nothing: the pipeline is idle."""
        self._require(pipeline_id, "CAN_RUN")

    @route("GET /api/2.0/pipelines/{pipeline_id}/events")
    def list_pipeline_events(
        self, pipeline_id: str, max_results: int = 0, page_token: str | None = None
    ) -> dict[str, Any]:
        """Return what was done to a pipeline, by pages."""
        self._require(pipeline_id, "CAN_VIEW")
        return self._events.page(
            "events",
            max_results,
            page_token,
            lambda one: bool(one["origin"]["pipeline_id"] == pipeline_id),
        )

    @route("GET /api/2.0/pipelines/{pipeline_id}/updates")
    def list_updates(self, pipeline_id: str) -> dict[str, Any]:
        """Return the updates of a pipeline, which are none."""
        self._require(pipeline_id, "CAN_VIEW")
        return {"updates": []}

    @route("GET /api/2.0/pipelines/{pipeline_id}/updates/{update_id}")
    def get_update(self, pipeline_id: str, update_id: str) -> None:
        """Return an update. Errors: ResourceDoesNotExist, for there is none."""
        self._require(pipeline_id, "CAN_VIEW")
        raise ResourceDoesNotExist(
            f"The update {update_id[:100]!r} of pipeline {pipeline_id!r} does not exist."
        )

    def every(self) -> list[Record]:
        """Return every pipeline whoever asks, inside a transaction."""
        return self._kept.all()

    def _spec(self, fields: Mapping[str, Any]) -> Record:
        spec = fields_of(PipelineSpec, fields, without=("id",))
        if not spec.get("name"):
            raise InvalidParameterValue("Missing required field: name")
        return spec

    def _check_name(self, name: str, own: str | None) -> None:
        for one in self._kept.all():
            if one["spec"]["name"] == name and one["pipeline_id"] != own:
                raise ResourceConflict(
                    f"The pipeline name '{name[:200]}' is already used by another pipeline. This"
                    " check can be skipped by setting `allow_duplicate_names = true`."
                )

    def _run_as(self, fields: Mapping[str, Any]) -> str:
        sent = fields.get("run_as")
        name = self.workspace.user
        if sent:
            named = [*sent.values()] if isinstance(sent, dict) else []
            if len(named) != 1 or not isinstance(named[0], str):
                raise InvalidParameterValue("run_as names one user or service principal.")
            (name,) = named
        if name != self.workspace.user:
            self.workspace.require_admin()
            if self.workspace.principals.find(name) is None:
                raise InvalidParameterValue(f"run_as: {name[:200]!r} does not exist.")
        return name

    def _tell(self, pipeline: Record, message: str) -> None:
        now, spec = self.workspace.now_ms(), pipeline["spec"]
        event = {
            "id": str(uuid.uuid4()),
            "timestamp": iso(now),
            "event_type": "user_action",
            "level": "INFO",
            "maturity_level": "STABLE",
            "message": message,
            "origin": {"pipeline_id": pipeline["pipeline_id"], "pipeline_name": spec["name"]},
        }
        self._events.add(_key(event), event)


def _key(event: Record) -> str:
    return f"{event['timestamp']} {event['id']}"


def _status(one: Record) -> Record:
    fields = ("pipeline_id", CREATOR, "run_as_user_name")
    return {**{f: one[f] for f in fields}, "name": one["spec"]["name"], "state": "IDLE"}


def _wanted(text: str | None) -> re.Pattern[str]:
    if text is None:
        return re.compile(".*", re.DOTALL)
    like = _NAME_LIKE.fullmatch(text)
    if like is None:
        raise InvalidParameterValue(f"The filter {text[:200]!r} is not: name LIKE 'pattern'.")
    parts = like[1].replace("''", "'").split("%")
    return re.compile(".*".join(re.escape(part) for part in parts), re.DOTALL)


def _order(text: str | None) -> tuple[str, bool]:
    field, _, way = (text or "id asc").partition(" ")
    if field not in {"id", "name"} or way.lower() not in {"", "asc", "desc"}:
        raise InvalidParameterValue(f"order_by {str(text)[:100]!r} is not id or name, asc or desc.")
    return field, way.lower() == "desc"
